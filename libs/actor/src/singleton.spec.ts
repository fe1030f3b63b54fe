import { runSingleton } from './singleton.js';
import type { Lease, Singleton, SingletonOptions } from './singleton.js';

const TTL = 9_000;

/** A lease as the store keeps it, on the fake clock, shared by the candidates of a test. */
class FakeLease implements Lease {
  readonly ttlMs = TTL;
  holder?: { token: number; until: number };
  token = 0;
  /** Set to make the store fail or hang. */
  trouble?: () => Promise<never>;
  releases: number[] = [];

  async acquire(): Promise<{ token: number } | undefined> {
    await this.trouble?.();
    if (this.holder && this.holder.until > performance.now()) return undefined;
    this.token += 1;
    this.holder = { token: this.token, until: performance.now() + TTL };
    return { token: this.token };
  }

  async renew(token: number): Promise<boolean> {
    await this.trouble?.();
    if (this.holder?.token !== token || this.holder.until <= performance.now()) return false;
    this.holder.until = performance.now() + TTL;
    return true;
  }

  async release(token: number): Promise<void> {
    await this.trouble?.();
    this.releases.push(token);
    if (this.holder?.token === token) this.holder = undefined;
  }
}

describe('Singleton', () => {
  let lease: FakeLease;
  let log: string[];
  let running: Singleton[];

  function candidate(name: string, options: Partial<SingletonOptions> = {}): Singleton {
    const singleton = runSingleton({
      lease,
      onActive: (token) => void log.push(`${name} active ${token}`),
      onLost: () => void log.push(`${name} lost`),
      ...options,
    });
    running.push(singleton);
    return singleton;
  }
  const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

  beforeEach(() => {
    vi.useFakeTimers();
    lease = new FakeLease();
    log = [];
    running = [];
  });
  afterEach(async () => {
    lease.trouble = undefined;
    await Promise.all(running.map((singleton) => singleton.stop()));
    vi.useRealTimers();
  });

  it('runs on one candidate for as long as it renews', async () => {
    const a = candidate('a');
    await pass(0);
    const b = candidate('b');
    await pass(10 * TTL);
    expect(log).toEqual(['a active 1']);
    expect([a.token, b.token]).toEqual([1, undefined]);
  });

  it('hands over at once when it is stopped cleanly', async () => {
    const a = candidate('a');
    await pass(0);
    candidate('b');
    await a.stop();
    expect(lease.releases).toEqual([1]);
    await pass(500);
    expect(log).toEqual(['a active 1', 'a lost', 'b active 2']);
  });

  it('takes over soon after the lease of a holder that is gone has run out', async () => {
    lease.holder = { token: 99, until: performance.now() + TTL };
    candidate('b');
    await pass(TTL);
    await pass(500);
    expect(log).toEqual(['b active 1']);
  });

  it('stops at once when the lease turns out to be lost', async () => {
    candidate('a');
    await pass(0);
    lease.holder = { token: 99, until: Number.POSITIVE_INFINITY };
    await pass(TTL / 3);
    expect(log).toEqual(['a active 1', 'a lost']);
  });

  it.each([
    ['fail', () => Promise.reject(new Error('the store is down'))],
    ['hang', () => new Promise<never>(() => undefined)],
  ])('stops before the lease ends when renewals %s', async (_, trouble) => {
    const aborted = vi.fn();
    candidate('a', {
      onActive: (_token, signal) => signal.addEventListener('abort', aborted),
      onLost: () => void log.push(`lost at ${performance.now() - start}`),
    });
    const start = performance.now();
    await pass(0);
    lease.trouble = trouble;
    await pass(2 * TTL);
    expect(log).toEqual([`lost at ${(TTL * 5) / 6}`]);
    expect(aborted).toHaveBeenCalledOnce();
  });

  it('survives one failed renewal and reports it', async () => {
    const onError = vi.fn();
    candidate('a', { onError });
    await pass(0);
    lease.trouble = () => Promise.reject(new Error('blip'));
    await pass(TTL / 3);
    lease.trouble = undefined;
    await pass(5 * TTL);
    expect(log).toEqual(['a active 1']);
    expect(onError).toHaveBeenCalledExactlyOnceWith(new Error('blip'));
  });

  it('becomes active again, with a new token, after the store was away', async () => {
    candidate('a');
    await pass(0);
    lease.trouble = () => Promise.reject(new Error('down'));
    await pass(2 * TTL);
    lease.trouble = undefined;
    await pass(TTL);
    expect(log).toEqual(['a active 1', 'a lost', 'a active 2']);
  });

  it('gives the lease up when it cannot start', async () => {
    const onError = vi.fn();
    let isBroken = true;
    candidate('a', {
      onError,
      onActive: (token) => {
        if (isBroken) throw new Error('cannot start');
        log.push(`active ${token}`);
      },
    });
    await pass(0);
    expect(onError).toHaveBeenCalledWith(new Error('cannot start'));
    expect(lease.releases).toEqual([1]);
    isBroken = false;
    await pass(TTL / 3);
    expect(log).toEqual(['a lost', 'active 2']);
  });

  it('does not start anew until the old stop has ended', async () => {
    let finish = (): void => undefined;
    const stopping = new Promise<void>((resolve) => (finish = resolve));
    candidate('a', { onLost: () => stopping });
    await pass(0);
    lease.holder = undefined;
    await pass(2 * TTL);
    expect(log).toEqual(['a active 1']);
    finish();
    await pass(TTL);
    expect(log).toEqual(['a active 1', 'a active 2']);
  });

  it('gives back a lease whose grant came too late or after the stop', async () => {
    const acquire = vi.spyOn(lease, 'acquire');
    const grant = (delayMs: number): void => {
      acquire.mockImplementationOnce(async () => {
        await new Promise((resolve) => setTimeout(resolve, delayMs));
        return { token: 7 };
      });
    };
    grant(TTL);
    const a = candidate('a');
    await pass(TTL);
    expect(log).toEqual([]);
    expect(lease.releases).toEqual([7]);
    grant(10);
    await pass(500);
    await a.stop();
    await pass(10);
    expect(log).toEqual([]);
    expect(lease.releases).toEqual([7, 7]);
  });
});
