import type { RedisClient } from '#rivera/platform';
import { Cursor } from './cursor.js';
import { type Follower, Following, type FollowOptions } from './following.js';
import { eventsIn, type LoggedEvent } from './log-entry.js';
import { orUnavailable } from './redis.js';
import { ALL_SHARDS, shardKey } from './shards.js';
import type { WakeUps } from './wake-ups.js';

/** Entries of the log, each with the events of one commit or some of them. */
const READ_LIMIT = 500;

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
    const range = () => this.redis.xrange(shardKey(shard, 'events'), `${after + 1}-0`, '+', 'COUNT', limit);
    const { end, entries } = await orUnavailable(async () => {
      const found = await range();
      if (found.length > 0) return { end: undefined, entries: found };
      // The end is read first: an event that comes between the two reads must not look like a gap.
      const [end, entries] = await Promise.all([this.redis.hget(shardKey(shard, 'meta'), 'seq'), range()]);
      return { end, entries };
    });
    const logged = entries.flatMap(([id, fields]) => eventsIn(shard, Number(id.split('-')[0]), fields));
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
  follow(
    cursor: Cursor,
    follower: Follower,
    signal: AbortSignal,
    options: FollowOptions = {},
  ): Promise<void> {
    return new Following({ log: this, wakeUps: this.wakeUps, cursor, follower, ...options }).run(signal);
  }
}
