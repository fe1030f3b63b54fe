/** The abort reason of a `Deadline` that ran out. */
export class TimedOut extends Error {
  override readonly name = 'TimedOut';

  constructor(readonly afterMs: number) {
    super(`no answer within ${Math.ceil(afterMs)} ms`);
  }
}

/**
 * An abort signal that fires when its parent does, or when its timer runs out.
 *
 * Made by hand because `AbortSignal.any` keeps its children alive for as long as a long-lived parent lives, and an
 * agent makes thousands of calls under one parent.
 */
export class Deadline {
  private readonly controller = new AbortController();
  private readonly follow = (): void => this.controller.abort(this.parent?.reason);
  private timer?: NodeJS.Timeout;

  constructor(private readonly parent?: AbortSignal) {
    if (parent?.aborted) this.follow();
    else parent?.addEventListener('abort', this.follow, { once: true });
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Start, or start anew, the timer. */
  arm(ms: number): void {
    this.disarm();
    this.timer = setTimeout(() => this.controller.abort(new TimedOut(ms)), Math.max(0, ms));
  }

  disarm(): void {
    clearTimeout(this.timer);
  }

  /** Let go of the parent and the timer; what still uses the signal goes on. */
  release(): void {
    this.disarm();
    this.parent?.removeEventListener('abort', this.follow);
  }

  /** Release, and end what still uses the signal. */
  abort(): void {
    this.release();
    this.controller.abort();
  }
}
