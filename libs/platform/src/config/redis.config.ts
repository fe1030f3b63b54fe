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

/** What has to be before a write to the store is acknowledged. */
export interface ReplicationConfig {
  /** As many replicas have it. 0: the master is enough. */
  replicas: number;
  /** What takes longer is not acknowledged. */
  timeoutMs: number;
}

/** Where state is kept and where messages travel. */
export interface RedisConfig {
  storeUrl: string;
  busUrl: string;
  replication: ReplicationConfig;
}

/**
 * `STORE_REDIS_URL` and `BUS_REDIS_URL`; each defaults to `REDIS_URL`, and without any of them the app does not start.
 * `STORE_WAIT_REPLICAS` and `STORE_WAIT_MS`: see `ReplicationConfig`.
 */
export const redisConfig = z
  .object({
    REDIS_URL: redisUrl.optional(),
    STORE_REDIS_URL: redisUrl.optional(),
    BUS_REDIS_URL: redisUrl.optional(),
    STORE_WAIT_REPLICAS: z.coerce.number().int().min(0).max(10).default(0),
    STORE_WAIT_MS: z.coerce.number().int().min(1).max(4_000).default(1_000),
  })
  .transform((env, context): RedisConfig => {
    const storeUrl = env.STORE_REDIS_URL ?? env.REDIS_URL;
    const busUrl = env.BUS_REDIS_URL ?? env.REDIS_URL;
    const replication = { replicas: env.STORE_WAIT_REPLICAS, timeoutMs: env.STORE_WAIT_MS };
    if (storeUrl !== undefined && busUrl !== undefined) return { storeUrl, busUrl, replication };
    context.addIssue({
      code: 'custom',
      path: ['REDIS_URL'],
      message: 'a URL such as redis://localhost:6379 (or both STORE_REDIS_URL and BUS_REDIS_URL)',
    });
    return z.NEVER;
  });
