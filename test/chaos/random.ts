import { setTimeout as sleep } from 'node:timers/promises';

/** A reproducible source of chance: the same seed gives the same run of numbers (mulberry32). */
export class Chance {
  private state: number;

  constructor(readonly seed: number) {
    this.state = seed >>> 0;
  }

  /** From `CHAOS_SEED`, to repeat a run; otherwise any. */
  static ofRun(): Chance {
    return new Chance(Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 1_000_000)));
  }

  /** One that goes its own way, so that it does not matter in which order several draw. */
  split(): Chance {
    return new Chance(this.between(0, 2 ** 31));
  }

  /** An integer, both ends included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  oneOf<T>(items: readonly T[]): T {
    return items[this.between(0, items.length - 1)]!;
  }

  private next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
}

/** Step after step until the end, with pauses that are `pauseMs` long on average. */
export async function stepByStep(
  { chance, pauseMs }: { chance: Chance; pauseMs: number },
  signal: AbortSignal,
  step: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    await step();
    await sleep(chance.between(0, 2 * pauseMs), undefined, { signal }).catch(() => undefined);
  }
}
