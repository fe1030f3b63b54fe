import type { Container } from '#rivera/garden';
import type { RiveraLogger } from '#rivera/platform';
import { limiter } from '../executor/limiter.js';

const LOOK_MS = 1_000;
/** All are measured at least this often. */
const ROUND_MS = 60_000;
/** And when the free disk has shrunk by this much since the last round. */
const SHRUNK_BYTES = 16 * 1024 * 1024;
/** Measuring walks through what containers wrote. */
const MEASURED_AT_ONCE = 2;

interface Watched {
  container: Container;
  limitBytes: number;
  exceeded(usedBytes: number): void;
}

export interface DiskWatchOptions {
  /** Of the file system containers write to; undefined when it cannot be known. */
  freeBytes(): Promise<number | undefined>;
  logger: RiveraLogger;
  lookMs?: number;
}

/**
 * Holds containers to their disk limits where the backend cannot: they are measured every minute, and within a second
 * or two when the disk fills quickly. What goes over its limit in between is on the disk until then.
 */
export class DiskWatch {
  private readonly watched = new Set<Watched>();
  private readonly measuring = limiter(MEASURED_AT_ONCE);
  private timer: NodeJS.Timeout | undefined;
  private lastRoundAt = 0;
  private lastFree: number | undefined;
  private isLooking = false;

  constructor(private readonly options: DiskWatchOptions) {}

  /** Calls `exceeded` once the container has written more than `limitBytes`, until the answer is called. */
  watch(container: Container, limitBytes: number, exceeded: (usedBytes: number) => void): () => void {
    const entry = { container, limitBytes, exceeded };
    this.watched.add(entry);
    this.timer ??= setInterval(() => void this.look(), this.options.lookMs ?? LOOK_MS).unref();
    return () => {
      this.watched.delete(entry);
      if (this.watched.size > 0) return;
      clearInterval(this.timer);
      this.timer = undefined;
    };
  }

  private async look(): Promise<void> {
    if (this.isLooking) return;
    this.isLooking = true;
    try {
      const free = await this.options.freeBytes();
      const hasShrunk =
        free !== undefined && this.lastFree !== undefined && this.lastFree - free >= SHRUNK_BYTES;
      const isDue = performance.now() - this.lastRoundAt >= ROUND_MS;
      if (free !== undefined && (this.lastFree === undefined || free > this.lastFree)) this.lastFree = free;
      if (!hasShrunk && !isDue) return;
      this.lastFree = free;
      await Promise.all([...this.watched].map((entry) => this.measuring(() => this.measure(entry))));
      this.lastRoundAt = performance.now();
    } finally {
      this.isLooking = false;
    }
  }

  private async measure(entry: Watched): Promise<void> {
    if (!this.watched.has(entry)) return;
    try {
      const used = await entry.container.diskUsage();
      if (used !== undefined && used > entry.limitBytes && this.watched.has(entry)) entry.exceeded(used);
    } catch (error) {
      this.options.logger.warn('failed-to-measure-disk', { guid: entry.container.handle, error });
    }
  }
}
