import { NestFactory } from '@nestjs/core';
import { AUCTIONEER, MailboxServer } from '#rivera/actor';
import { AUCTIONEER_MESSAGES } from '#rivera/models';
import { RiveraLogger } from '#rivera/platform';
import { loadAuctioneerConfig } from '../../apps/auctioneer/src/auctioneer.config.js';
import { AuctioneerModule } from '../../apps/auctioneer/src/auctioneer.module.js';
import { Auctioneer } from '../../apps/auctioneer/src/auctioneer.js';
import { Rebalancer } from '../../apps/auctioneer/src/rebalance/rebalancer.js';

export interface AuctioneerApp {
  /** What it has logged, line by line. */
  readonly log: string[];
  stop(): Promise<void>;
}

/** The program `auctioneer` in this process: active at once, without a lease, and with its mailbox. */
export async function startAuctioneerApp(
  redisUrl: string,
  env: Record<string, string> = {},
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
  const lease = new AbortController();
  await app.get(Auctioneer).activate(1, lease.signal);
  app.get(Rebalancer).activate(1, lease.signal);
  await app.listen();
  return {
    log,
    stop: async () => {
      lease.abort();
      await app.close();
    },
  };
}
