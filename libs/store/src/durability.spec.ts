/** What a store promises when its Redis is killed in the middle of everything. */
import { nextTag, type RecordChange } from '#rivera/lifecycle';
import { RiveraError, type Task } from '#rivera/models';
import { connectRedis, Store } from '#rivera/store';
import { aTask } from '#test/builders.js';
import { checkedContent, startStore, type StoreHarness, eventually } from '#test/store.js';

const SHARD = 11;
const PAIRS = [
  ['a-1', 'a-2'],
  ['b-1', 'b-2'],
  ['c-1', 'c-2'],
];

let harness: StoreHarness;
beforeAll(async () => {
  harness = await startStore({ appendonly: true });
});
afterAll(() => harness.stop());

/** Counts both tasks of a pair up, together. Returns their new count. */
async function countUp(client: Pick<StoreHarness, 'store'>, pair: string[]): Promise<number> {
  const refs = pair.map((id) => ({ kind: 'task' as const, id }));
  const transition = await client.store.transact(SHARD, refs, (lookup) =>
    pair.map((id): RecordChange => {
      const before = lookup('task', id)?.record;
      if (before === undefined) return { kind: 'task', after: aTask({ taskGuid: id, rejectionCount: 1 }) };
      const after: Task = {
        ...before,
        rejectionCount: before.rejectionCount + 1,
        modificationTag: nextTag(before),
      };
      return { kind: 'task', before, after };
    }),
  );
  return (transition[0]!.after as Task).rejectionCount;
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'ok';
  } catch (error) {
    return error instanceof RiveraError ? error.code : String(error);
  }
}

it('every acknowledged commit survives kill -9, none by half', async () => {
  const acknowledged = new Map<string, number>();
  let commits = 0;
  const writers = [...PAIRS, ...PAIRS].map(async (pair) => {
    const client = harness.client();
    for (;;) {
      const code = await codeOf(
        (async () => {
          const count = await countUp(client, pair);
          commits += 1;
          acknowledged.set(pair[0]!, Math.max(count, acknowledged.get(pair[0]!) ?? 0));
        })(),
      );
      if (code !== 'ok') return code;
    }
  });
  await eventually(() => expect(commits).toBeGreaterThan(200));
  await harness.server.kill9();
  expect(new Set(await Promise.all(writers))).toEqual(new Set(['unavailable']));

  await harness.server.restart();
  await eventually(() => harness.redis.ping());
  const { records, events } = await checkedContent(harness.redis);
  let total = 0;
  for (const [first, second] of PAIRS) {
    const one = records.get(`task ${first}`) as Task;
    const other = records.get(`task ${second}`) as Task;
    expect(other.rejectionCount).toBe(one.rejectionCount);
    expect(one.rejectionCount).toBeGreaterThanOrEqual(acknowledged.get(first!)!);
    // Beyond what was acknowledged there is at most what was under way: one commit of each of its two writers.
    expect(one.rejectionCount).toBeLessThanOrEqual(acknowledged.get(first!)! + 2);
    total += one.rejectionCount + other.rejectionCount;
  }
  expect(events.get(SHARD)).toHaveLength(total);
});

it('calls during an outage are refused as unavailable, and work again when it is over', async () => {
  const client = harness.client();
  await countUp(client, PAIRS[0]!);
  await harness.server.kill9();
  expect(
    await Promise.all([
      codeOf(countUp(client, PAIRS[0]!)),
      codeOf(client.store.get(SHARD, 'task', 'a-1')),
      codeOf(client.store.ids(SHARD, 'task')),
      codeOf(client.store.fence({ role: 'converger', token: 1 })),
      codeOf(client.log.now()),
      codeOf(client.cells.list()),
      codeOf(client.tasks.page({ limit: 5 })),
    ]),
  ).toEqual(Array.from({ length: 7 }, () => 'unavailable'));
  await harness.server.restart();
  await eventually(async () => expect(await codeOf(countUp(client, PAIRS[0]!))).toBe('ok'));
});

it('a Redis that hangs is given up on after the command time-out', async () => {
  const { port } = harness.server;
  const redis = connectRedis(`redis://127.0.0.1:${port}`, { commandTimeout: 100 });
  await redis.ping();
  // Holds every connection's commands back, as a machine that swaps would.
  await redis.call('CLIENT', 'PAUSE', '60000', 'ALL');
  expect(await codeOf(new Store({ redis }).get(SHARD, 'task', 'a-1'))).toBe('unavailable');
  redis.disconnect();
});
