import { startStore, type StoreHarness, eventually } from '#test/store.js';
import { RedisLease } from './lease.js';

let harness: StoreHarness;
beforeAll(async () => {
  harness = await startStore();
});
beforeEach(() => harness.clear());
afterAll(() => harness.stop());

const candidate = (name = 'auctioneer', ttlMs = 60_000) =>
  new RedisLease(harness.client().redis, name, ttlMs);
/** Lets the lease run out without waiting for it. */
const expire = (name = 'auctioneer') => harness.redis.del(`rivera:{lease-${name}}:holder`);

async function serverTime(): Promise<number> {
  const [seconds, micros] = (await harness.redis.time()).map(Number);
  return seconds! * 1_000 + Math.floor(micros! / 1_000);
}

describe('RedisLease', () => {
  it('has one holder, whoever asks and however many at once', async () => {
    const candidates = Array.from({ length: 8 }, () => candidate());
    const answers = await Promise.all(candidates.map((each) => each.acquire()));
    expect(answers.filter((answer) => answer !== undefined)).toHaveLength(1);
    expect(await candidates[0]!.acquire()).toBeUndefined();
  });

  it('is one for each name', async () => {
    expect(await candidate('auctioneer').acquire()).toBeDefined();
    expect(await candidate('converger').acquire()).toBeDefined();
  });

  it('has a token that grows with each holder, released or run out', async () => {
    const [a, b] = [candidate(), candidate()];
    const first = await a.acquire();
    await a.release(first!.token);
    const second = await b.acquire();
    expect(second!.token).toBeGreaterThan(first!.token);
    await expire();
    expect((await a.acquire())!.token).toBeGreaterThan(second!.token);
  });

  it('has a token that grows also when a failover has forgotten the last ones, or clocks differ', async () => {
    const tokens = 'rivera:{lease-auctioneer}:tokens';
    const { token } = (await candidate().acquire())!;
    await expire();
    await harness.redis.del(tokens);
    // Within the ms that both would have got the same.
    await eventually(async () => expect(await serverTime()).toBeGreaterThan(token));
    expect((await candidate().acquire())!.token).toBeGreaterThan(token);
    const ahead = token + 3_600_000;
    await harness.redis.set(tokens, ahead);
    await expire();
    expect(await candidate().acquire()).toEqual({ token: ahead + 1 });
  });

  it('runs out by itself', async () => {
    const [a, b] = [candidate('short', 50), candidate('short', 50)];
    await a.acquire();
    await eventually(async () => expect(await b.acquire()).toBeDefined());
  });

  it('is kept by renewing: its time begins anew', async () => {
    const lease = candidate();
    const { token } = (await lease.acquire())!;
    await harness.redis.pexpire('rivera:{lease-auctioneer}:holder', 1_000);
    expect(await lease.renew(token)).toBe(true);
    expect(await harness.redis.pttl('rivera:{lease-auctioneer}:holder')).toBeGreaterThan(50_000);
  });

  it('that was lost cannot be renewed, nor released from under the next holder', async () => {
    const [a, b] = [candidate(), candidate()];
    const { token } = (await a.acquire())!;
    await expire();
    expect(await a.renew(token)).toBe(false);
    const next = await b.acquire();
    expect(await a.renew(token)).toBe(false);
    await a.release(token);
    expect(await b.renew(next!.token)).toBe(true);
  });
});
