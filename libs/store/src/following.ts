import { setTimeout as sleep } from 'node:timers/promises';
import { RiveraError } from '#rivera/models';
import type { Cursor } from './cursor.js';
import type { LoggedEvent } from './log-entry.js';
import { parseEventsMessage, PushedEvents } from './pushed-events.js';
import { ALL_SHARDS, CELLS_SHARD } from './shards.js';
import { EVENTS_CHANNEL, type WakeUps } from './wake-ups.js';

/** Whoever rejects with `unavailable` is told the same again in a moment; any other error ends the following. */
export interface Follower {
  /** New events, at least one, in order within each shard. */
  onEvents(events: LoggedEvent[]): void | Promise<void>;
  /** The log no longer holds what comes after the cursor: list again. Following goes on from `end`. */
  onReset(reason: string, end: Cursor): void | Promise<void>;
}

export interface FollowOptions {
  /**
   * How long others are waited for after an event before they are read, in milliseconds: for followers that are in no
   * hurry and to whom each reading costs more than the events in it. Nobody waits after an event of a cell: what comes and
   * goes with it is to be known before work is placed by it.
   * @defaultValue 0
   */
  gatherMs?: number;
}

/** Wake-ups travel by publish/subscribe and may be lost; this is how long a lost one delays. */
const SAFETY_POLL_MS = 2_000;
/** Pause before a store that does not answer is asked again. */
const RETRY_MS = 200;

/** What a follower reads (`EventLog`). */
interface ReadableLog {
  now(): Promise<Cursor>;
  read(shard: number, after: number): Promise<{ events: LoggedEvent[]; isGap: boolean; isMore: boolean }>;
}

export interface FollowingOptions extends FollowOptions {
  log: ReadableLog;
  wakeUps: WakeUps;
  /** Advanced in place. */
  cursor: Cursor;
  follower: Follower;
}

/**
 * Someone who follows the log. Mostly the events come with the wake-up; where one is missing before them, or they are too
 * many for it, the shard is read.
 */
export class Following {
  /** To be read. */
  private readonly dirty = new Set<number>();
  private reading = new Set<number>();
  private readonly pushed = new PushedEvents();
  private gathering: NodeJS.Timeout | undefined;
  private wake = (): void => {};

  constructor(private readonly options: FollowingOptions) {}

  /** Until the signal aborts. Rejects with the error of a follower that has one of its own. */
  async run(signal: AbortSignal): Promise<void> {
    this.readAll();
    const stopListening = this.options.wakeUps.listen(EVENTS_CHANNEL, (message) => this.hear(message));
    signal.addEventListener('abort', () => this.wake(), { once: true });
    try {
      while (!signal.aborted) {
        // Silent for so long that a wake-up may have been lost.
        const isUnsure = this.isIdle && !(await this.wokenUp());
        if (signal.aborted) return;
        try {
          if (isUnsure) for (const shard of await this.shardsBeyond()) this.mustRead(shard);
          await this.drain();
        } catch (error) {
          if (!(error instanceof RiveraError) || error.code !== 'unavailable') throw error;
          this.readAll();
          await sleep(RETRY_MS);
        }
      }
    } finally {
      clearTimeout(this.gathering);
      stopListening();
    }
  }

  private get isIdle(): boolean {
    return this.dirty.size === 0 && this.pushed.isEmpty;
  }

  private hear(message: string | undefined): void {
    const { cursor, gatherMs = 0 } = this.options;
    if (message === undefined) {
      this.readAll();
      return this.wake();
    }
    const { shard, entry } = parseEventsMessage(message);
    const isRead = this.dirty.has(shard) || this.reading.has(shard);
    if (isRead || entry === undefined || !this.pushed.add(shard, entry, cursor.position(shard)))
      this.mustRead(shard);
    if (gatherMs === 0 || shard === CELLS_SHARD) return this.wake();
    this.gathering ??= setTimeout(() => {
      this.gathering = undefined;
      this.wake();
    }, gatherMs);
  }

  /** True when somebody woke it, false when nobody did for a while. */
  private async wokenUp(): Promise<boolean> {
    const isWoken = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), SAFETY_POLL_MS);
      this.wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
    this.wake = () => {};
    return isWoken;
  }

  private mustRead(shard: number): void {
    // Nothing of it has been taken since.
    if (this.dirty.has(shard)) return;
    this.pushed.drop(shard);
    this.dirty.add(shard);
  }

  private readAll(): void {
    for (const shard of ALL_SHARDS) this.mustRead(shard);
  }

  /** Those whose log does not end where the cursor stands: which is less work for everybody than to read them all. */
  private async shardsBeyond(): Promise<number[]> {
    const { log, cursor } = this.options;
    const end = await log.now();
    return ALL_SHARDS.filter((shard) => end.position(shard) !== cursor.position(shard));
  }

  private async drain(): Promise<void> {
    const { log, cursor, follower } = this.options;
    this.reading = new Set(this.dirty);
    this.dirty.clear();
    const results = await Promise.all(
      [...this.reading].map(async (shard) => ({ shard, ...(await log.read(shard, cursor.position(shard))) })),
    );
    if (results.some(({ isGap }) => isGap)) {
      const end = await log.now();
      await follower.onReset('The event log no longer reaches back to where this reader stood.', end.copy());
      for (const shard of ALL_SHARDS) cursor.advance(shard, end.position(shard));
      this.reading.clear();
      return this.readAll();
    }
    const events = [...results.flatMap((result) => result.events), ...this.pushed.take()];
    if (events.length > 0) await follower.onEvents(events);
    for (const { shard, sequence } of events) cursor.advance(shard, sequence);
    this.reading.clear();
    for (const { shard, isMore } of results) if (isMore) this.mustRead(shard);
  }
}
