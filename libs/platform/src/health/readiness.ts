import type { OnModuleDestroy } from '@nestjs/common';

/** True, or resolves: ready. False, or rejects with the reason: not ready. */
export type ReadinessCheck = () => boolean | Promise<boolean | void>;

export interface CheckResult {
  name: string;
  ready: boolean;
  /** Why it is not ready. */
  reason?: string;
}

export interface ReadinessReport {
  ready: boolean;
  checks: CheckResult[];
}

const CHECK_DEADLINE_MS = 2_000;

/** Whether this process should get work: every part that needs something from outside registers a check. */
export class Readiness implements OnModuleDestroy {
  private readonly checks = new Map<string, ReadinessCheck>();
  private isShuttingDown = false;

  constructor(private readonly deadlineMs = CHECK_DEADLINE_MS) {}

  /** Adds a check, e.g. `register('store', () => redis.ping().then(() => true))`; the same name replaces it. */
  register(name: string, check: ReadinessCheck): void {
    this.checks.set(name, check);
  }

  /** Runs all checks at the same time; one that takes longer than the deadline counts as not ready. */
  async report(): Promise<ReadinessReport> {
    const checks = await Promise.all([...this.checks].map(([name, check]) => this.run(name, check)));
    if (this.isShuttingDown) checks.push({ name: 'process', ready: false, reason: 'It is shutting down.' });
    return { ready: checks.every((check) => check.ready), checks };
  }

  /** From here on load balancers send nothing new. */
  onModuleDestroy(): void {
    this.isShuttingDown = true;
  }

  private async run(name: string, check: ReadinessCheck): Promise<CheckResult> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_, reject) => {
      const giveUp = () => reject(new Error(`It did not answer within ${this.deadlineMs} ms.`));
      timer = setTimeout(giveUp, this.deadlineMs);
    });
    try {
      const isReady = (await Promise.race([(async () => check())(), deadline])) !== false;
      return isReady ? { name, ready: true } : { name, ready: false, reason: 'The check says no.' };
    } catch (error) {
      return { name, ready: false, reason: error instanceof Error ? error.message : String(error) };
    } finally {
      clearTimeout(timer);
    }
  }
}
