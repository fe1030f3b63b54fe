import compress from '@fastify/compress';
import etag from '@fastify/etag';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { configureHttp, createFastifyAdapter, type RiveraLogger } from '#rivera/platform';
import type { BbsConfig } from './bbs.config.js';
import { BbsModule } from './bbs.module.js';

/** Smaller answers cost more to compress than they save. */
const COMPRESS_FROM_BYTES = 4_096;

/** The whole of `bbs`, not listening yet. */
export async function createBbsApp(config: BbsConfig, logger: RiveraLogger): Promise<NestFastifyApplication> {
  const adapter = await createFastifyAdapter({ bodyLimitBytes: config.bbs.bodyLimitBytes });
  const app = await NestFactory.create<NestFastifyApplication>(BbsModule.forRoot(config, logger), adapter, {
    logger,
    abortOnError: false,
  });
  await app.register(compress, { encodings: ['gzip'], threshold: COMPRESS_FROM_BYTES });
  await app.register(etag);
  return configureHttp(app);
}
