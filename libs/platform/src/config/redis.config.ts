import { z } from 'zod';

const redisUrl = z
  .string()
  .refine((text) => /^rediss?:\/\//.test(text) && URL.canParse(text), 'a URL such as redis://localhost:6379');

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
