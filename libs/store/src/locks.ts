import type { RedisClient } from '#rivera/platform';
import { orUnavailable } from './redis.js';

/** A name that one owner at a time holds, for as long as it keeps saying so (Diego, locket). */
export interface Lock {
  key: string;
  owner: string;
  /** Whatever the owner wants others to read. */
  value: string;
  type: 'lock' | 'presence';
}

const INDEX = 'rivera:{locket}:keys';
const keyOf = (name: string) => `rivera:{locket}:lock:${name}`;

/** Locks of clients. They expire with Redis' own clock, also while no `bbs` runs. */
export class Locks {
  constructor(private readonly redis: RedisClient) {}

  /** Takes the lock, or renews it for its owner. False: another owner holds it. */
  async lock(lock: Lock, ttlMs: number): Promise<boolean> {
    const { key, owner } = lock;
    const taken = await orUnavailable(() =>
      this.redis.riveraLock(keyOf(key), INDEX, owner, JSON.stringify(lock), String(ttlMs), key),
    );
    return taken === 1;
  }

  /** Gives the lock up; one that nobody holds may be given up by anybody. False: another owner holds it. */
  async release(key: string, owner: string): Promise<boolean> {
    return (await orUnavailable(() => this.redis.riveraUnlock(keyOf(key), INDEX, owner, key))) === 1;
  }

  async get(key: string): Promise<Lock | undefined> {
    const json = await orUnavailable(() => this.redis.hget(keyOf(key), 'lock'));
    return json === null ? undefined : (JSON.parse(json) as Lock);
  }

  /** All locks of a type that have not expired. */
  async list(type: Lock['type']): Promise<Lock[]> {
    const keys = await orUnavailable(() => this.redis.smembers(INDEX));
    const locks = await Promise.all(keys.map((key) => this.get(key)));
    return locks.filter((lock) => lock?.type === type) as Lock[];
  }
}
