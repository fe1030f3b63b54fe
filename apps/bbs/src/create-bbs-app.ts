import compress from '@fastify/compress';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { configureHttp, createFastifyAdapter, type RiveraLogger } from '#rivera/platform';
import { admitOnlyOperators } from './admin/admit-only-operators.js';
import type { BbsConfig } from './bbs.config.js';
import { BbsModule } from './bbs.module.js';
import { addEntityTags } from './http/entity-tags.js';

/**
 * For lists. A compressor costs more than 100 µs before its first byte, which is as much as all of a claim's answer (6 kB).
 */
const COMPRESS_FROM_BYTES = 32_768;
/** The quickest: a third of the default's time, for answers larger by a fifth. */
const COMPRESSION_LEVEL = 1;

/** The whole of `bbs`, not listening yet. */
export async function createBbsApp(config: BbsConfig, logger: RiveraLogger): Promise<NestFastifyApplication> {
  const adapter = await createFastifyAdapter({ bodyLimitBytes: config.bbs.bodyLimitBytes });
  const app = await NestFactory.create<NestFastifyApplication>(BbsModule.forRoot(config, logger), adapter, {
    logger,
    abortOnError: false,
  });
  await app.register(compress, {
    encodings: ['gzip'],
    threshold: COMPRESS_FROM_BYTES,
    zlibOptions: { level: COMPRESSION_LEVEL },
  });
  if (config.bbs.isRestoring) admitOnlyOperators(app.getHttpAdapter().getInstance());
  addEntityTags(app.getHttpAdapter().getInstance());
  return configureHttp(app);
}
