import { NestFactory } from '@nestjs/core';
import { AUCTIONEER, MailboxServer, runSingletonApp } from '#rivera/actor';
import { AUCTIONEER_MESSAGES } from '#rivera/models';
import type { RiveraLogger } from '#rivera/platform';
import { RedisLease, Store } from '#rivera/store';
import type { AuctioneerConfig } from './auctioneer.config.js';
import { AuctioneerModule } from './auctioneer.module.js';
import { Auctioneer } from './auctioneer.js';
import { Rebalancer } from './rebalance/rebalancer.js';

/** A candidate: it places work and answers questions while it holds the lease, and stays warm otherwise. */
export async function startAuctioneer(
  config: AuctioneerConfig,
  logger: RiveraLogger,
): Promise<{ close(): Promise<void> }> {
  const mailbox = new MailboxServer({
    address: AUCTIONEER,
    connection: config.redis.busUrl,
    messages: AUCTIONEER_MESSAGES,
    startPaused: true,
    logger,
  });
  const app = await NestFactory.createMicroservice(AuctioneerModule.forRoot(config, logger), {
    strategy: mailbox,
    logger,
    abortOnError: false,
  });
  const auctioneer = app.get(Auctioneer);
  const rebalancer = app.get(Rebalancer);
  return runSingletonApp({
    app,
    mailbox,
    lease: new RedisLease(app.get(Store).redis, 'auctioneer', config.auctioneer.leaseTtlMs),
    activate: async (token, signal) => {
      await auctioneer.activate(token, signal);
      rebalancer.activate(token, signal);
    },
    logger,
  });
}
