/** Diego BBS reference §6.1 and §6.2: locks. Who is the active auctioneer or converger, and for how long. */
import { setTimeout as sleep } from 'node:timers/promises';
import { RedisLease } from '#rivera/store';
import { startStore, type StoreHarness } from '../support/store.js';

let harness: StoreHarness;
beforeAll(async () => {
  harness = await startStore();
});
afterAll(() => harness.stop());

let names = 0;
const leases = (ttlMs = 10_000): [RedisLease, RedisLease] => {
  const name = `lock-${(names += 1)}`;
  return [new RedisLease(harness.redis, name, ttlMs), new RedisLease(harness.redis, name, ttlMs)];
};
const tokenOf = (granted: { token: number } | undefined): number => {
  if (granted === undefined) throw new Error('The lease was not granted.');
  return granted.token;
};

describe('6.1 locks', () => {
  it('held by another: refused', async () => {
    const [mine, yours] = leases();
    await mine.acquire();
    expect(await yours.acquire()).toBeUndefined();
  });

  it('renewed by its holder: kept', async () => {
    const [mine, yours] = leases(400);
    const token = tokenOf(await mine.acquire());
    for (let renewals = 0; renewals < 4; renewals += 1) {
      await sleep(150);
      expect(await mine.renew(token)).toBe(true);
      expect(await yours.acquire()).toBeUndefined();
    }
  });

  it('released: the next one gets it at once, with a higher token', async () => {
    const [mine, yours] = leases();
    const token = tokenOf(await mine.acquire());
    await mine.release(token);
    expect(tokenOf(await yours.acquire())).toBeGreaterThan(token);
  });

  it('released by somebody else: stays; released when nobody holds it: no error', async () => {
    const [mine, yours] = leases();
    await yours.release(1);
    const token = tokenOf(await mine.acquire());
    await yours.release(token + 1);
    expect(await mine.renew(token)).toBe(true);
  });

  it('not renewed: it ends by itself, and the former holder cannot renew it', async () => {
    const [mine, yours] = leases(100);
    const token = tokenOf(await mine.acquire());
    const next = await vi.waitFor(async () => tokenOf(await yours.acquire()), { timeout: 5_000 });
    expect(await mine.renew(token)).toBe(false);
    expect(next).toBeGreaterThan(token);
  });
});

describe('6.2 users of locks', () => {
  it('what a former holder still writes is refused by every shard (beyond Diego)', async () => {
    const [mine, yours] = leases(100);
    const former = { role: mine.name, token: tokenOf(await mine.acquire()) };
    const holder = await vi.waitFor(async () => tokenOf(await yours.acquire()), { timeout: 5_000 });
    const { store } = harness.client();
    await store.fence({ role: mine.name, token: holder });
    await expect(store.fence(former)).rejects.toMatchObject({ code: 'fenced' });
  });
});
