import { setTimeout as sleep } from 'node:timers/promises';

export interface Backoff {
  /** Delay after the first failure; it doubles with each further one. */
  baseDelayMs: number;
  /** The delay never grows beyond this. */
  maxDelayMs: number;
  /** A number in [0, 1), as from `Math.random`. */
  random: () => number;
}

/**
 * How long to wait after the `failures`-th failure in a row (1 = the first): exponential, with the upper half left to
 * chance so that clients that failed together do not return together.
 */
export function backoffMs(failures: number, { baseDelayMs, maxDelayMs, random }: Backoff): number {
  const full = Math.min(maxDelayMs, baseDelayMs * 2 ** (failures - 1));
  return full / 2 + (full / 2) * random();
}

/** Wait `ms`. Rejects with the signal's own reason when it is aborted. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    throw signal?.aborted ? signal.reason : error;
  }
}
