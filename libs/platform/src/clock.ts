/** What time it is. Injected wherever a rule depends on time; `{ now: () => 5 }` is a clock for tests. */
export abstract class Clock {
  /** Milliseconds since the Unix epoch. */
  abstract now(): number;
}

/** The clock of the machine. */
export class SystemClock extends Clock {
  now(): number {
    return Date.now();
  }
}
