import { setImmediate } from 'node:timers/promises';
import type { ContainerMetrics } from '../container.js';
import { LABEL_HANDLE, LABEL_OWNER } from './container-options.js';
import { asking, askingUnless } from './engine-error.js';
import type { Engine } from './engine.js';
import { measured, type MeasuredContainer, readMetrics } from './metrics.js';

/** The engine walks through the files of every container to answer this, so it is not asked often. */
const SIZES_INTERVAL_MS = 60_000;
const AT_ONCE = 10;

/** Measures all containers of an owner at once. What stays the same while a container runs is asked for once. */
export class BulkMetrics {
  private readonly known = new Map<string, MeasuredContainer>();
  /** What each container has written, by the engine's id. */
  private sizes = new Map<string, number>();
  private sizesAt = -Infinity;

  constructor(
    private readonly engine: Engine,
    private readonly owner: string,
  ) {}

  async read(handles?: readonly string[]): Promise<Map<string, ContainerMetrics>> {
    const wanted = handles && new Set(handles);
    const all = await asking('The containers could not be listed', () => this.list());
    this.forgetOthers(new Set(all.map(({ Id }) => Id)));
    this.refreshSizes();
    const found = new Map<string, ContainerMetrics>();
    const reading: Promise<unknown>[] = [];
    for (const { Id, Labels } of all) {
      const handle = Labels[LABEL_HANDLE] ?? '';
      if (wanted !== undefined && !wanted.has(handle)) continue;
      const container = await this.measured(Id);
      if (container === undefined) continue;
      const diskBytes = this.sizes.get(Id);
      const keep = (metrics: ContainerMetrics): void =>
        void found.set(handle, { ...metrics, ...(diskBytes !== undefined && { diskBytes }) });
      reading.push(readMetrics(this.engine, container).then(keep));
      // Others are not kept waiting for more than a few milliseconds.
      if (reading.length % AT_ONCE === 0) await setImmediate();
    }
    await Promise.all(reading);
    return found;
  }

  private list(size = false) {
    const filters = { label: [`${LABEL_OWNER}=${this.owner}`], status: ['running'] };
    return this.engine.api.listContainers({ filters, ...(size && { size }) });
  }

  private async measured(id: string): Promise<MeasuredContainer | undefined> {
    const known = this.known.get(id);
    if (known !== undefined) return known;
    const info = await askingUnless([404], `The container ${id} could not be inspected`, () =>
      this.engine.api.getContainer(id).inspect(),
    );
    const container = info && measured(info);
    if (container !== undefined) this.known.set(id, container);
    return container;
  }

  private forgetOthers(running: Set<string>): void {
    for (const id of this.known.keys()) if (!running.has(id)) this.known.delete(id);
  }

  /** In the background: nobody waits for a number that may be old. */
  private refreshSizes(): void {
    if (performance.now() - this.sizesAt < SIZES_INTERVAL_MS) return;
    this.sizesAt = performance.now();
    const take = (all: { Id: string; SizeRw?: number }[]): void => {
      this.sizes = new Map(all.map(({ Id, SizeRw }) => [Id, SizeRw ?? 0]));
    };
    // An engine that does not answer is noticed by everything else.
    this.list(true).then(take, () => undefined);
  }
}
