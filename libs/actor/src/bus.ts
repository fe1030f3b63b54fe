import { once } from 'node:events';
import type { LoggerService } from '@nestjs/common';
import { Queue } from 'bullmq';
import type { Cluster, Redis, RedisOptions } from 'ioredis';
import { RiveraError } from '#rivera/models';
import { openRedis } from '#rivera/platform';
import type { RedisClient } from '#rivera/platform';
import { mailboxQueue } from './address.js';
import type { Address } from './address.js';
import type { Envelope } from './envelope.js';

/** How to reach the bus: the URL of one server, of sentinels or of a Redis Cluster (`parseRedisUrl`). */
export type BusConnection = string;

export type MailboxQueue = Queue<Envelope, unknown>;

const retryStrategy = (attempt: number): number => Math.min(attempt * 50, 500);

/** A consumer outlives outages: its commands wait until Redis is back (BullMQ demands it of workers). */
export const CONSUMER_OPTIONS: RedisOptions = { maxRetriesPerRequest: null, retryStrategy };

/**
 * A producer fails at once: its callers are level-triggered and would rather know. Messages told in one turn of the event
 * loop go to Redis together, because one auction tells a thousand cells.
 */
const PRODUCER_OPTIONS: RedisOptions = {
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  enableAutoPipelining: true,
  retryStrategy,
};

/** Events kept for waiting askers only; they are no event log. */
const MAX_LEN_EVENTS = 1_000;

/** Messages that failed for good and are kept for an operator, per mailbox; the oldest go first. */
const DEAD_LETTERS_KEPT = 10_000;

/**
 * A client and the copies BullMQ makes of it to block on. They are closed here, because BullMQ forgets a copy that is
 * between two attempts to connect, and such a copy would come back with Redis. Logs when an outage begins and ends.
 */
export class BusLink {
  readonly client: RedisClient;
  private readonly copies: { disconnect(): void }[] = [];
  private isDown = false;

  constructor(options: { connection: BusConnection; redis: RedisOptions; logger: LoggerService }) {
    const { connection, redis, logger } = options;
    // A Redis Cluster sends on what is under way when a node fails: messages may be delivered twice anyway.
    const client = openRedis(connection, { ...redis, clusterUnpipelined: 'all', clusterResends: true });
    client.on('error', (error: Error) => {
      if (!this.isDown)
        logger.warn(`The message bus is unreachable (${error.message}); trying until it is back.`);
      this.isDown = true;
    });
    client.on('ready', () => {
      if (this.isDown) logger.log('The message bus is reachable again.');
      this.isDown = false;
    });
    this.client = client;
    this.recordCopies();
  }

  close(): void {
    for (const client of [this.client, ...this.copies]) client.disconnect();
  }

  private recordCopies(): void {
    const { client, copies } = this;
    const duplicate = client.duplicate.bind(client) as (...args: unknown[]) => RedisClient;
    client.duplicate = (...args: unknown[]) => {
      const copy = duplicate(...args);
      // The original logs outages. BullMQ listens too, but not any more once it has closed.
      copy.on('error', () => undefined);
      copies.push(copy);
      return copy as Redis & Cluster;
    };
  }
}

/** Waits for `work`, but no longer than `ms`; returns whether it ended in time. Errors of `work` are thrown. */
export async function atMost(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), ms)));
  try {
    return await Promise.race([work.then(() => true), expired]);
  } finally {
    clearTimeout(timer);
  }
}

export interface BusOptions {
  connection: BusConnection;
  logger: LoggerService;
  /** The longest a single operation may take. */
  timeoutMs: number;
  /** Attempts of a message before it is a dead letter. */
  attempts: number;
  /** Delay before the second attempt; doubles with each further one. */
  backoffMs: number;
}

/** The producing side of the bus: one Redis connection, shared by the queues of all mailboxes. */
export class Bus {
  private readonly link: BusLink;
  private becomingReady?: Promise<unknown>;

  constructor(private readonly options: BusOptions) {
    this.link = new BusLink({ ...options, redis: PRODUCER_OPTIONS });
  }

  /** A queue object on the shared connection; closing it leaves the connection open. */
  queue(address: Address): MailboxQueue {
    const { name, prefix } = mailboxQueue(address);
    const queue: MailboxQueue = new Queue(name, {
      prefix,
      connection: this.link.client,
      // The version check would need an answer while a queue is made, and one lost answer would break it for good.
      skipVersionCheck: true,
      streams: { events: { maxLen: MAX_LEN_EVENTS } },
      defaultJobOptions: {
        attempts: this.options.attempts,
        backoff: { type: 'exponential', delay: this.options.backoffMs },
        removeOnComplete: true,
        removeOnFail: { count: DEAD_LETTERS_KEPT },
      },
    });
    // The shared client logs outages once; thousands of queues repeating it would bury the log.
    queue.on('error', () => undefined);
    return queue;
  }

  /** For a blocking reader; not connected itself, because BullMQ reads on a copy. */
  consumerLink(): BusLink {
    return new BusLink({ ...this.options, redis: { ...CONSUMER_OPTIONS, lazyConnect: true } });
  }

  /**
   * Runs one operation on Redis. Errors: `unavailable` when Redis does not answer in time or refuses the connection
   * (the operation may have happened all the same), `forbidden` when its ACL says no.
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    let result: { value: T } | undefined;
    try {
      await atMost(
        this.options.timeoutMs,
        this.ready().then(async () => (result = { value: await work() })),
      );
    } catch (error) {
      throw busError(error);
    }
    if (!result) throw unavailable(`it did not answer within ${this.options.timeoutMs} ms`);
    return result.value;
  }

  close(): void {
    this.link.close();
  }

  /** Rejects with the first connection error, so that an outage is known as soon as it is noticed. */
  private async ready(): Promise<void> {
    const { client } = this.link;
    if (client.status === 'ready') return;
    this.becomingReady ??= once(client, 'ready').finally(() => (this.becomingReady = undefined));
    await this.becomingReady;
  }
}

function unavailable(reason: string, cause?: unknown): RiveraError {
  const error = new RiveraError('unavailable', `The message bus is unavailable: ${reason}. Try again.`);
  error.cause = cause;
  return error;
}

function busError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof RiveraError || error instanceof TypeError) return error;
  if (error.message.includes('NOPERM')) {
    return new RiveraError(
      'forbidden',
      `The Redis ACL of this user does not cover the mailbox: ${error.message}`,
    );
  }
  return unavailable(error.message, error);
}
