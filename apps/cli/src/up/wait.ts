import { setTimeout as sleep } from 'node:timers/promises';

export interface Waiting {
  /** Ends the wait with the signal's reason. */
  signal: AbortSignal;
  withinMs: number;
  everyMs?: number;
}

/**
 * Asks again and again until the answer is neither undefined nor false.
 *
 * @returns the answer, or undefined when it did not come in time
 */
export async function waitFor<T>(
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  { signal, withinMs, everyMs = 100 }: Waiting,
): Promise<T | undefined> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    signal.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) return undefined;
    await sleep(everyMs, undefined, { signal });
  }
}
