import { setTimeout as sleep } from 'node:timers/promises';
import type { BeforeApplicationShutdown, OnModuleDestroy } from '@nestjs/common';

/**
 * The time between the wish to stop and the end of an HTTP server. It is not ready any more but serves whatever comes, and
 * closes each connection with the next answer on it: clients and load balancers go elsewhere before it takes none.
 */
export class Farewell implements OnModuleDestroy, BeforeApplicationShutdown {
  private hasBegun = false;

  /** @param graceMs longer than it takes a load balancer to notice that it is not ready */
  constructor(private readonly graceMs: number) {}

  get isSaid(): boolean {
    return this.hasBegun;
  }

  onModuleDestroy(): void {
    this.hasBegun = true;
  }

  async beforeApplicationShutdown(): Promise<void> {
    await sleep(this.graceMs);
  }
}
