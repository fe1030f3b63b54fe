import { existsSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { readFakeJournal } from '#rivera/garden';
import type { Cluster } from '../support/cluster.js';
import type { EngineContainer } from './checker/drift.js';
import type { EngineRun } from './checker/runs.js';

/** What really ran and runs, told by the engine itself and not by the agents. */
export interface EngineView {
  readonly runs: EngineRun[];
  /** All there is now. */
  containers(): Promise<EngineContainer[]>;
  /** The engine is restarted: what it does not tell ended when that began. */
  restarting?(): void;
  stop(): Promise<void>;
}

export function engineViewOf(cluster: Cluster): EngineView {
  return cluster.options.backend === 'docker' ? new DockerView(cluster) : new FakeView(cluster);
}

export function runningOf({ runs }: EngineView): EngineRun[] {
  return runs.filter(({ endedMs }) => endedMs === undefined);
}

/** Reads the journals of fake machines. */
class FakeView implements EngineView {
  readonly runs: EngineRun[] = [];
  private readonly present = new Map<string, EngineContainer>();
  private readonly open = new Map<string, EngineRun>();
  private readonly offsets = new Map<string, number>();

  constructor(private readonly cluster: Cluster) {}

  async containers(): Promise<EngineContainer[]> {
    for (const cellId of this.cluster.cellNames) await this.read(cellId);
    return [...this.present.values()];
  }

  async stop(): Promise<void> {
    await this.containers();
  }

  private async read(cellId: string): Promise<void> {
    const path = this.cluster.fakeMachine(cellId);
    if (!existsSync(path)) return;
    const from = this.offsets.get(cellId) ?? 0;
    const { size } = await stat(path);
    if (size === from) return;
    const file = await open(path);
    const { buffer } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    await file.close();
    this.offsets.set(cellId, size);
    // A write is one line and at once in the file as far as others can see.
    for (const { handle, atMs, ...what } of readFakeJournal(buffer.toString())) {
      const name = `${cellId}/${handle}`;
      if (what.type === 'created') this.present.set(name, { handle, cellId });
      if (what.type === 'removed') this.present.delete(name);
      if (what.type === 'started') {
        const run = { handle, cellId, startedMs: atMs };
        this.runs.push(run);
        this.open.set(name, run);
      }
      const run = this.open.get(name);
      if (run === undefined || (what.type !== 'ended' && what.type !== 'removed')) continue;
      run.endedMs = atMs;
      if (what.type === 'ended') run.exitStatus = what.status;
      this.open.delete(name);
    }
  }
}

interface DockerEvent {
  Action: string;
  timeNano: number;
  id: string;
  Actor: { Attributes: Record<string, string> };
}

/**
 * An engine that is killed while it starts a container may find it running afterwards and say that it started in the year 1.
 * All that is known of the start is then that it was not heard, so it came after what was heard last.
 */
export function startOf(startedAt: string | undefined, lastHeardMs: number): number {
  const startedMs = Date.parse(startedAt ?? '');
  return startedMs > 0 ? startedMs : lastHeardMs;
}

/** Follows the events of a Docker Engine and, after each gap, its list. */
class DockerView implements EngineView {
  readonly runs: EngineRun[] = [];
  private readonly open = new Map<string, EngineRun>();
  private readonly end = new AbortController();
  private lastHeardMs = Date.now();
  private stream: NodeJS.ReadableStream | undefined;
  private readonly following: Promise<void>;

  constructor(private readonly cluster: Cluster) {
    this.following = this.follow();
  }

  async containers(): Promise<EngineContainer[]> {
    return (await this.cluster.containers()).map(({ handle, cellId }) => ({ handle, cellId }));
  }

  restarting(): void {
    this.lastHeardMs = Date.now();
  }

  async stop(): Promise<void> {
    this.end.abort();
    (this.stream as { destroy?: () => void } | undefined)?.destroy?.();
    await this.following;
  }

  private async follow(): Promise<void> {
    while (!this.end.signal.aborted) {
      try {
        const filters = { type: ['container' as const], event: ['start', 'die'] };
        const stream = await this.cluster.docker.getEvents({ filters });
        this.stream = stream;
        await this.compare();
        let rest = '';
        for await (const chunk of stream) {
          rest += String(chunk);
          const lines = rest.split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) if (line !== '') this.take(JSON.parse(line) as DockerEvent);
        }
      } catch {
        // The engine is away; what was missed is found by comparing.
      }
      await sleep(200, undefined, { signal: this.end.signal }).catch(() => undefined);
    }
  }

  private take({ Action, timeNano, id, Actor: { Attributes } }: DockerEvent): void {
    const owner = Attributes['rivera.owner'];
    if (!owner?.startsWith(`${this.cluster.id}/`)) return;
    const atMs = timeNano / 1e6;
    this.lastHeardMs = Math.max(this.lastHeardMs, atMs);
    if (Action === 'start') {
      this.begin(id, {
        handle: Attributes['rivera.handle'] ?? '',
        cellId: owner.split('/')[1] ?? '',
        startedMs: atMs,
      });
    } else {
      this.finish(id, atMs, Number(Attributes['exitCode']));
    }
  }

  private async compare(): Promise<void> {
    const found = await this.cluster.containers();
    const running = new Set(found.filter(({ state }) => state === 'running').map(({ id }) => id));
    for (const id of this.open.keys()) {
      if (running.has(id)) continue;
      const { FinishedAt, ExitCode } = await this.stateOf(id);
      const finishedMs = Date.parse(FinishedAt ?? '');
      this.finish(id, finishedMs > 0 ? finishedMs : this.lastHeardMs, ExitCode);
    }
    for (const { id, handle, cellId } of found) {
      if (!running.has(id) || this.open.has(id)) continue;
      const { StartedAt } = await this.stateOf(id);
      this.begin(id, { handle, cellId, startedMs: startOf(StartedAt, this.lastHeardMs) });
    }
  }

  private begin(id: string, run: EngineRun): void {
    if (this.open.has(id)) return;
    this.open.set(id, run);
    this.runs.push(run);
  }

  private finish(id: string, atMs: number, status: number | undefined): void {
    const run = this.open.get(id);
    if (run === undefined) return;
    run.endedMs = atMs;
    run.exitStatus = status;
    this.open.delete(id);
  }

  private async stateOf(id: string): Promise<{ StartedAt?: string; FinishedAt?: string; ExitCode?: number }> {
    const inspected = await this.cluster.docker
      .getContainer(id)
      .inspect()
      .catch(() => undefined);
    return inspected?.State ?? {};
  }
}
