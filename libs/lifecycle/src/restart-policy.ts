import type { RestartPolicy } from '#rivera/models';

/** Diego BBS, crash back-off: two restarts at once, then 30 s doubling to 16 min, none after 200 crashes. */
export const DIEGO_RESTART_POLICY: Required<RestartPolicy> = {
  immediateRestarts: 3,
  baseDelayMs: 30_000,
  maxDelayMs: 16 * 60_000,
  maxRestarts: 200,
  resetAfterMs: 5 * 60_000,
};

/** Crash count after one more crash of an instance that had been RUNNING since `runningSince` (undefined: it was not). */
export function nextCrashCount(
  crashCount: number,
  runningSince: number | undefined,
  now: number,
  policy: Readonly<RestartPolicy> = {},
): number {
  const { resetAfterMs } = { ...DIEGO_RESTART_POLICY, ...policy };
  return runningSince !== undefined && now - runningSince > resetAfterMs ? 1 : crashCount + 1;
}

/**
 * How long an instance that crashed `crashCount` times waits before it is started again, in milliseconds.
 * 0 = at once, undefined = never by itself. A count below `immediateRestarts` restarts at once; the delays after that
 * are `baseDelayMs · 2^(count − immediateRestarts)`, at most `maxDelayMs`.
 */
export function restartDelayMs(crashCount: number, policy: Readonly<RestartPolicy> = {}): number | undefined {
  const { immediateRestarts, baseDelayMs, maxDelayMs, maxRestarts } = { ...DIEGO_RESTART_POLICY, ...policy };
  if (crashCount >= maxRestarts) return undefined;
  if (crashCount < immediateRestarts) return 0;
  return Math.min(baseDelayMs * 2 ** (crashCount - immediateRestarts), maxDelayMs);
}
