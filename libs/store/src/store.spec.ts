import type { RecordChange, Transition } from '#rivera/lifecycle';
import type { Task } from '#rivera/models';
import { aDesiredLRP, aTask, aTaskDefinition, anActualLRP } from '#test/builders.js';
import { checkedContent, startStore, type StoreHarness, eventually } from '#test/store.js';
import { desire } from '#rivera/lifecycle';
import { splitDesiredLRP } from '#rivera/models';
import { ALL_SHARDS, CELLS_SHARD, shardKey, shardOf, WORK_SHARDS } from './shards.js';
import { Store } from './store.js';
import { versionOf } from './stored.js';
import { EVENTS_CHANNEL } from './wake-ups.js';

const SHARD = 3;
let harness: StoreHarness;
let store: Store;

beforeAll(async () => {
  harness = await startStore();
  ({ store } = harness);
});
beforeEach(() => harness.clear());
afterAll(() => harness.stop());

const next = (before: Task, fields: Partial<Task> = {}): Task => ({
  ...before,
  ...fields,
  modificationTag: { epoch: before.modificationTag.epoch, index: before.modificationTag.index + 1 },
});
const created = (after: Task): RecordChange => ({ kind: 'task', after });
const changed = (before: Task, fields: Partial<Task> = {}): RecordChange => ({
  kind: 'task',
  before,
  after: next(before, fields),
});
const eventTypes = async (shard = SHARD) =>
  ((await checkedContent(harness.redis)).events.get(shard) ?? []).map(({ event }) => event.type);

describe('commit', () => {
  it('writes records, indexes and events together', async () => {
    const [a, b] = [aTask({ taskGuid: 'a' }), aTask({ taskGuid: 'b' })];
    expect(await store.commit(SHARD, [created(a), created(b)])).toBe(true);
    const { records, events } = await checkedContent(harness.redis);
    expect(records).toEqual(
      new Map([
        ['task a', a],
        ['task b', b],
      ]),
    );
    expect(events.get(SHARD)).toEqual([
      { sequence: 1, event: { type: 'task_created', after: a } },
      { sequence: 2, event: { type: 'task_created', after: b } },
    ]);
  });

  it('writes nothing of a transition when one of its records has changed', async () => {
    const [a, b] = [aTask({ taskGuid: 'a' }), aTask({ taskGuid: 'b' })];
    await store.commit(SHARD, [created(a), created(b)]);
    await store.commit(SHARD, [changed(b, { rejectionCount: 1 })]);
    const before = await checkedContent(harness.redis);
    expect(await store.commit(SHARD, [changed(a), changed(b), created(aTask())])).toBe(false);
    expect(await checkedContent(harness.redis)).toEqual(before);
  });

  it.each<[string, (known: Task) => RecordChange]>([
    ['a record that is there cannot be created', (known) => created({ ...known })],
    [
      'a record of another epoch cannot be changed',
      (known) => changed({ ...known, modificationTag: { epoch: 'other', index: 0 } }),
    ],
    ['a record that is not there cannot be changed', () => changed(aTask())],
    ['a record that is not there cannot be removed', () => ({ kind: 'task', before: aTask() })],
  ])('%s', async (_what, change) => {
    const known = aTask();
    await store.commit(SHARD, [created(known)]);
    expect(await store.commit(SHARD, [change(known)])).toBe(false);
    expect((await checkedContent(harness.redis)).records.size).toBe(1);
  });

  it('moves index entries with the record and takes them away with it', async () => {
    const waiting = aTask({ taskGuid: 't' });
    const placement = { instanceGuid: 't', cellId: 'cell-1', deadline: waiting.createdAt + 5 };
    const placed = next(waiting, { placement });
    await store.commit(SHARD, [created(waiting)]);
    expect(await store.membersByName(SHARD, 'unplaced')).toEqual(['task/t']);
    await store.commit(SHARD, [{ kind: 'task', before: waiting, after: placed }]);
    expect(await store.membersByName(SHARD, 'unplaced')).toEqual([]);
    expect(await store.membersByName(SHARD, 'by-cell')).toEqual(['cell-1/task/t']);
    expect(await store.membersByScore(SHARD, 'due', Infinity)).toEqual([
      { member: 'task/t', score: placement.deadline },
    ]);
    await store.commit(SHARD, [{ kind: 'task', before: placed }]);
    expect(await store.membersByScore(SHARD, 'due', Infinity)).toEqual([]);
    expect((await checkedContent(harness.redis)).records.size).toBe(0);
  });

  it('brings back a due time that was put off, when the record changes', async () => {
    const task = aTask({ taskGuid: 't' });
    await store.commit(SHARD, [created(task)]);
    const [due] = await store.membersByScore(SHARD, 'due', Infinity);
    await store.commit(SHARD, [], { sets: [{ set: 'due', member: 'task/t', score: due!.score + 60_000 }] });
    await store.commit(SHARD, [changed(task, { rejectionReason: 'no room' })]);
    expect(await store.membersByScore(SHARD, 'due', Infinity)).toEqual([due]);
  });

  it('numbers events on from the last, across commits', async () => {
    let task = aTask();
    await store.commit(SHARD, [created(task)]);
    for (let i = 0; i < 3; i++) {
      await store.commit(SHARD, [changed(task)]);
      task = next(task);
    }
    expect((await checkedContent(harness.redis)).events.get(SHARD)?.map(({ sequence }) => sequence)).toEqual([
      1, 2, 3, 4,
    ]);
    expect(await eventTypes()).toEqual(['task_created', 'task_changed', 'task_changed', 'task_changed']);
  });

  it('says which shard has news, only if it has, and what they are unless that is long', async () => {
    const messages: string[] = [];
    const subscriber = harness.client().redis;
    subscriber.on('message', (_channel: string, message: string) => messages.push(message));
    await subscriber.subscribe(EVENTS_CHANNEL);
    await store.commit(7, [], { sets: [{ set: 'presence', member: 'cell-1', score: 1 }] });
    const task = aTask();
    await store.commit(SHARD, [created(task)]);
    const long = aTask({ taskGuid: 'long', definition: aTaskDefinition({ annotation: 'x'.repeat(8_192) }) });
    await store.commit(SHARD, [created(long)]);
    await eventually(() => expect(messages).toHaveLength(2));
    const [head, name, events] = messages[0]!.split('\n');
    expect([head, name]).toEqual([`${SHARD} 1 1`, 'events']);
    expect(JSON.parse(events!)).toMatchObject([{ type: 'task_created', after: { taskGuid: task.taskGuid } }]);
    expect(messages[1]).toBe(`${SHARD}`);
  });

  it('of very many records works', async () => {
    const processGuid = 'huge';
    const wanted = splitDesiredLRP(aDesiredLRP({ processGuid, instances: 8_000 }));
    let guids = 0;
    const context = { now: 1_000, newGuid: () => `guid-${(guids += 1)}` };
    await harness.processes.change(processGuid, (process) => desire(process, wanted, context));
    expect(await harness.processes.actualsOf(processGuid)).toHaveLength(8_000);
    expect(await harness.processes.change(processGuid, () => [])).toEqual([]);
  });
});

describe('checks and sets', () => {
  const put = { set: 'presence', member: 'cell-1', score: 1_700_000_000_000 };

  it('a score that is as read lets the commit through, any other does not', async () => {
    await store.commit(SHARD, [], { sets: [put] });
    const task = created(aTask());
    for (const score of [put.score + 1, 0]) {
      expect(await store.commit(SHARD, [task], { scores: [{ ...put, score }] })).toBe(false);
    }
    expect(await store.commit(SHARD, [task], { scores: [{ ...put, member: 'cell-2' }] })).toBe(false);
    expect(await store.membersByName(SHARD, 'ids:task')).toEqual([]);
    expect(await store.commit(SHARD, [task], { scores: [put] })).toBe(true);
  });

  it('a set member without a score goes', async () => {
    await store.commit(SHARD, [], { sets: [put, { ...put, member: 'cell-2' }] });
    await store.commit(SHARD, [], { sets: [{ set: put.set, member: 'cell-1' }] });
    expect(await store.membersByScore(SHARD, 'presence', put.score)).toEqual([
      { member: 'cell-2', score: put.score },
    ]);
  });

  it('records a decision rested on must be as read, or as absent as read', async () => {
    const [a, b] = [aTask({ taskGuid: 'a' }), aTask({ taskGuid: 'b' })];
    await store.commit(SHARD, [created(a)]);
    const rests = (id: string, tag?: Task['modificationTag']) => ({
      unchanged: [{ kind: 'task' as const, id, version: tag && versionOf(tag) }],
    });
    expect(await store.commit(SHARD, [created(b)], rests('a', next(a).modificationTag))).toBe(false);
    expect(await store.commit(SHARD, [created(b)], rests('a'))).toBe(false);
    expect(await store.commit(SHARD, [created(b)], rests('c', a.modificationTag))).toBe(false);
    expect(await store.commit(SHARD, [created(b)], rests('a', a.modificationTag))).toBe(true);
    expect(await store.commit(SHARD, [changed(b)], rests('c'))).toBe(true);
  });
});

describe('fencing', () => {
  it('refuses an older token on every shard, says so, and writes nothing', async () => {
    const role = 'converger';
    await store.fence({ role, token: 2 });
    for (const shard of ALL_SHARDS) {
      await expect(
        store.commit(shard, [created(aTask())], { fence: { role, token: 1 } }),
      ).rejects.toMatchObject({
        code: 'fenced',
        message: 'converger with token 1 has been replaced by token 2. Stop writing.',
      });
    }
    expect((await checkedContent(harness.redis)).records.size).toBe(0);
  });

  it('goes by number, by role, and lets the same and newer tokens through', async () => {
    await store.fence({ role: 'converger', token: 9 });
    for (const fence of [
      { role: 'converger', token: 9 },
      { role: 'converger', token: 10 },
      { role: 'auctioneer', token: 1 },
    ]) {
      expect(await store.commit(SHARD, [created(aTask())], { fence })).toBe(true);
    }
    await expect(store.commit(SHARD, [], { fence: { role: 'converger', token: 9 } })).rejects.toThrow(
      'token 10',
    );
    expect(await store.commit(SHARD, [created(aTask())])).toBe(true);
  });
});

describe('transact', () => {
  const refs = [{ kind: 'task' as const, id: 't' }];
  const increment = (task: Task | undefined): Transition =>
    task === undefined ? [] : [changed(task, { rejectionCount: task.rejectionCount + 1 })];

  it('decides again on what is there now when a record has changed in between', async () => {
    const task = aTask({ taskGuid: 't' });
    await store.commit(SHARD, [created(task)]);
    const seen: (number | undefined)[] = [];
    const transition = await store.transact(SHARD, refs, (lookup) => {
      const found = lookup('task', 't')?.record;
      seen.push(found?.rejectionCount);
      if (seen.length === 1) overtake = store.commit(SHARD, increment(task));
      return increment(found);
    });
    await overtake;
    expect(seen).toEqual([0, 1]);
    expect(transition[0]?.after).toMatchObject({ rejectionCount: 2 });
    expect(await store.get(SHARD, 'task', 't')).toMatchObject({ rejectionCount: 2 });
  });
  let overtake: Promise<boolean> | undefined;

  it('guards what was read and not written', async () => {
    const [a, b] = [aTask({ taskGuid: 'a' }), aTask({ taskGuid: 'b' })];
    await store.commit(SHARD, [created(a), created(b)]);
    let attempts = 0;
    await store.transact(
      SHARD,
      [
        { kind: 'task', id: 'a' },
        { kind: 'task', id: 'b' },
        { kind: 'task', id: 'absent' },
      ],
      (lookup) => {
        attempts += 1;
        if (attempts === 1) overtake = store.commit(SHARD, [changed(b)]);
        if (attempts === 2) overtake = store.commit(SHARD, [created(aTask({ taskGuid: 'absent' }))]);
        return increment(lookup('task', 'a')?.record);
      },
    );
    expect(attempts).toBe(3);
    expect(await store.get(SHARD, 'task', 'a')).toMatchObject({ rejectionCount: 1 });
  });

  it('writes nothing when there is nothing to do, and passes a refusal on', async () => {
    expect(await store.transact(SHARD, refs, () => [])).toEqual([]);
    await expect(
      store.transact(SHARD, refs, () => {
        throw new RangeError('no');
      }),
    ).rejects.toThrow(RangeError);
    expect(await harness.redis.dbsize()).toBe(0);
  });

  it('decides a creation without reading, and on what is there when something is', async () => {
    const seen: (string | undefined)[] = [];
    const create = (taskGuid: string, prefix: string) =>
      store.transact(
        SHARD,
        [{ kind: 'task', id: taskGuid }],
        (lookup, listed) => {
          const found = lookup('task', taskGuid)?.id;
          seen.push([found, ...listed].join());
          return found === undefined ? [created(aTask({ taskGuid }))] : [];
        },
        { isNew: true, allOf: { kind: 'task', prefix } },
      );
    expect(await create('new/1', 'new/')).toHaveLength(1);
    expect(await create('new/1', 'other/')).toEqual([]);
    expect(await create('new/2', 'new/')).toHaveLength(1);
    expect(seen).toEqual(['', '', 'new/1', '', ',new/1']);
    expect(await store.ids(SHARD, 'task')).toEqual(['new/1', 'new/2']);
  });

  it('gives up with conflict when it is overtaken without end', async () => {
    let task = aTask({ taskGuid: 't' });
    await store.commit(SHARD, [created(task)]);
    const write = store.transact(SHARD, refs, (lookup) => {
      overtake = store.commit(SHARD, increment(task));
      task = increment(task)[0]!.after as Task;
      return increment(lookup('task', 't')?.record);
    });
    await expect(write).rejects.toMatchObject({ code: 'conflict', retryable: true });
    await overtake;
    expect(await store.get(SHARD, 'task', 't')).toEqual(task);
  });
});

describe('reads', () => {
  it('list identities in order, by prefix, after one, up to a limit', async () => {
    const ids = ['a', 'b/1', 'b/2', 'b0', 'c'];
    await store.commit(
      SHARD,
      ids.map((taskGuid) => created(aTask({ taskGuid }))),
    );
    expect(await store.ids(SHARD, 'task')).toEqual(ids);
    expect(await store.ids(SHARD, 'task', { prefix: 'b/' })).toEqual(['b/1', 'b/2']);
    expect(await store.ids(SHARD, 'task', { after: 'b/2', limit: 1 })).toEqual(['b0']);
    expect(await store.ids(SHARD, 'task', { prefix: 'b/', after: 'b/1' })).toEqual(['b/2']);
  });

  it('give the records that exist, in the order asked', async () => {
    const [a, b] = [aTask({ taskGuid: 'a' }), aTask({ taskGuid: 'b' })];
    await store.commit(SHARD, [created(a), created(b)]);
    expect(await store.getAll(SHARD, 'task', ['b', 'absent', 'a'])).toEqual([b, a]);
    expect(await store.getAll(SHARD, 'task', [])).toEqual([]);
    expect(await store.get(SHARD, 'task', 'absent')).toBeUndefined();
  });

  it('give members by score up to a limit, lowest first', async () => {
    const sets = [5, 3, 9].map((score) => ({ set: 'presence', member: `cell-${score}`, score }));
    await store.commit(SHARD, [], { sets });
    expect(await store.membersByScore(SHARD, 'presence', 5)).toEqual([
      { member: 'cell-3', score: 3 },
      { member: 'cell-5', score: 5 },
    ]);
    expect(await store.membersByScore(SHARD, 'presence', Infinity, 1)).toEqual([
      { member: 'cell-3', score: 3 },
    ]);
  });

  it('keep what JSON can keep, whatever the text', async () => {
    const actual = anActualLRP({ processGuid: 'p', crashReason: 'sömething "quoted"\n\u0000 ✓ {…} 1e3 ' });
    await store.commit(SHARD, [{ kind: 'actual', after: actual }]);
    expect(await store.get(SHARD, 'actual', 'p/0/ORDINARY')).toEqual(actual);
  });
});

describe('open', () => {
  it('is agreed with by every version that lays a store out alike', async () => {
    await store.open();
    await harness.client().store.open();
    await expect(store.open()).resolves.toBeUndefined();
  });

  it('refuses a store that was laid out otherwise', async () => {
    await harness.redis.set('rivera:{deployment}:layout', JSON.stringify({ shards: 16, schema: 1 }));
    await expect(store.open()).rejects.toMatchObject({ code: 'unsupported' });
    await expect(store.open()).rejects.toThrow('{"shards":16,"schema":1}');
  });
});

describe('shards', () => {
  it('hold the same guids for ever', () => {
    expect(['', 'a', 'my-app', '0f1b3a52-6c0e-4d3e-9f0a-2f3b6c7d8e9f'].map(shardOf)).toEqual([5, 44, 9, 26]);
  });

  it('share the guids out evenly', () => {
    const counts = Array.from({ length: WORK_SHARDS }, () => 0);
    for (let i = 0; i < 64_000; i++) counts[shardOf(`app-${i}-${i * 7_919}`)]! += 1;
    expect(Math.min(...counts)).toBeGreaterThan(800);
    expect(Math.max(...counts)).toBeLessThan(1_200);
  });

  it('keep all their keys together on a cluster', () => {
    const tags = ALL_SHARDS.map((shard) => /\{(.+)\}/.exec(shardKey(shard, 'events'))?.[1]);
    expect(new Set(tags).size).toBe(ALL_SHARDS.length);
    expect(shardKey(CELLS_SHARD, 'cell')).toBe('rivera:{cells}:cell');
    expect(shardKey(4, 'actual')).toBe('rivera:{s04}:actual');
  });
});
