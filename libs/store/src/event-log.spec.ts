import { type RiveraEvent, RiveraError } from '#rivera/models';
import { aTask } from '#test/builders.js';
import { startStore, type StoreClient, type StoreHarness, eventually } from '#test/store.js';
import { Cursor } from './cursor.js';
import type { Follower } from './following.js';
import type { LoggedEvent } from './log-entry.js';
import { ALL_SHARDS, shardOf } from './shards.js';
import type { CommitOptions } from './store.js';

let harness: StoreHarness;
let ends: AbortController[] = [];
beforeAll(async () => {
  harness = await startStore({ appendonly: true });
});
beforeEach(() => harness.clear());
afterEach(() => {
  for (const end of ends) end.abort();
  ends = [];
});
afterAll(() => harness.stop());

const create = (client: StoreClient, taskGuid: string, options?: CommitOptions) =>
  client.store.commit(shardOf(taskGuid), [{ kind: 'task', after: aTask({ taskGuid }) }], options);
const guidOf = (event: RiveraEvent) => (event.type === 'task_created' ? event.after.taskGuid : event.type);
/** Guids that all hash to one shard. */
const inShard = (shard: number, count: number, prefix = 'task') => {
  const guids: string[] = [];
  for (let i = 0; guids.length < count; i++)
    if (shardOf(`${prefix}-${i}`) === shard) guids.push(`${prefix}-${i}`);
  return guids;
};

/** Follows from a cursor and remembers what was told. */
function following(cursor: Cursor, follower: Partial<Follower> = {}, client: StoreClient = harness.client()) {
  const seen: LoggedEvent[] = [];
  const resets: string[] = [];
  const end = new AbortController();
  ends.push(end);
  const done = client.log.follow(
    cursor,
    {
      onEvents: (events) => void seen.push(...events),
      onReset: (reason) => void resets.push(reason),
      ...follower,
    },
    end.signal,
  );
  return { seen, resets, done, end };
}

/** Every guid once, and in each shard one after the other. */
function expectAllOnce(seen: LoggedEvent[], guids: string[]): void {
  expect(seen.map(({ event }) => guidOf(event)).toSorted()).toEqual(guids.toSorted());
  for (const shard of ALL_SHARDS) {
    const sequences = seen.filter((event) => event.shard === shard).map(({ sequence }) => sequence);
    expect(sequences).toEqual(sequences.map((_, i) => i + 1));
  }
}

describe('read', () => {
  const [first, ...rest] = inShard(5, 6);

  it('gives what comes after a number, up to another', async () => {
    for (const guid of [first!, ...rest]) await create(harness, guid);
    const read = async (after: number, upTo?: number) =>
      (await harness.log.read(5, after, upTo)).events.map(({ sequence }) => sequence);
    expect(await read(0)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await read(2, 4)).toEqual([3, 4]);
    expect(await read(6)).toEqual([]);
    expect(await read(4, 4)).toEqual([]);
    expect((await harness.log.read(5, 0)).events[0]).toMatchObject({
      shard: 5,
      event: { type: 'task_created' },
    });
    expect((await harness.log.now()).position(5)).toBe(6);
  });

  it('says of each event which request caused it', async () => {
    await create(harness, first!, { traceId: 'some-trace' });
    await create(harness, rest[0]!);
    const { events } = await harness.log.read(5, 0);
    expect(events.map(({ event }) => event.traceId)).toEqual(['some-trace', undefined]);
    expect(Object.keys(events[1]!.event)).not.toContain('traceId');
  });

  it.each([
    ['at the end', 6, false],
    ['before what is left', 5, false],
    ['before what was trimmed', 4, true],
    ['at the start', 0, true],
    ['beyond the end', 9, true],
  ])('after trimming, a reader %s has missed something: %s', async (_where, after, isGap) => {
    for (const guid of [first!, ...rest]) await create(harness, guid);
    await harness.redis.xtrim('rivera:{s05}:events', 'MAXLEN', 1);
    expect((await harness.log.read(5, after)).isGap).toBe(isGap);
  });

  it('of a log that was trimmed to nothing', async () => {
    for (const guid of rest) await create(harness, guid);
    await harness.log.trim(5, Date.now() + 60_000);
    expect(await harness.log.read(5, 5)).toMatchObject({ events: [], isGap: false });
    expect(await harness.log.read(5, 4)).toMatchObject({ events: [], isGap: true });
    await create(harness, first!);
    expect((await harness.log.read(5, 5)).events).toMatchObject([{ sequence: 6 }]);
  });
});

describe('trim', () => {
  it('drops what is older, and only that', async () => {
    const guids = inShard(5, 4);
    await create(harness, guids[0]!);
    await create(harness, guids[1]!);
    const times = async () =>
      (await harness.redis.xrange('rivera:{s05}:events', '-', '+')).map(([, fields]) => Number(fields[1]));
    const [, second] = await times();
    await vi.waitUntil(() => Date.now() > second!);
    await create(harness, guids[2]!);
    const [, , third] = await times();
    await harness.log.trim(5, third!);
    expect(await times()).toEqual([third]);
    expect((await harness.log.read(5, 2)).isGap).toBe(false);
  });

  it('happens by itself when a shard has more events than are kept', async () => {
    const { store, log } = harness.client({ keptEvents: 10 });
    const tasks = inShard(5, 300).map((taskGuid) => aTask({ taskGuid }));
    await store.commit(
      5,
      tasks.map((after) => ({ kind: 'task', after })),
    );
    expect((await log.read(5, 0)).isGap).toBe(true);
    expect((await log.read(5, 290)).isGap).toBe(false);
  });
});

describe('follow', () => {
  it('tells everything of several writers once, in order in each shard', async () => {
    const before = Array.from({ length: 20 }, (_, i) => `before-${i}`);
    await Promise.all(before.map((guid) => create(harness, guid)));
    const { seen, resets } = following(Cursor.start());
    const writers = [harness.client(), harness.client(), harness.client()];
    const guids = writers.flatMap((_, writer) =>
      Array.from({ length: 100 }, (__, i) => `writer-${writer}-${i}`),
    );
    await Promise.all(guids.map((guid, i) => create(writers[i % 3]!, guid)));
    await eventually(() => expect(seen).toHaveLength(320));
    expectAllOnce(seen, [...before, ...guids]);
    expect(resets).toEqual([]);
  });

  it('starts where the cursor is and moves it along', async () => {
    const [a, b, c] = inShard(5, 3);
    await create(harness, a!);
    const cursor = await harness.log.now();
    await create(harness, b!);
    const { seen, end, done } = following(cursor);
    await eventually(() => expect(seen.map(({ event }) => guidOf(event))).toEqual([b]));
    end.abort();
    await done;
    expect(cursor.position(5)).toBe(2);
    await create(harness, c!);
    const resumed = following(Cursor.parse(cursor.toString()));
    await eventually(() => expect(resumed.seen.map(({ event }) => guidOf(event))).toEqual([c]));
  });

  it('need not read what comes with the wake-up, and reads what is missing before it', async () => {
    const guids = inShard(5, 100);
    const client = harness.client();
    const { seen } = following(await harness.log.now(), {}, client);
    const read = vi.spyOn(client.redis, 'xrange');
    let count = 0;
    const createNext = async () => {
      await create(harness, guids[count++]!);
      await eventually(() => expect(seen).toHaveLength(count));
    };
    // When it begins to listen it reads everything once more.
    await eventually(async () => {
      read.mockClear();
      await createNext();
      expect(read).not.toHaveBeenCalled();
    });
    // Nobody hears of this one.
    const event = { type: 'task_created', after: aTask({ taskGuid: guids[count++] }) };
    await harness.redis.hincrby('rivera:{s05}:meta', 'seq', 1);
    await harness.redis.xadd('rivera:{s05}:events', `${count}-0`, 'at', 0, 'events', JSON.stringify([event]));
    await createNext();
    expectAllOnce(seen, guids.slice(0, count));
    expect(read).toHaveBeenCalled();
  });

  it('reads on at once in a shard that has more than one read can hold', async () => {
    const { store } = harness.client({ keptEvents: 10_000 });
    const tasks = inShard(5, 6_000).map((taskGuid) => aTask({ taskGuid }));
    await store.commit(
      5,
      tasks.map((after) => ({ kind: 'task', after })),
    );
    const { seen } = following(Cursor.start());
    // So many that looking again every 2 s would not do.
    await eventually(() => expect(seen).toHaveLength(6_000));
    expectAllOnce(
      seen,
      tasks.map(({ taskGuid }) => taskGuid),
    );
  });

  it('says so when the log no longer reaches back, and goes on from now', async () => {
    const guids = inShard(5, 4);
    for (const guid of guids.slice(0, 3)) await create(harness, guid);
    await harness.redis.xtrim('rivera:{s05}:events', 'MAXLEN', 1);
    const { seen, resets } = following(Cursor.start());
    await eventually(() => expect(resets).toHaveLength(1));
    await create(harness, guids[3]!);
    await eventually(() => expect(seen.map(({ event }) => guidOf(event))).toEqual([guids[3]]));
    expect(resets).toHaveLength(1);
  });

  it('resets a reader that knows more than the log: the store was emptied', async () => {
    const [a] = inShard(5, 1);
    const { resets } = following(Cursor.from(ALL_SHARDS.map(() => 7)));
    await eventually(() => expect(resets).toHaveLength(1));
    expect(await create(harness, a!)).toBe(true);
  });

  it('survives a Redis that is killed and comes back', async () => {
    const { seen, resets } = following(Cursor.start());
    await create(harness, 'before');
    await eventually(() => expect(seen).toHaveLength(1));
    await harness.server.kill9();
    await harness.server.restart();
    await eventually(() => create(harness, 'after'));
    await eventually(() => expect(seen).toHaveLength(2));
    expectAllOnce(seen, ['before', 'after']);
    expect(resets).toEqual([]);
  });

  it('tells again what a listener could not take because the store did not answer', async () => {
    const seen: LoggedEvent[] = [];
    let attempts = 0;
    following(Cursor.start(), {
      onEvents: (events) => {
        attempts += 1;
        if (attempts === 1) throw new RiveraError('unavailable', 'The store does not answer.');
        seen.push(...events);
      },
    });
    await create(harness, 'a');
    await eventually(() => expect(seen.map(({ event }) => guidOf(event))).toEqual(['a']));
    expect(attempts).toBe(2);
  });

  it('resets again when the listener could not list because the store did not answer', async () => {
    let attempts = 0;
    const { seen } = following(Cursor.from(ALL_SHARDS.map(() => 7)), {
      onReset: () => {
        attempts += 1;
        if (attempts === 1) throw new RiveraError('unavailable', 'The store does not answer.');
      },
    });
    await eventually(() => expect(attempts).toBe(2));
    await create(harness, 'a');
    await eventually(() => expect(seen).toHaveLength(1));
  });

  it('ends with the error of a listener that has one of its own', async () => {
    const { done } = following(Cursor.start(), {
      onEvents: () => {
        throw new RangeError('a bug');
      },
    });
    await create(harness, 'a');
    await expect(done).rejects.toThrow(RangeError);
  });

  it('ends at once when it is told to, also while nothing happens', async () => {
    const { end, done } = following(Cursor.start());
    end.abort();
    await done;
    const already = new AbortController();
    already.abort();
    await harness.log.follow(
      Cursor.start(),
      { onEvents: () => expect.unreachable(), onReset: () => expect.unreachable() },
      already.signal,
    );
  });
});
