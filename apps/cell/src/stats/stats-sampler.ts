import type { ContainerMetrics, Garden } from '#rivera/garden';

/** Diego executor, container_metrics_report_interval: the first who asks has something to compare with. */
const INTERVAL_MS = 15_000;
/** Whoever asks again within this time gets the same answer. */
const FRESH_MS = 1_000;

/** What one container used at one moment. */
export interface Sample extends ContainerMetrics {
  /** Milliseconds since the Unix epoch. */
  time: number;
  /** Of one processor, since the sample before. */
  cpuPercent?: number;
}

export interface StatsSamplerOptions {
  garden: Pick<Garden, 'bulkMetrics'>;
  onFailure: (error: unknown) => void;
  now?: () => number;
}

/** Measures all containers of the cell at once: every now and then, and when somebody asks. */
export class StatsSampler {
  private samples = new Map<string, Sample>();
  private sampledAt = -Infinity;
  private sampling?: Promise<void>;
  private timer?: NodeJS.Timeout;
  private readonly now: () => number;

  constructor(private readonly options: StatsSamplerOptions) {
    this.now = options.now ?? Date.now;
  }

  start(): void {
    const { onFailure } = this.options;
    this.timer = setInterval(() => void this.read().catch(onFailure), INTERVAL_MS).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** What each running container uses, by handle; at most a second old. */
  async read(): Promise<ReadonlyMap<string, Sample>> {
    if (this.now() - this.sampledAt >= FRESH_MS) {
      this.sampling ??= this.sample().finally(() => (this.sampling = undefined));
      await this.sampling;
    }
    return this.samples;
  }

  private async sample(): Promise<void> {
    const metrics = await this.options.garden.bulkMetrics();
    const time = this.now();
    const before = this.samples;
    this.samples = new Map(
      [...metrics].map(([handle, each]) => {
        const cpuPercent = cpuPercentOf({ ...each, time }, before.get(handle));
        return [handle, { ...each, time, ...(cpuPercent !== undefined && { cpuPercent }) }];
      }),
    );
    this.sampledAt = time;
  }
}

/** Undefined for the first sample. Time that ended processes took may be missing in the later one: that is no use. */
function cpuPercentOf(now: Sample, before: Sample | undefined): number | undefined {
  if (now.cpuNanoseconds === undefined || before?.cpuNanoseconds === undefined) return undefined;
  const elapsedMs = now.time - before.time;
  if (elapsedMs <= 0) return undefined;
  const usedMs = (now.cpuNanoseconds - before.cpuNanoseconds) / 1e6;
  return Math.max(0, (usedMs / elapsedMs) * 100);
}
