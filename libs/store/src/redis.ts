import type { RedisOptions, Result } from 'ioredis';
import { RiveraError } from '#rivera/models';
import { openRedis, type RedisClient } from '#rivera/platform';
import { ACQUIRE_LEASE_SCRIPT, COMMIT_SCRIPT, RENEW_LEASE_SCRIPT } from './commit-script.js';
import { ANNOUNCE_SCRIPT, RAISE_SCRIPT } from './schema-scripts.js';
import { LOCK_SCRIPT, UNLOCK_SCRIPT } from './lock-scripts.js';

declare module 'ioredis' {
  interface RedisCommander<Context> {
    riveraCommit(
      keyCount: number,
      keys: string[],
      args: string[],
    ): Result<[number, number | string, string?], Context>;
    riveraAcquireLease(lease: string, counter: string, ttlMs: string): Result<number | null, Context>;
    riveraRenewLease(lease: string, token: string, ttlMs: string): Result<number, Context>;
    riveraAnnounce(
      layout: string,
      programs: string,
      migration: string,
      shards: string,
      version: string,
      program: string,
      ttlMs: string,
    ): Result<[string, string, string?, string?], Context>;
    riveraRaise(
      layout: string,
      programs: string,
      migration: string,
      shards: string,
      version: string,
      generation: string,
    ): Result<number, Context>;
    riveraLock(
      lock: string,
      index: string,
      owner: string,
      json: string,
      ttlMs: string,
      name: string,
    ): Result<number, Context>;
    riveraUnlock(lock: string, index: string, owner: string, name: string): Result<number, Context>;
  }
}

/** How long a call to Redis may take before its caller is told that the store does not answer. */
const COMMAND_TIMEOUT_MS = 5_000;

/**
 * What does not travel in a pipeline on a Redis Cluster. There a pipeline in which something has been written cannot be
 * sent on to another node; and which node a script belongs to is not seen from its first argument, the number of keys.
 */
const SCRIPTS = [
  'riveraCommit',
  'riveraAcquireLease',
  'riveraRenewLease',
  'riveraAnnounce',
  'riveraRaise',
  'riveraLock',
  'riveraUnlock',
];
const UNPIPELINED = [...SCRIPTS, 'setnx', 'xtrim'];

/**
 * A connection that fails rather than waits: a command that was on its way when the connection broke is not sent again,
 * because nobody knows whether it was applied. Callers read again and decide again. What a node of a Redis Cluster refused
 * to do (MOVED, ASK, TRYAGAIN, CLUSTERDOWN) was not applied and is sent to the right one.
 *
 * @param url one server, sentinels or a Redis Cluster, see `parseRedisUrl`
 */
export function connectRedis(url: string, options: RedisOptions = {}): RedisClient {
  const redis = openRedis(url, {
    enableAutoPipelining: true,
    autoResendUnfulfilledCommands: false,
    // `WakeUps` does. ioredis forgets to look at what comes of it: one broken connection would end the process.
    autoResubscribe: false,
    maxRetriesPerRequest: 1,
    commandTimeout: COMMAND_TIMEOUT_MS,
    retryStrategy: (attempt) => Math.min(50 * attempt, 1_000),
    clusterUnpipelined: UNPIPELINED,
    ...options,
  });
  redis.defineCommand('riveraCommit', { lua: COMMIT_SCRIPT });
  redis.defineCommand('riveraAcquireLease', { lua: ACQUIRE_LEASE_SCRIPT, numberOfKeys: 2 });
  redis.defineCommand('riveraRenewLease', { lua: RENEW_LEASE_SCRIPT, numberOfKeys: 1 });
  redis.defineCommand('riveraAnnounce', { lua: ANNOUNCE_SCRIPT, numberOfKeys: 3 });
  redis.defineCommand('riveraRaise', { lua: RAISE_SCRIPT, numberOfKeys: 3 });
  redis.defineCommand('riveraLock', { lua: LOCK_SCRIPT, numberOfKeys: 2 });
  redis.defineCommand('riveraUnlock', { lua: UNLOCK_SCRIPT, numberOfKeys: 2 });
  return redis;
}

/** Runs a call to Redis; whatever goes wrong there becomes `unavailable`, because trying again may help. */
export async function orUnavailable<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof RiveraError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new RiveraError('unavailable', `The store does not answer (${reason}). Try again in a moment.`);
  }
}
