import { setTimeout as sleep } from 'node:timers/promises';
import type { RunRecord, Transition } from '#rivera/lifecycle';
import { RiveraError, type RiveraEvent } from '#rivera/models';
import type { RedisClient } from '#rivera/platform';
import { Cursor } from './cursor.js';
import { orUnavailable } from './redis.js';
import { ALL_SHARDS, CELLS_SHARD, shardKey } from './shards.js';
import { EVENTS_CHANNEL, type WakeUps } from './wake-ups.js';

/** One event of the log: within a shard, and so within a process guid, in the order of the commits. */
export interface LoggedEvent {
  shard: number;
  /** Consecutive within its shard, from 1. */
  sequence: number;
  event: RiveraEvent;
  /** The run half that the change or the removal of a desired LRP did away with; it is nowhere else any more. */
  replacedRun?: RunRecord;
}

/** An event as it is in the log. */
type EventInLog = RiveraEvent & Pick<LoggedEvent, 'replacedRun'>;

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

/** Entries of the log, each with the events of one commit or some of them. */
const READ_LIMIT = 500;
/** Wake-ups travel by publish/subscribe and may be lost; this is how long a lost one delays. */
const SAFETY_POLL_MS = 2_000;
/** Pause before a store that does not answer is asked again. */
const RETRY_MS = 200;

/**
 * Reads the events that commits wrote. One follower per process serves all its clients.
 */
export class EventLog {
  constructor(
    private readonly redis: RedisClient,
    private readonly wakeUps: WakeUps,
  ) {}

  /** The end of the log. */
  async now(): Promise<Cursor> {
    const sequences = await orUnavailable(() =>
      Promise.all(ALL_SHARDS.map((shard) => this.redis.hget(shardKey(shard, 'meta'), 'seq'))),
    );
    return Cursor.from(sequences.map(Number));
  }

  /**
   * Events of one shard after `after` up to `upTo`. `isGap`: events in between have been trimmed away, or the log is
   * shorter than the reader remembers. `isMore`: there may be more; this is what one read can hold.
   */
  async read(
    shard: number,
    after: number,
    upTo = Infinity,
  ): Promise<{ events: LoggedEvent[]; isGap: boolean; isMore: boolean }> {
    if (upTo <= after) return { events: [], isGap: false, isMore: false };
    // An entry holds one event at least.
    const limit = Math.min(READ_LIMIT, upTo - after);
    // The end is read first: an event that comes between the two reads must not look like a gap.
    const [end, entries] = await orUnavailable(() =>
      Promise.all([
        this.redis.hget(shardKey(shard, 'meta'), 'seq'),
        this.redis.xrange(shardKey(shard, 'events'), `${after + 1}-0`, '+', 'COUNT', limit),
      ]),
    );
    const logged = entries.flatMap((entry) => eventsIn(shard, entry));
    const first = logged[0]?.sequence;
    const isGap = first === undefined ? Number(end) !== after : first > after + 1;
    const events = logged.filter(({ sequence }) => sequence > after && sequence <= upTo);
    return { events, isGap, isMore: entries.length === limit };
  }

  /** Drops the events of a shard that are older than `before`, in milliseconds since the Unix epoch. */
  async trim(shard: number, before: number): Promise<void> {
    const key = shardKey(shard, 'events');
    let isMore = true;
    // Mostly the oldest one is young enough, and then nothing else has to be read.
    let limit = 1;
    while (isMore) {
      const count = limit;
      limit = READ_LIMIT;
      const oldest = await orUnavailable(() => this.redis.xrange(key, '-', '+', 'COUNT', count));
      const expired = oldest.filter(([, fields]) => Number(fields[fields.indexOf('at') + 1]) < before);
      const [last] = expired.at(-1) ?? [];
      if (last === undefined) return;
      await orUnavailable(() => this.redis.xtrim(key, 'MINID', `${Number(last.split('-')[0]) + 1}-0`));
      isMore = expired.length === count;
    }
  }

  /** Follows the log from `cursor`, which is advanced in place, until the signal aborts. Survives a lost Redis. */
  async follow(
    cursor: Cursor,
    follower: Follower,
    signal: AbortSignal,
    { gatherMs = 0 }: FollowOptions = {},
  ): Promise<void> {
    const dirty = new Set<number>(ALL_SHARDS);
    let wake = () => {};
    let gathering: NodeJS.Timeout | undefined;
    /** It has been silent for so long that a wake-up may have been lost. */
    let isUnsure = false;
    const stopListening = this.wakeUps.listen(EVENTS_CHANNEL, (shard) => {
      if (shard !== undefined) dirty.add(Number(shard));
      else for (const each of ALL_SHARDS) dirty.add(each);
      if (gatherMs === 0 || shard === undefined || Number(shard) === CELLS_SHARD) return wake();
      gathering ??= setTimeout(() => {
        gathering = undefined;
        wake();
      }, gatherMs);
    });
    signal.addEventListener('abort', () => wake(), { once: true });

    try {
      while (!signal.aborted) {
        if (dirty.size === 0) {
          const isWoken = await new Promise<boolean>((resolve) => {
            const timer = setTimeout(() => resolve(false), SAFETY_POLL_MS);
            wake = () => {
              clearTimeout(timer);
              resolve(true);
            };
          });
          wake = () => {};
          if (signal.aborted) return;
          isUnsure = !isWoken;
        }
        try {
          if (isUnsure) for (const shard of await this.shardsBeyond(cursor)) dirty.add(shard);
          isUnsure = false;
          await this.drain(cursor, dirty, follower);
        } catch (error) {
          if (!(error instanceof RiveraError) || error.code !== 'unavailable') throw error;
          for (const shard of ALL_SHARDS) dirty.add(shard);
          await sleep(RETRY_MS);
        }
      }
    } finally {
      clearTimeout(gathering);
      stopListening();
    }
  }

  /** Those whose log does not end where the cursor stands: which is less work for everybody than to read them all. */
  private async shardsBeyond(cursor: Cursor): Promise<number[]> {
    const end = await this.now();
    return ALL_SHARDS.filter((shard) => end.position(shard) !== cursor.position(shard));
  }

  private async drain(cursor: Cursor, dirty: Set<number>, follower: Follower): Promise<void> {
    const shards = [...dirty];
    dirty.clear();
    const results = await Promise.all(
      shards.map(async (shard) => ({ shard, ...(await this.read(shard, cursor.position(shard))) })),
    );
    if (results.some(({ isGap }) => isGap)) {
      const end = await this.now();
      await follower.onReset('The event log no longer reaches back to where this reader stood.', end.copy());
      for (const shard of ALL_SHARDS) {
        cursor.advance(shard, end.position(shard));
        dirty.add(shard);
      }
      return;
    }
    const events = results.flatMap((result) => result.events);
    if (events.length > 0) await follower.onEvents(events);
    for (const { shard, sequence } of events) cursor.advance(shard, sequence);
    for (const { shard, isMore } of results) if (isMore) dirty.add(shard);
  }
}

/** An event as the log keeps it. */
export function loggedForm(event: RiveraEvent, transition: Transition): EventInLog {
  if (event.type !== 'desired_lrp_changed' && event.type !== 'desired_lrp_removed') return event;
  const { processGuid } = event.before;
  const replacedRun = transition.find(
    (change) => change.kind === 'run' && change.before?.processGuid === processGuid,
  )?.before as RunRecord | undefined;
  return replacedRun === undefined ? event : { ...event, replacedRun };
}

/** An entry has the number of its last event. */
function eventsIn(shard: number, [id, fields]: [id: string, fields: string[]]): LoggedEvent[] {
  const values = new Map<string, string>();
  for (let i = 0; i + 1 < fields.length; i += 2) values.set(fields[i]!, fields[i + 1]!);
  const traceId = values.get('trace');
  const events = JSON.parse(values.get('events') ?? '[]') as EventInLog[];
  const last = Number(id.slice(0, id.indexOf('-')));
  return events.map((logged, i) => {
    const { replacedRun } = logged;
    // What is told of an event must not hold the run half, which may have secrets in it.
    if (replacedRun !== undefined) delete logged.replacedRun;
    if (traceId !== undefined) logged.traceId = traceId;
    const event: RiveraEvent = logged;
    return { shard, sequence: last - events.length + 1 + i, event, ...(replacedRun && { replacedRun }) };
  });
}
