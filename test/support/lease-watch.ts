import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisClient } from '#rivera/platform';
import { connectRedis, RedisLease } from '#rivera/store';
import type { Cluster } from './cluster.js';
import { waitFor } from './wait-for.js';

export type LeaderRole = 'auctioneer' | 'converger';

const INTERVAL_MS = 10;
const TIMEOUT_MS = 60_000;

/** Sees, past the programs, who of an auctioneer and its standby, or of two convergers, holds the lease. */
export class LeaseWatch {
  private readonly redis: RedisClient;
  private readonly lease: RedisLease;

  constructor(
    private readonly cluster: Cluster,
    private readonly role: LeaderRole,
  ) {
    this.redis = connectRedis(cluster.redis.url).on('error', () => undefined);
    this.lease = new RedisLease(this.redis, role);
  }

  /** The program that says it is active, once one does and the lease is held. One that is paused cannot take back its word. */
  async leader(paused?: string): Promise<string> {
    const look = async (): Promise<string | undefined> =>
      (await this.lease.isHeld()) ? this.active(paused) : undefined;
    const name = await waitFor(look, {
      what: `a program is the active ${this.role}`,
      until: (found) => found !== undefined,
      timeoutMs: TIMEOUT_MS,
      intervalMs: INTERVAL_MS,
    });
    return name!;
  }

  /** The token of the holder; undefined when there is none. */
  holder(): Promise<number | undefined> {
    return this.lease.holder();
  }

  /** `taken` resolves, with the time of `performance.now()`, when another than now holds the lease. */
  async next(): Promise<{ taken(): Promise<number> }> {
    const before = await this.holder();
    return {
      taken: async () => {
        const deadline = performance.now() + TIMEOUT_MS;
        for (;;) {
          const holder = await this.holder();
          if (holder !== undefined && holder !== before) return performance.now();
          if (performance.now() > deadline) throw new Error(`Nobody took the lease of the ${this.role}.`);
          await sleep(INTERVAL_MS);
        }
      },
    };
  }

  close(): void {
    this.redis.disconnect();
  }

  private active(paused?: string): string | undefined {
    const { cluster, role } = this;
    const names = cluster.programNames.filter((name) => name.startsWith(role));
    return names.find((name) => name !== paused && cluster.program(name).isRunning && this.isActive(name));
  }

  /** By the last word on it since its process began. */
  private isActive(name: string): boolean {
    const lines = this.cluster.program(name).logTail(10_000).split('\n');
    const own = lines.slice(lines.findLastIndex((line) => line.startsWith('--- ')) + 1);
    const last = own.findLast((line) => line.includes(`${this.role}-active`) || line.includes('lost-lease'));
    return last?.includes('-active') ?? false;
  }
}
