import { type StoreHarness, startStore } from '#test/store.js';
import { type Lock, Locks } from './locks.js';

let harness: StoreHarness;
let locks: Locks;
beforeAll(async () => {
  harness = await startStore();
  locks = new Locks(harness.client().redis);
});
afterAll(() => harness.stop());

const lock = (change: Partial<Lock> = {}): Lock => ({
  key: crypto.randomUUID(),
  owner: 'me',
  value: 'v',
  type: 'lock',
  ...change,
});

describe('locks of clients', () => {
  it('belong to one owner, who may renew and change them', async () => {
    const mine = lock();
    expect(await locks.lock(mine, 60_000)).toBe(true);
    expect(await locks.lock({ ...mine, owner: 'you' }, 60_000)).toBe(false);
    expect(await locks.lock({ ...mine, value: 'w' }, 60_000)).toBe(true);
    expect(await locks.get(mine.key)).toEqual({ ...mine, value: 'w' });
  });

  it('are given up by their owner only; giving up what nobody holds is fine', async () => {
    const mine = lock();
    await locks.lock(mine, 60_000);
    expect(await locks.release(mine.key, 'you')).toBe(false);
    expect(await locks.release(mine.key, 'me')).toBe(true);
    expect(await locks.get(mine.key)).toBeUndefined();
    expect(await locks.release(mine.key, 'you')).toBe(true);
    expect(await locks.lock({ ...mine, owner: 'you' }, 60_000)).toBe(true);
  });

  it('end when they are not renewed', async () => {
    const mine = lock({ type: 'presence' });
    await locks.lock(mine, 50);
    await vi.waitFor(async () => expect(await locks.get(mine.key)).toBeUndefined());
    expect(await locks.list('presence')).toEqual([]);
    expect(await locks.lock({ ...mine, owner: 'you' }, 60_000)).toBe(true);
    expect(await locks.list('presence')).toEqual([{ ...mine, owner: 'you' }]);
  });

  it('are listed by type', async () => {
    const [one, two] = [lock(), lock({ type: 'presence' })];
    await Promise.all([locks.lock(one, 60_000), locks.lock(two, 60_000)]);
    expect(await locks.list('lock')).toContainEqual(one);
    expect(await locks.list('lock')).not.toContainEqual(two);
  });
});
