import { eventsIn, type LoggedEvent } from './log-entry.js';

/** An entry of the log that came with its wake-up. */
export interface PushedEntry {
  /** Number of its last event. */
  last: number;
  /** How many events it has. */
  count: number;
  /** Fields and values, a line each. */
  text: string;
}

/**
 * What a commit publishes: a line with its shard and, when it wrote one entry that is not long, the number of that entry's last
 * event and how many events it has; then the entry's fields and values, a line each.
 */
export function parseEventsMessage(message: string): { shard: number; entry?: PushedEntry } {
  const end = message.indexOf('\n');
  if (end < 0) return { shard: Number(message) };
  const [shard = NaN, last = NaN, count = NaN] = message.slice(0, end).split(' ').map(Number);
  return { shard, entry: { last, count, text: message.slice(end + 1) } };
}

/** Entries that wait at most, 8 KiB each or less: a follower that is slower than that has the log, which waits in Redis. */
const MOST_WAITING = 1_000;

/** Events that a follower need not read, because they continue what it has. */
export class PushedEvents {
  private readonly waiting: (PushedEntry & { shard: number })[] = [];
  /** Shard → number of the last event that came so. */
  private readonly ends = new Map<number, number>();

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  /**
   * @param position where the follower stands in the shard, unless something waits here already
   * @returns false when something is missing before it, or too much waits already: then the shard is to be read
   */
  add(shard: number, entry: PushedEntry, position: number): boolean {
    const { last, count } = entry;
    if (last - count !== (this.ends.get(shard) ?? position) || this.waiting.length >= MOST_WAITING)
      return false;
    this.waiting.push({ shard, ...entry });
    this.ends.set(shard, last);
    return true;
  }

  /** The shard is read instead. */
  drop(shard: number): void {
    this.ends.delete(shard);
    const others = this.waiting.filter((each) => each.shard !== shard);
    this.waiting.splice(0, Infinity, ...others);
  }

  take(): LoggedEvent[] {
    return this.waiting.splice(0).flatMap(({ shard, last, text }) => eventsIn(shard, last, text.split('\n')));
  }
}
