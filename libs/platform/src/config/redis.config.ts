import { z } from 'zod';
import { RiveraError } from '#rivera/models';
import { parseRedisUrl } from '../redis/redis-url.js';

/** Reads a URL of one server, a Redis Cluster, or sentinels (`parseRedisUrl`), and leaves it as it is. */
export const redisUrl = z.string().superRefine((text, context) => {
  try {
    parseRedisUrl(text);
  } catch (error) {
    if (!(error instanceof RiveraError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
});

/** Where state is kept and where messages travel. */
export interface RedisConfig {
  storeUrl: string;
  busUrl: string;
}

/** `STORE_REDIS_URL` and `BUS_REDIS_URL`; each defaults to `REDIS_URL`, and without any of them the app does not start. */
export const redisConfig = z
  .object({
    REDIS_URL: redisUrl.optional(),
    STORE_REDIS_URL: redisUrl.optional(),
    BUS_REDIS_URL: redisUrl.optional(),
  })
  .transform((env, context): RedisConfig => {
    const storeUrl = env.STORE_REDIS_URL ?? env.REDIS_URL;
    const busUrl = env.BUS_REDIS_URL ?? env.REDIS_URL;
    if (storeUrl !== undefined && busUrl !== undefined) return { storeUrl, busUrl };
    context.addIssue({
      code: 'custom',
      path: ['REDIS_URL'],
      message: 'a URL such as redis://localhost:6379 (or both STORE_REDIS_URL and BUS_REDIS_URL)',
    });
    return z.NEVER;
  });
