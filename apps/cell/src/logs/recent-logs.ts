import { EventEmitter, once } from 'node:events';
import type { InstanceLog, LogOrigin, LogSink } from '../executor/log-sink.js';
import { LogRing } from './log-ring.js';

export interface RecentLogsOptions {
  /** Kept of each run, in bytes of memory. */
  ringBytes: number;
  /** Kept of all runs that have ended together, in bytes of memory. */
  endedBytes: number;
}

/** The log of one run. */
export interface RunLog {
  origin: LogOrigin;
  ring: LogRing;
}

/**
 * The newest lines of every run of this cell, in memory only. Those of runs that have ended stay for a while, so that one
 * can read why they did: the longest ended go when all ended ones together become too large.
 */
export class RecentLogs implements LogSink {
  private readonly logs = new Map<string, RunLog>();
  /** In the order in which they ended. */
  private readonly ended = new Set<string>();
  private endedSize = 0;
  private readonly opening = new EventEmitter().setMaxListeners(0);

  constructor(private readonly options: RecentLogsOptions) {}

  /** A run that is taken up again by name (a task that is tried again) begins anew. */
  open(origin: LogOrigin): InstanceLog {
    const { guid } = origin;
    this.forget(guid);
    const ring = new LogRing(this.options.ringBytes);
    this.logs.set(guid, { origin, ring });
    this.opening.emit('open', guid);
    return {
      append: (line) => ring.append(line),
      close: () => {
        if (ring.isClosed) return;
        ring.close();
        if (this.logs.get(guid)?.ring === ring) this.keepEnded(guid, ring);
      },
    };
  }

  /** The log of a run, also of one that is only about to begin; undefined when the signal aborts before. */
  async find(guid: string, signal: AbortSignal): Promise<RunLog | undefined> {
    while (!this.logs.has(guid) && !signal.aborted) {
      await once(this.opening, 'open', { signal }).catch(() => undefined);
    }
    return this.logs.get(guid);
  }

  private keepEnded(guid: string, ring: LogRing): void {
    this.ended.add(guid);
    this.endedSize += ring.size;
    for (const oldest of this.ended) {
      if (this.endedSize <= this.options.endedBytes) return;
      this.forget(oldest);
    }
  }

  private forget(guid: string): void {
    const log = this.logs.get(guid);
    if (log === undefined) return;
    log.ring.close();
    this.logs.delete(guid);
    if (this.ended.delete(guid)) this.endedSize -= log.ring.size;
  }
}
