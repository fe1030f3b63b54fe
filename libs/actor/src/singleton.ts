import { atMost } from './bus.js';

/** A lease on being the only active one, kept where all candidates see it. */
export interface Lease {
  /** How long the lease lasts after it was acquired or renewed. */
  readonly ttlMs: number;
  /** The fencing token, higher than all given before; undefined while another holds the lease. */
  acquire(): Promise<{ token: number } | undefined>;
  /** False when the lease is not held under this token any more. */
  renew(token: number): Promise<boolean>;
  release(token: number): Promise<void>;
}

/** A standby asks for the lease this often, so that it has it soon after it was given back or ran out. */
const ASK_MS = 500;

export interface SingletonOptions {
  lease: Lease;
  /**
   * The lease is held: start. `signal` is aborted when it is lost. Throwing gives the lease up, so that another
   * candidate may try.
   */
  onActive: (token: number, signal: AbortSignal) => void | Promise<void>;
  /**
   * The lease is lost or about to end: stop. Called before the time to live has passed, also while `onActive` still
   * runs. Until both have ended the lease is not asked for again.
   */
  onLost: () => void | Promise<void>;
  /** Told of errors of the lease and of the two callbacks. */
  onError?: (error: unknown) => void;
  /** A monotonic clock in milliseconds. */
  now?: () => number;
}

interface Activation {
  token: number;
  abort: AbortController;
  watchdog?: NodeJS.Timeout;
}

/**
 * Starts something only while a lease is held, on one of several candidates.
 *
 * Contract: by the monotonic clock, `onLost` is called before the lease can belong to another. A process that was paused
 * cannot keep that promise, so each write made under the lease carries the token and is refused when a higher one was
 * seen.
 */
export class Singleton {
  private activation?: Activation;
  private timer?: NodeJS.Timeout;
  private isStopped = false;
  private callbacks: Promise<unknown> = Promise.resolve();
  private readonly now: () => number;

  constructor(private readonly options: SingletonOptions) {
    this.now = options.now ?? (() => performance.now());
    void this.tick();
  }

  /** The fencing token while active. */
  get token(): number | undefined {
    return this.activation?.token;
  }

  /** Stops what runs, then gives the lease back, so that another candidate need not wait for its end. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    const token = this.token;
    this.lose();
    await this.callbacks;
    if (token !== undefined) await this.release(token);
  }

  private async tick(): Promise<void> {
    try {
      await (this.activation ? this.renew(this.activation) : this.acquire());
    } catch (error) {
      this.report(error);
    }
    if (this.isStopped) return;
    const renewMs = this.options.lease.ttlMs / 3;
    const nextMs = this.activation ? renewMs : Math.min(renewMs, ASK_MS);
    this.timer = setTimeout(() => void this.tick(), nextMs);
  }

  private async acquire(): Promise<void> {
    await this.callbacks;
    this.callbacks = Promise.resolve();
    if (this.isStopped) return;
    const asked = this.now();
    const granted = await this.options.lease.acquire();
    if (!granted) return;
    // Counted from the question: the answer may have been long under way.
    if (this.isStopped || this.remaining(asked) <= 0) {
      await this.release(granted.token);
      return;
    }
    const activation: Activation = { token: granted.token, abort: new AbortController() };
    this.activation = activation;
    this.watch(activation, asked);
    const activating = this.activate(activation);
    // Read only now: an `onActive` that throws at once has already put `onLost` there.
    this.callbacks = Promise.all([this.callbacks, activating]);
  }

  private async renew(activation: Activation): Promise<void> {
    const asked = this.now();
    const isHeld = await this.options.lease.renew(activation.token);
    if (this.activation !== activation) return;
    if (isHeld) this.watch(activation, asked);
    else this.lose();
  }

  /** A sixth of the time to live is left for `onLost` when renewals fail or hang. */
  private remaining(asked: number): number {
    return asked + (this.options.lease.ttlMs * 5) / 6 - this.now();
  }

  private watch(activation: Activation, asked: number): void {
    clearTimeout(activation.watchdog);
    activation.watchdog = setTimeout(() => this.lose(), this.remaining(asked));
  }

  private async activate(activation: Activation): Promise<void> {
    try {
      await this.options.onActive(activation.token, activation.abort.signal);
    } catch (error) {
      this.report(error);
      if (this.activation !== activation) return;
      this.lose();
      await this.release(activation.token);
    }
  }

  private lose(): void {
    const activation = this.activation;
    if (!activation) return;
    this.activation = undefined;
    clearTimeout(activation.watchdog);
    activation.abort.abort();
    this.callbacks = Promise.all([this.callbacks, this.deactivate()]);
  }

  private async deactivate(): Promise<void> {
    try {
      await this.options.onLost();
    } catch (error) {
      this.report(error);
    }
  }

  /** No longer than the lease would have lasted by itself. */
  private async release(token: number): Promise<void> {
    try {
      await atMost(this.options.lease.ttlMs, this.options.lease.release(token));
    } catch (error) {
      this.report(error);
    }
  }

  private report(error: unknown): void {
    this.options.onError?.(error);
  }
}

/** Becomes a candidate now; see `Singleton`. */
export function runSingleton(options: SingletonOptions): Singleton {
  return new Singleton(options);
}
