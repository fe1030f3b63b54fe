import { NestFactory } from '@nestjs/core';
import { AUCTIONEER, MailboxServer } from '#rivera/actor';
import { AUCTIONEER_MESSAGES } from '#rivera/models';
import { Metrics, RiveraLogger } from '#rivera/platform';
import { EventLog, RedisLease, Store } from '#rivera/store';
import { loadAuctioneerConfig } from '../../apps/auctioneer/src/auctioneer.config.js';
import { AuctioneerModule } from '../../apps/auctioneer/src/auctioneer.module.js';
import { Auctioneer } from '../../apps/auctioneer/src/auctioneer.js';
import { Rebalancer } from '../../apps/auctioneer/src/rebalance/rebalancer.js';

const LEASE_TTL_MS = 3_600_000;

export interface AuctioneerApp {
  /** What it has logged, line by line. */
  readonly log: string[];
  /** Tells it that the event log has a gap. */
  breakLog(): Promise<void>;
  /** The value of one of its metrics, without the prefix. */
  metric(name: string): Promise<number>;
  stop(): Promise<void>;
}

export interface AuctioneerAppOptions {
  /** The token of the lease that it is said to hold. */
  token?: number;
  /** Beside what the harness sets, e.g. `{ PLACEMENT_DEADLINE_MS: '1000' }`. */
  env?: Record<string, string>;
}

/** The program `auctioneer` in this process: active at once, with a lease that lasts, and with its mailbox. */
export async function startAuctioneerApp(
  redisUrl: string,
  { token = 1, env = {} }: AuctioneerAppOptions = {},
): Promise<AuctioneerApp> {
  const log: string[] = [];
  const logger = RiveraLogger.create({ app: 'auctioneer', destination: { write: (line) => log.push(line) } });
  const mailbox = new MailboxServer({
    address: AUCTIONEER,
    connection: redisUrl,
    messages: AUCTIONEER_MESSAGES,
    logger,
  });
  const config = loadAuctioneerConfig({ REDIS_URL: redisUrl, ...env });
  const app = await NestFactory.createMicroservice(AuctioneerModule.forRoot(config, logger), {
    strategy: mailbox,
    logger,
    abortOnError: false,
  });
  // Whoever asks whether an auctioneer is active finds one.
  const held = new RedisLease(app.get(Store).redis, 'auctioneer', LEASE_TTL_MS);
  const grant = await held.acquire();
  const lease = new AbortController();
  const follow = vi.spyOn(app.get(EventLog), 'follow');
  await app.get(Auctioneer).activate(token, lease.signal);
  app.get(Rebalancer).activate(token, lease.signal);
  await app.listen();
  return {
    log,
    breakLog: async () => {
      const [cursor, follower] = follow.mock.calls[0] ?? [];
      if (cursor !== undefined) await follower?.onReset('The test says so.', cursor);
    },
    metric: async (name) => {
      const found = app.get(Metrics).registry.getSingleMetric(`rivera_${name}`);
      const [first] = (await found?.get())?.values ?? [];
      return first?.value ?? Number.NaN;
    },
    stop: async () => {
      lease.abort();
      if (grant !== undefined) await held.release(grant.token);
      await app.close();
    },
  };
}
