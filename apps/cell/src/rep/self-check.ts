import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerInfo, Garden } from '#rivera/garden';
import type { RiveraLogger } from '#rivera/platform';
import { messageOf } from '../executor/step.js';

/** A cell that has failed is looked at this often, to take work again soon. */
const RECOVERY_MS = 30_000;
const KIND = 'self-check';
const MEMORY_MB = 32;
const PIDS = 16;

export interface SelfCheckOptions {
  garden: Garden;
  /** Between two checks; 0 = none. */
  intervalMs: number;
  /** A check that takes longer has failed. */
  timeoutMs: number;
  logger: RiveraLogger;
  /** Whether the cell can run containers has changed. */
  onChange: () => void;
  recoveryMs?: number;
}

/** Containers of the check are nobody's work. */
export function isSelfCheck({ properties }: Pick<ContainerInfo, 'properties'>): boolean {
  return properties.kind === KIND;
}

/**
 * Makes, runs and destroys a container now and then (Diego executor, garden health check). While that fails the cell gets
 * no new work; what runs on it goes on. A check that hangs is left alone, and no other is begun beside it.
 */
export class SelfCheck {
  /** Why the last check failed; undefined while all is well. */
  problem: string | undefined;
  private readonly abort = new AbortController();
  private underway: Promise<string | undefined> | undefined;

  constructor(private readonly options: SelfCheckOptions) {}

  get isHealthy(): boolean {
    return this.problem === undefined;
  }

  start(): void {
    const { intervalMs, logger } = this.options;
    if (intervalMs === 0) return;
    if (this.rootfs === undefined) {
      logger.warn('no-self-check', {
        reason: 'there is no preloaded root filesystem to make a container of',
      });
      return;
    }
    void this.keep();
  }

  stop(): void {
    this.abort.abort();
  }

  private async keep(): Promise<void> {
    const { intervalMs, recoveryMs = RECOVERY_MS } = this.options;
    const { signal } = this.abort;
    while (!signal.aborted) {
      await this.check();
      const waitMs = this.isHealthy ? intervalMs : Math.min(intervalMs, recoveryMs);
      await sleep(waitMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  private async check(): Promise<void> {
    const { timeoutMs, logger, onChange } = this.options;
    this.underway ??= this.attempt().finally(() => (this.underway = undefined));
    const deadline = new AbortController();
    const late = sleep(timeoutMs, `it did not end within ${timeoutMs} ms`, {
      signal: deadline.signal,
      ref: false,
    });
    const problem = await Promise.race([this.underway, late.catch(() => undefined)]);
    deadline.abort();
    if (this.abort.signal.aborted) return;
    const wasHealthy = this.isHealthy;
    this.problem = problem;
    if (problem !== undefined) logger.warn('self-check-failed', { reason: problem });
    else if (!wasHealthy) logger.log('self-check-passed-again');
    if (wasHealthy !== this.isHealthy) onChange();
  }

  /** What is wrong, in words. */
  private async attempt(): Promise<string | undefined> {
    const { garden } = this.options;
    const handle = `check-${randomUUID()}`;
    try {
      for (const { handle: left } of await garden.list({ kind: KIND })) await garden.destroy(left);
      const container = await garden.create({
        handle,
        rootfs: this.rootfs ?? '',
        env: [],
        limits: { memoryMb: MEMORY_MB, diskMb: 0, pids: PIDS, cpuShares: 0 },
        privileged: false,
        ports: [],
        properties: { kind: KIND },
        main: { path: '/bin/sh', args: ['-c', 'ls > /tmp/test'], env: [], user: 'root' },
      });
      const main = await container.start({ stdout: () => undefined, stderr: () => undefined });
      const { status } = (await main?.wait()) ?? { status: 0 };
      await garden.destroy(handle);
      return status === 0 ? undefined : `its program exited with status ${status}`;
    } catch (error) {
      // The next check removes what this one has left.
      return messageOf(error);
    }
  }

  private get rootfs(): string | undefined {
    const { scheme, stacks } =
      this.options.garden.rootfsProviders().find((each) => each.stacks?.length) ?? {};
    return stacks === undefined ? undefined : `${scheme}:${stacks[0]}`;
  }
}
