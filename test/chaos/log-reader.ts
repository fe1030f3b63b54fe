import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisClient } from '#rivera/platform';
import { ALL_SHARDS, connectRedis, shardKey } from '#rivera/store';
import { eventsOfEntry } from '../support/store-content.js';
import type { History } from './checker/history.js';

const INTERVAL_MS = 250;
const ENTRIES_AT_A_TIME = 500;

/**
 * Tells a history everything that commits wrote, from the first event on, by a connection of its own that no fault hits
 * but those of Redis itself.
 */
export class LogReader {
  readonly redis: RedisClient;
  private readonly sequences = ALL_SHARDS.map(() => 0);
  private readonly end = new AbortController();
  private reading: Promise<void> = Promise.resolve();
  private following: Promise<void> = Promise.resolve();

  constructor(
    redisUrl: string,
    private readonly history: History,
  ) {
    this.redis = connectRedis(redisUrl).on('error', () => undefined);
  }

  start(): void {
    this.following = this.follow();
  }

  async stop(): Promise<void> {
    this.end.abort();
    await this.following;
    this.redis.disconnect();
  }

  /** Number of the last event of a shard that the history was told. */
  sequenceOf(shard: number): number {
    return this.sequences[shard]!;
  }

  /** Reads what has come. Rejects while Redis does not answer. */
  catchUp(): Promise<void> {
    // One after the other: each goes on where the one before ended.
    this.reading = this.reading.catch(() => undefined).then(() => this.readAll());
    return this.reading;
  }

  private async follow(): Promise<void> {
    const { signal } = this.end;
    while (!signal.aborted) {
      await this.catchUp().catch(() => undefined);
      await sleep(INTERVAL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  private async readAll(): Promise<void> {
    const ends = await Promise.all(
      ALL_SHARDS.map((shard) => this.redis.hget(shardKey(shard, 'meta'), 'seq')),
    );
    await Promise.all(
      ALL_SHARDS.map(async (shard) => {
        while (Number(ends[shard]) > this.sequenceOf(shard)) await this.readShard(shard);
      }),
    );
  }

  private async readShard(shard: number): Promise<void> {
    const after = this.sequenceOf(shard);
    const entries = await this.redis.xrange(
      shardKey(shard, 'events'),
      `${after + 1}-0`,
      '+',
      'COUNT',
      ENTRIES_AT_A_TIME,
    );
    if (entries.length === 0) {
      this.history.violations.push(`shard ${shard} counts more events than the ${after} its log holds`);
      this.sequences[shard] = Number(await this.redis.hget(shardKey(shard, 'meta'), 'seq'));
    }
    for (const entry of entries) {
      const { atMs, events } = eventsOfEntry(entry);
      const first = events[0]?.sequence;
      if (first !== this.sequenceOf(shard) + 1) {
        this.history.violations.push(
          `shard ${shard} goes on with event ${first} after ${this.sequenceOf(shard)}`,
        );
      }
      this.sequences[shard] = events.at(-1)!.sequence;
      this.history.take({ atMs, events: events.map(({ event }) => event) });
    }
  }
}
