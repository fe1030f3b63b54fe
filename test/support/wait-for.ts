import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions<T> {
  /** What is expected, in words: "process-1 has 2 instances RUNNING". */
  what: string;
  until: (seen: T) => boolean;
  /** 30 s when absent; generous, because it is only used up when something is wrong. */
  timeoutMs?: number;
  intervalMs?: number;
}

/** Nobody's fault but the condition's: it did not come true. */
export class WaitTimeout extends Error {
  override readonly name = 'WaitTimeout';
}

/**
 * Looks again and again until what is seen is as expected, and returns it. An error while looking counts as "not yet".
 *
 * @throws WaitTimeout with what was expected and what was seen last
 */
export async function waitFor<T>(look: () => T | Promise<T>, options: WaitOptions<T>): Promise<T> {
  const { what, until, timeoutMs = 30_000, intervalMs = 50 } = options;
  const deadline = performance.now() + timeoutMs;
  let last = 'nothing yet';
  for (;;) {
    try {
      const seen = await look();
      if (until(seen)) return seen;
      last = JSON.stringify(seen, undefined, 1) ?? 'undefined';
    } catch (error) {
      last = String(error);
    }
    if (performance.now() > deadline) {
      throw new WaitTimeout(`waited ${timeoutMs} ms\nexpected: ${what}\nactual: ${last.slice(0, 4_000)}`);
    }
    await sleep(intervalMs);
  }
}
