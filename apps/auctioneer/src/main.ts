import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AUCTIONEER, MailboxServer, runSingletonApp } from '#rivera/actor';
import { AUCTIONEER_MESSAGES } from '#rivera/models';
import { runApp } from '#rivera/platform';
import { RedisLease, Store } from '#rivera/store';
import { loadAuctioneerConfig } from './auctioneer.config.js';
import { AuctioneerModule } from './auctioneer.module.js';
import { Auctioneer } from './auctioneer.js';

await runApp('auctioneer', async (logger) => {
  const config = loadAuctioneerConfig();
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
  return runSingletonApp({
    app,
    mailbox,
    lease: new RedisLease(app.get(Store).redis, 'auctioneer', config.auctioneer.leaseTtlMs),
    activate: (token, signal) => auctioneer.activate(token, signal),
    logger,
  });
});
