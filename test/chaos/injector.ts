import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../support/cluster.js';
import type { LinkFault } from '../support/faulty-link.js';
import { waitFor } from '../support/wait-for.js';
import { type EngineView, runningOf } from './engine-view.js';
import type { Fault, FaultKind } from './fault-plan.js';

const READY_TIMEOUT_MS = 240_000;

/** What has not come back yet is not hit again: it is started by the suite and not by a supervisor. */
const ONE_AT_A_TIME: ReadonlySet<string> = new Set(['redis', 'engine']);

/** One fault that was over, and how long after its end its target did its work again, in milliseconds. */
export interface Recovery {
  kind: FaultKind;
  target: string;
  recoveryMs: number;
}

/** Makes faults happen to a cluster. */
export class Injector {
  readonly recoveries: Recovery[] = [];
  private readonly latestOf = new Map<string, Promise<void>>();
  /** The latest fault of each target. */
  private readonly latest = new Map<string, Fault>();

  constructor(
    private readonly cluster: Cluster,
    private readonly engine: EngineView,
  ) {}

  /** Resolves when all of the plan is over and every program answers again. */
  async storm(plan: readonly Fault[]): Promise<void> {
    const beganMs = performance.now();
    await Promise.all(
      plan.map(async (fault) => {
        await sleep(fault.atMs - (performance.now() - beganMs));
        await this.inject(fault);
      }),
    );
  }

  async inject(fault: Fault): Promise<void> {
    const { target } = fault;
    if (!ONE_AT_A_TIME.has(target)) return this.carryOut(fault);
    const before = this.latestOf.get(target) ?? Promise.resolve();
    const now = before.then(() => this.carryOut(fault));
    this.latestOf.set(target, now);
    return now;
  }

  private async carryOut(fault: Fault): Promise<void> {
    const { kind, target } = fault;
    this.latest.set(target, fault);
    const healed = await this.apply(fault);
    const beganMs = performance.now();
    try {
      await healed();
    } catch (error) {
      // Hit again before it was back: what counts is that it comes back from the last one.
      if (this.latest.get(target) === fault) throw error;
      return;
    }
    this.recoveries.push({ kind, target, recoveryMs: performance.now() - beganMs });
  }

  /** Makes it begin and end; the answer waits until its target does its work again. */
  private async apply({ kind, target, forMs, amount }: Fault): Promise<() => Promise<void>> {
    const { cluster, engine } = this;
    switch (kind) {
      case 'kill': {
        const program = cluster.program(target);
        await program.kill9();
        await sleep(forMs);
        program.launch();
        return () => program.ready(READY_TIMEOUT_MS);
      }
      case 'pause': {
        const program = cluster.program(target);
        program.pause();
        await sleep(forMs);
        program.resume();
        return () => program.ready(READY_TIMEOUT_MS);
      }
      case 'cut':
        return this.onLink(target, { kind: 'cut' }, forMs);
      case 'loss':
        return this.onLink(target, { kind: 'loss', direction: 'both' }, forMs);
      case 'loss-up':
        return this.onLink(target, { kind: 'loss', direction: 'up' }, forMs);
      case 'loss-down':
        return this.onLink(target, { kind: 'loss', direction: 'down' }, forMs);
      case 'delay':
        return this.onLink(target, { kind: 'delay', delayMs: amount }, forMs);
      case 'redis-kill':
        await cluster.redis.kill9();
        await sleep(forMs);
        return async () => {
          await cluster.redis.restart();
          await this.untilWritten();
        };
      case 'redis-pause':
        cluster.redis.pause();
        await sleep(forMs);
        cluster.redis.resume();
        return () => this.untilWritten();
      case 'engine-kill':
      case 'engine-stop':
        engine.restarting?.();
        await cluster.engine?.end(kind === 'engine-kill' ? 'SIGKILL' : 'SIGTERM');
        await sleep(forMs);
        return async () => cluster.engine?.start();
      case 'container-kill':
        return this.killContainer(target, amount);
    }
  }

  private async onLink(name: string, fault: LinkFault, forMs: number): Promise<() => Promise<void>> {
    const link = this.cluster.link(name);
    link.break(fault);
    await sleep(forMs);
    link.restore();
    const [program = ''] = name.split('→');
    return () => this.cluster.program(program).ready(READY_TIMEOUT_MS);
  }

  /** SIGKILL to the program of some instance; over when the index has another that runs. */
  private async killContainer(cellId: string, which: number): Promise<() => Promise<void>> {
    const running = runningOf(this.engine).filter((run) => run.cellId === cellId);
    const run = running[which % running.length];
    if (run === undefined) return () => Promise.resolve();
    const container = await this.cluster.container(run.handle).catch(() => undefined);
    await container?.kill().catch(() => undefined);
    return async () => {
      await waitFor(() => run.endedMs, {
        what: `${run.handle} has ended`,
        until: (endedMs) => endedMs !== undefined,
        timeoutMs: READY_TIMEOUT_MS,
      });
    };
  }

  private async untilWritten(): Promise<void> {
    const client = this.cluster.connect({ maxAttempts: 1, timeoutMs: 2_000 });
    await waitFor(() => client.upsertDomain('probe', 3_600), {
      what: 'a write is accepted',
      until: () => true,
      timeoutMs: READY_TIMEOUT_MS,
      intervalMs: 25,
    });
  }
}
