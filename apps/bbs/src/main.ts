import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { configureHttp, createFastifyAdapter, runApp } from '#rivera/platform';
import { loadBbsConfig } from './bbs.config.js';
import { BbsModule } from './bbs.module.js';

await runApp('bbs', async (logger) => {
  const config = loadBbsConfig();
  const adapter = await createFastifyAdapter({ bodyLimitBytes: config.bbs.bodyLimitBytes });
  const app = await NestFactory.create<NestFastifyApplication>(BbsModule.forRoot(config, logger), adapter, {
    logger,
    abortOnError: false,
  });
  configureHttp(app);
  await app.listen(config.listen.port, config.listen.host);
  logger.log('bbs-listening', { ...config.listen });
  return app;
});
