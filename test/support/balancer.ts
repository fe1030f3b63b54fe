import { setTimeout as sleep } from 'node:timers/promises';

const INTERVAL_MS = 500;
const TIMEOUT_MS = 1_000;

/** Knows which of several equal programs answer, as a load balancer does, and deals connections to those. */
export class Balancer {
  private readonly healthy = new Set<number>();
  private readonly end = new AbortController();
  private turn = 0;

  constructor(private readonly ports: readonly number[]) {
    for (const port of ports) void this.watch(port);
  }

  /** The port whose turn it is. When nobody answers it may be any. */
  next(): number {
    const candidates = this.healthy.size > 0 ? [...this.healthy] : this.ports;
    this.turn += 1;
    return candidates[this.turn % candidates.length]!;
  }

  stop(): void {
    this.end.abort();
  }

  private async watch(port: number): Promise<void> {
    const { signal } = this.end;
    while (!signal.aborted) {
      const isHealthy = await fetch(`http://127.0.0.1:${port}/readyz`, {
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      }).then(
        ({ ok }) => ok,
        () => false,
      );
      if (isHealthy) this.healthy.add(port);
      else this.healthy.delete(port);
      await sleep(INTERVAL_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
