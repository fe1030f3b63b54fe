const SILENCE_MS = 1_000;

export interface LogRates {
  /** What the client asked for: −1 or absent unlimited, 0 no output at all. */
  bytesPerSecond?: number;
  /** What the operator of the cell allows; 0 unlimited. */
  linesPerSecond: number;
}

/**
 * Holds all output of one container to its rates (Diego executor, log rate limiter): a bucket with one second's worth.
 * When a line does not fit, that line and everything of the next second is dropped, and it is said once.
 */
export class LogRateLimiter {
  private silentUntilMs = 0;
  private readonly bytes: Bucket | undefined;
  private readonly lines: Bucket | undefined;

  /** `exceeded` gets the line that says so. */
  constructor(
    private readonly rates: LogRates,
    private readonly exceeded: (notice: string) => void,
    private readonly now: () => number = Date.now,
  ) {
    const { bytesPerSecond = -1, linesPerSecond } = rates;
    this.bytes = bytesPerSecond > 0 ? new Bucket(bytesPerSecond, now()) : undefined;
    this.lines = linesPerSecond > 0 ? new Bucket(linesPerSecond, now()) : undefined;
  }

  get isSilent(): boolean {
    return this.rates.bytesPerSecond === 0 || this.now() < this.silentUntilMs;
  }

  /** Whether a line of so many bytes may pass. */
  admit(bytes: number): boolean {
    if (this.isSilent) return false;
    const now = this.now();
    if (this.bytes?.take(bytes, now) === false) {
      return this.fallSilent(now, `(${this.rates.bytesPerSecond} bytes/sec)`);
    }
    if (this.lines?.take(1, now) === false) {
      return this.fallSilent(now, `(${this.rates.linesPerSecond} log-lines/sec) set by platform operator`);
    }
    return true;
  }

  private fallSilent(now: number, rate: string): false {
    this.silentUntilMs = now + SILENCE_MS;
    this.exceeded(`app instance exceeded log rate limit ${rate}`);
    return false;
  }
}

class Bucket {
  private level: number;

  constructor(
    private readonly perSecond: number,
    private filledAtMs: number,
  ) {
    this.level = perSecond;
  }

  take(amount: number, now: number): boolean {
    this.level = Math.min(this.perSecond, this.level + ((now - this.filledAtMs) / 1_000) * this.perSecond);
    this.filledAtMs = now;
    if (amount > this.level) return false;
    this.level -= amount;
    return true;
  }
}
