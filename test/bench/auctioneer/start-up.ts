import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Transition } from '#rivera/lifecycle';
import { shardOf, type Store, WORK_SHARD_IDS } from '#rivera/store';
import { aRunningActualLRP } from '../../support/builders.js';
import type { Program } from '../../support/program.js';
import { waitFor } from '../../support/wait-for.js';
import { cpuUs } from '../cpu.js';
import type { BenchContext } from '../bench.js';

const COMMIT_LIMIT = 500;

interface StartFigures {
  ms: number;
  cpuMs: number;
  rss: number;
  peak: number;
}

/** How long an auctioneer takes until it is active, and what a record costs it, with few and with many instances running. */
export class StartUp {
  private written = 0;

  constructor(
    private readonly context: BenchContext,
    private readonly store: Store,
    private readonly auctioneer: Program,
    private readonly cellIds: readonly string[],
  ) {}

  async measure([few = 0, many = 0]: number[]): Promise<void> {
    const first = await this.startWith(few);
    const second = await this.startWith(many);
    const figure = (metric: string, value: number, unit: string) =>
      this.context.report({ case: `start-up-${many}`, metric, value, unit });
    figure('ms', second.ms, 'ms');
    figure('cpu_ms', second.cpuMs, 'ms');
    figure('rss_mb', second.rss / 1e6, 'MB');
    figure('peak_rss_mb', second.peak / 1e6, 'MB');
    figure('bytes_per_record', (second.rss - first.rss) / (many - few), 'bytes');
    figure('peak_bytes_per_record', (second.peak - first.peak) / (many - few), 'bytes');
  }

  private async startWith(records: number): Promise<StartFigures> {
    const { auctioneer, context } = this;
    await auctioneer.stop();
    context.progress(`start-up with ${records} running instances`);
    await this.write(records - this.written);
    const before = this.activations().length;
    await auctioneer.start();
    const durations = await waitFor(() => this.activations(), {
      what: 'the auctioneer is active',
      until: ({ length }) => length > before,
      timeoutMs: 120_000,
    });
    const status = await readFile(`/proc/${auctioneer.pid}/status`, 'utf8');
    const bytesOf = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) * 1_024;
    const cpuMs = (await cpuUs([auctioneer.pid])) / 1_000;
    return { ms: durations.at(-1) ?? Number.NaN, cpuMs, rss: bytesOf('VmRSS'), peak: bytesOf('VmHWM') };
  }

  /** How long each activation took, as the auctioneer says itself. */
  private activations(): number[] {
    const lines = this.auctioneer.logTail(Infinity).split('\n');
    return lines
      .filter((line) => line.includes('"auctioneer-active"'))
      .map((line) => (JSON.parse(line) as { tookMs: number }).tookMs);
  }

  private async write(count: number): Promise<void> {
    const byShard = new Map<number, Transition>(WORK_SHARD_IDS.map((shard) => [shard, []]));
    for (let i = 0; i < count; i += 1) {
      const processGuid = `process-${randomUUID()}`;
      const cellId = this.cellIds[i % this.cellIds.length];
      const after = aRunningActualLRP({ processGuid, cellId, instanceGuid: randomUUID() });
      byShard.get(shardOf(processGuid))?.push({ kind: 'actual', after });
    }
    for (const [shard, transition] of byShard) {
      for (let at = 0; at < transition.length; at += COMMIT_LIMIT) {
        await this.store.commit(shard, transition.slice(at, at + COMMIT_LIMIT));
      }
    }
    this.written += count;
  }
}
