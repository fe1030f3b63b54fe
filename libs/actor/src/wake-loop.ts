export interface WakeLoopOptions {
  /** One pass over everything there is to do. Returns in how many ms the next is due by itself, or nothing. */
  run: () => Promise<number | void>;
  /** Told when a pass failed; the next follows after `retryMs`. */
  onError: (error: unknown) => void;
  /** @defaultValue 500 */
  retryMs?: number;
}

/**
 * Runs passes one at a time: when woken, and when due. A wake-up during a pass leads to exactly one more.
 */
export class WakeLoop {
  private isWoken = false;
  private ring = () => {};

  constructor(private readonly options: WakeLoopOptions) {}

  /** Passes run until the signal aborts. */
  start(signal: AbortSignal): void {
    signal.addEventListener('abort', () => this.ring(), { once: true });
    void this.loop(signal);
  }

  wake(): void {
    this.isWoken = true;
    this.ring();
  }

  private async loop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.isWoken = false;
      let delayMs: number | void;
      try {
        delayMs = await this.options.run();
      } catch (error) {
        this.options.onError(error);
        delayMs = this.options.retryMs ?? 500;
      }
      if (!this.isWoken && !signal.aborted) await this.sleep(delayMs);
    }
  }

  private sleep(delayMs: number | void): Promise<void> {
    return new Promise((resolve) => {
      const timer = delayMs === undefined ? undefined : setTimeout(resolve, Math.ceil(Math.max(0, delayMs)));
      this.ring = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
