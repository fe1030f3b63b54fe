import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { CONVERGER, MailboxServer, runSingletonApp } from '#rivera/actor';
import { CONVERGER_MESSAGES } from '#rivera/models';
import { runApp } from '#rivera/platform';
import { RedisLease, Store } from '#rivera/store';
import { loadConvergerConfig } from './converger.config.js';
import { ConvergerModule } from './converger.module.js';
import { Converger } from './converger.js';

await runApp('converger', async (logger) => {
  const config = loadConvergerConfig();
  const mailbox = new MailboxServer({
    address: CONVERGER,
    connection: config.redis.busUrl,
    messages: CONVERGER_MESSAGES,
    startPaused: true,
    logger,
  });
  const app = await NestFactory.createMicroservice(ConvergerModule.forRoot(config, logger), {
    strategy: mailbox,
    logger,
    abortOnError: false,
  });
  const converger = app.get(Converger);
  return runSingletonApp({
    app,
    mailbox,
    lease: new RedisLease(app.get(Store).redis, 'converger', config.converger.leaseTtlMs),
    activate: (token, signal) => converger.activate(token, signal),
    logger,
  });
});
