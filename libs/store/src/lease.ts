import type { RedisClient } from '#rivera/platform';
import { orUnavailable } from './redis.js';

/**
 * A lease that one process at a time holds, with a fencing token that grows with each holder (Diego, locket lock). It
 * lives in the store's Redis, beside the shards that compare the token.
 */
export class RedisLease {
  readonly ttlMs: number;
  private readonly key: string;

  constructor(
    private readonly redis: RedisClient,
    readonly name: string,
    ttlMs = 6_000,
  ) {
    this.ttlMs = ttlMs;
    this.key = `rivera:{lease-${name}}`;
  }

  /** The token, or undefined while someone else holds the lease. */
  async acquire(): Promise<{ token: number } | undefined> {
    const token = await orUnavailable(() =>
      this.redis.riveraAcquireLease(`${this.key}:holder`, `${this.key}:tokens`, String(this.ttlMs)),
    );
    return token === null ? undefined : { token };
  }

  /** Does anyone hold it now? */
  async isHeld(): Promise<boolean> {
    return (await orUnavailable(() => this.redis.exists(`${this.key}:holder`))) === 1;
  }

  /** False: the lease was lost. */
  async renew(token: number): Promise<boolean> {
    const renewed = await orUnavailable(() =>
      this.redis.riveraRenewLease(`${this.key}:holder`, String(token), String(this.ttlMs)),
    );
    return renewed === 1;
  }

  /** The token of whoever holds the lease; undefined when nobody does. */
  async holder(): Promise<number | undefined> {
    const token = await orUnavailable(() => this.redis.get(`${this.key}:holder`));
    return token === null ? undefined : Number(token);
  }

  /** Lets the next one in at once. */
  async release(token: number): Promise<void> {
    await orUnavailable(() => this.redis.riveraRenewLease(`${this.key}:holder`, String(token), '0'));
  }
}
