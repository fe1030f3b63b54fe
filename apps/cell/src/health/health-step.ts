import { setTimeout as sleep } from 'node:timers/promises';
import { duration } from '../executor/duration.js';
import { CANCELLED, failed, type Step, type StepLog } from '../executor/step.js';
import type { Probe } from './probe.js';

/** The first attempts come quickly, so that a fast program is RUNNING at once. */
const FIRST_INTERVAL_MS = 50;

/** How often is looked. */
export interface HealthIntervals {
  /** While all is well (Diego executor: 30 s). */
  healthyMs: number;
  /** Until it is (Diego executor: 2 s). */
  unhealthyMs: number;
}

export interface HealthStepOptions {
  probes: Probe[];
  /** Declarative checks say in their failures what they were for; a monitor action speaks for itself. */
  kind: 'checks' | 'monitor';
  /** 0 = wait for ever. */
  startTimeoutMs: number;
  intervals: HealthIntervals;
  log: StepLog;
  now?: () => number;
}

/**
 * Watches an instance (Diego executor, health checks): ready when all probes have passed, failed when one has not within
 * the start time-out, or fails later.
 */
export function healthStep(options: HealthStepOptions): Step {
  return { perform: (signal, onReady) => new Watch(options, signal).perform(onReady) };
}

class Watch {
  private readonly startedAt: number;
  private readonly now: () => number;

  constructor(
    private readonly options: HealthStepOptions,
    private readonly signal: AbortSignal,
  ) {
    this.now = options.now ?? Date.now;
    this.startedAt = this.now();
  }

  async perform(onReady: () => void): ReturnType<Step['perform']> {
    const { probes, log } = this.options;
    log.out('Starting health monitoring of container');
    const problems = (await Promise.all(probes.map((probe) => this.untilHealthy(probe)))).filter(
      (problem) => problem !== undefined,
    );
    if (this.signal.aborted) return CANCELLED;
    if (problems.length > 0) return this.neverHealthy(problems.join('; '));
    log.out('Container became healthy');
    onReady();
    const problem = await firstFailure(probes, this.options.intervals.healthyMs, this.signal);
    if (problem === undefined) return CANCELLED;
    const text = this.options.kind === 'checks' ? `Liveness check unsuccessful: ${problem}` : problem;
    log.error(text);
    log.error('Container became unhealthy');
    return failed(`Instance became unhealthy: ${text}`);
  }

  /** Undefined once it has passed (or was interrupted), otherwise the last problem before the time-out. */
  private async untilHealthy(probe: Probe): Promise<string | undefined> {
    const { startTimeoutMs, intervals, kind } = this.options;
    const impatience = startTimeoutMs > 0 ? AbortSignal.timeout(startTimeoutMs) : undefined;
    const attempting = impatience ? AbortSignal.any([this.signal, impatience]) : this.signal;
    let interval = FIRST_INTERVAL_MS;
    let last = 'the check did not end';
    for (let attempts = 1; ; attempts += 1) {
      const problem = await attempt(probe, attempting);
      if (problem === undefined || this.signal.aborted) return undefined;
      // An attempt that the time-out has cut off has nothing to say of its own.
      if (!impatience?.aborted || attempts === 1) last = problem;
      if (startTimeoutMs > 0 && this.now() - this.startedAt >= startTimeoutMs) {
        if (kind === 'monitor') return last;
        const waited = `Timed out after ${duration(startTimeoutMs)} (${attempts} attempts)`;
        return `${waited} waiting for startup check to succeed: ${last}`;
      }
      if (!(await pause(interval, attempting)) && this.signal.aborted) return undefined;
      interval = Math.min(interval * 2, intervals.unhealthyMs);
    }
  }

  private neverHealthy(text: string): ReturnType<typeof failed> {
    const elapsed = duration(Math.round(this.now() - this.startedAt));
    this.options.log.error(text);
    this.options.log.error(`Failed after ${elapsed}: startup health check never passed.`);
    return failed(`Instance never healthy after ${elapsed}: ${text}`);
  }
}

/** Attempts each probe at its interval until one fails: what it says; undefined when interrupted. */
export async function firstFailure(
  probes: Probe[],
  intervalMs: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const others = new AbortController();
  const until = AbortSignal.any([signal, others.signal]);
  let found: string | undefined;
  const watch = async (probe: Probe): Promise<void> => {
    while (await pause(probe.intervalMs ?? intervalMs, until)) {
      const problem = await attempt(probe, until);
      if (problem === undefined || until.aborted) continue;
      found ??= problem;
      others.abort();
    }
  };
  await Promise.all(probes.map(watch));
  return found;
}

/** Attempts all until all have passed; false when interrupted. */
export async function untilAllPass(
  probes: Probe[],
  intervalMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  let interval = FIRST_INTERVAL_MS;
  for (;;) {
    const problems = await Promise.all(probes.map((probe) => attempt(probe, signal)));
    if (signal.aborted) return false;
    if (problems.every((problem) => problem === undefined)) return true;
    if (!(await pause(interval, signal))) return false;
    interval = Math.min(interval * 2, intervalMs);
  }
}

/** An attempt ends with the signal, whatever it hangs on. */
async function attempt(probe: Probe, signal: AbortSignal): Promise<string | undefined> {
  if (signal.aborted) return 'the check did not end';
  let stop: () => void = () => undefined;
  const stopped = new Promise<string>((resolve) => {
    stop = () => resolve('the check did not end');
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([probe.attempt(signal), stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** False when the signal aborted meanwhile. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
  return !signal.aborted;
}
