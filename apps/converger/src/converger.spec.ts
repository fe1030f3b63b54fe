import {
  claim,
  crash,
  desire,
  place,
  releaseReplacement,
  remove,
  start,
  startDeployment,
  startTask,
  placeTask,
} from '#rivera/lifecycle';
import { type ActualLRP, type Cell, splitDesiredLRP } from '#rivera/models';
import type { MockInstance } from 'vitest';
import { CELLS_SHARD, type InstanceDecision, ProcessRepository, shardKey, shardOf } from '#rivera/store';
import { BUILT_AT, aDesiredLRP, aTask } from '#test/builders.js';
import { type ConvergerHarness, type ConvergerHarnessOptions, startConverger } from '#test/converger.js';
import { NET_INFO, REGISTRATION } from '#test/fake-cell.js';
import { checkedContent, eventually, startStore, type StoreHarness } from '#test/store.js';
import { Repairs } from './repairs.js';

const TTL_MS = 10_000;
let harness: StoreHarness;
let converger: ConvergerHarness;
beforeAll(async () => {
  harness = await startStore();
});
beforeEach(() => harness.clear());
afterEach(() => converger.stop());
afterAll(() => harness.stop());

let guids = 0;
const at = (now = BUILT_AT) => ({ now, newGuid: () => `guid-${(guids += 1)}` });
const begin = async (options: Partial<ConvergerHarnessOptions> = {}): Promise<void> => {
  converger = await startConverger({ redisUrl: harness.server.url, now: BUILT_AT, ...options });
};
const present = (cellId: string, { epoch, now = BUILT_AT }: { epoch?: number; now?: number } = {}) =>
  harness.cells.register(cellId, REGISTRATION, { epoch, expiresAt: now + TTL_MS }, at(now));
const cellsPresent = async (count: number): Promise<void> => {
  for (let i = 1; i <= count; i++) await present(`cell-${i}`);
};
const desireLRP = (processGuid: string, instances = 1) =>
  harness.processes.change(processGuid, (process) =>
    desire(process, splitDesiredLRP(aDesiredLRP({ processGuid, instances })), at()),
  );
const change = (processGuid: string, index: number, decide: InstanceDecision['decide']) =>
  harness.processes.changeInstance({ processGuid, index, decide });

/** An instance that runs on a cell. */
async function run(processGuid: string, index: number, cellId: string): Promise<string> {
  const key = { instanceGuid: `${processGuid}-${index}-on-${cellId}`, cellId };
  const started = { netInfo: NET_INFO, routable: true, availabilityZone: 'z1' };
  await change(processGuid, index, (i) => place(i, { ...key, deadline: BUILT_AT + 60_000 }));
  await change(processGuid, index, (i) => claim(i, key, at()));
  await change(processGuid, index, (i) => start(i, key, started, at()));
  return key.instanceGuid;
}
const rowsOf = async (processGuid: string): Promise<string[]> =>
  (await harness.processes.actualsOf(processGuid)).map(outline).toSorted();
const outline = ({ index, presence, state, cellId }: ActualLRP): string =>
  [index, presence, state, ...(cellId === undefined ? [] : [cellId])].join(' ');
const states = async (): Promise<Record<string, Cell['state']>> =>
  Object.fromEntries((await harness.cells.list()).map(({ cellId, state }) => [cellId, state]));

describe('a cell that is lost', () => {
  it('has its instances replaced at once; the tasks it ran have failed', async () => {
    await cellsPresent(1);
    await desireLRP('app');
    await run('app', 0, 'cell-1');
    const { taskGuid } = aTask({ taskGuid: 'task' });
    await harness.store.commit(shardOf(taskGuid), [{ kind: 'task', after: aTask({ taskGuid }) }]);
    const placement = { instanceGuid: taskGuid, cellId: 'cell-1', deadline: BUILT_AT + 60_000 };
    await harness.tasks.change(taskGuid, (task) => placeTask(task, placement, at()));
    await harness.tasks.change(taskGuid, (task) => startTask(task, taskGuid, 'cell-1', at()));
    await begin();
    converger.advance(TTL_MS - 1);
    await present('cell-2', { now: converger.now() });
    expect(await rowsOf('app')).toEqual(['0 ORDINARY RUNNING cell-1']);

    converger.advance(1);
    await eventually(async () =>
      expect(await rowsOf('app')).toEqual(['0 ORDINARY UNCLAIMED', '0 SUSPECT RUNNING cell-1']),
    );
    await eventually(async () =>
      expect(await harness.tasks.get(taskGuid)).toMatchObject({ state: 'COMPLETED', failed: true }),
    );
    expect(await states()).toEqual({ 'cell-1': 'MISSING', 'cell-2': 'PRESENT' });
  });

  it('and comes back before its replacement runs: its instance is the ordinary one again', async () => {
    await cellsPresent(1);
    await desireLRP('app');
    const instanceGuid = await run('app', 0, 'cell-1');
    await begin();
    converger.advance(TTL_MS);
    await eventually(async () => expect(await rowsOf('app')).toHaveLength(2));
    await present('cell-1', { epoch: 1, now: converger.now() });
    await eventually(async () => expect(await rowsOf('app')).toEqual(['0 ORDINARY RUNNING cell-1']));
    expect(await harness.processes.actualsOf('app')).toMatchObject([{ instanceGuid }]);
  });

  it('and comes back when its replacement runs: the replacement stays', async () => {
    await cellsPresent(2);
    await desireLRP('app');
    await run('app', 0, 'cell-1');
    await begin();
    converger.advance(TTL_MS - 1);
    await present('cell-2', { epoch: 1, now: converger.now() });
    converger.advance(1);
    await eventually(async () => expect(await rowsOf('app')).toHaveLength(2));
    await run('app', 0, 'cell-2');
    await present('cell-1', { epoch: 1, now: converger.now() });
    await eventually(async () => expect(await rowsOf('app')).toEqual(['0 ORDINARY RUNNING cell-2']));
  });

  it('and is forgotten takes its suspects along', async () => {
    await cellsPresent(1);
    await desireLRP('app');
    await run('app', 0, 'cell-1');
    await begin();
    converger.advance(TTL_MS);
    await eventually(async () => expect(await rowsOf('app')).toHaveLength(2));
    converger.advance(3_600_000);
    await eventually(async () => expect(await rowsOf('app')).toEqual(['0 ORDINARY UNCLAIMED']));
    expect(await states()).toEqual({});
  });
});

describe('the safety stop', () => {
  const logged = (message: string) => converger.log.filter(({ message: name }) => name === message);

  it('leaves the work of too many lost cells alone and says so, until an operator lets go', async () => {
    await cellsPresent(4);
    await desireLRP('app', 4);
    for (let i = 0; i < 4; i++) await run('app', i, `cell-${i + 1}`);
    const running = await rowsOf('app');
    await begin();
    converger.advance(TTL_MS);
    await eventually(async () =>
      expect(new Set(Object.values(await states()))).toEqual(new Set(['MISSING'])),
    );
    await eventually(async () => expect(await converger.metric('cells_replacement_held')).toBe(4));
    expect(await rowsOf('app')).toEqual(running);
    const held = (await harness.cells.list()).map(({ replacementHeld }) => replacementHeld);
    expect(held).toEqual([true, true, true, true]);
    expect(logged('replacement-held')).toMatchObject([
      { level: 'error', cellIds: ['cell-1', 'cell-2', 'cell-3', 'cell-4'], percent: 50 },
    ]);

    await harness.cells.change('cell-1', releaseReplacement);
    await eventually(async () =>
      expect((await rowsOf('app')).slice(0, 2)).toEqual(['0 ORDINARY UNCLAIMED', '0 SUSPECT RUNNING cell-1']),
    );
    await present('cell-2', { epoch: 1, now: converger.now() });
    await eventually(async () => expect(await converger.metric('cells_replacement_held')).toBe(2));
    expect((await rowsOf('app')).slice(2)).toEqual(running.slice(1));
  });

  it('does not stop fewer losses than it is set to', async () => {
    await cellsPresent(4);
    await desireLRP('app', 2);
    await run('app', 0, 'cell-1');
    await run('app', 1, 'cell-2');
    await begin();
    converger.advance(TTL_MS - 1);
    for (const cellId of ['cell-3', 'cell-4']) await present(cellId, { epoch: 1, now: converger.now() });
    converger.advance(1);
    await eventually(async () => expect(await rowsOf('app')).toHaveLength(4));
    expect(await converger.metric('cells_replacement_held')).toBe(0);
  });
});

describe('what is due', () => {
  it('a back-off that is over, an evacuation past its deadline', async () => {
    await cellsPresent(1);
    await desireLRP('app', 2);
    const instanceGuid = await run('app', 0, 'cell-1');
    const before = (await harness.processes.actualsOf('app')).find(({ index }) => index === 1);
    const row = { ...before!, presence: 'EVACUATING' as const, state: 'RUNNING' as const, cellId: 'cell-1' };
    const expiresAt = BUILT_AT + 4_000;
    const evacuating = { ...row, instanceGuid: 'leaving', netInfo: NET_INFO, expiresAt };
    await harness.store.commit(shardOf('app'), [{ kind: 'actual', after: evacuating }]);
    for (let crashes = 0; crashes < 3; crashes++) {
      await change('app', 0, (i) => crash(i, { instanceGuid, cellId: 'cell-1' }, 'it fell over', at()));
      if (crashes < 2) await run('app', 0, 'cell-1');
    }
    expect((await rowsOf('app'))[0]).toBe('0 ORDINARY CRASHED');
    await begin();
    converger.advance(5_000);
    await eventually(async () =>
      expect(await rowsOf('app')).toEqual(['0 ORDINARY CRASHED', '1 ORDINARY UNCLAIMED']),
    );
    await present('cell-1', { epoch: 1, now: BUILT_AT + 60_000 });
    converger.advance(25_000);
    await eventually(async () =>
      expect(await rowsOf('app')).toEqual(['0 ORDINARY UNCLAIMED', '1 ORDINARY UNCLAIMED']),
    );
  });
});

describe('the rolling audit', () => {
  const audited = () => converger.metric('convergence_repairs_total', { found_by: 'audit' });
  /** As many shards as there are, and a moment for a second look. */
  const goRound = async (): Promise<void> => {
    const rounds = await converger.metric('convergence_audited_shards_total');
    for (let shards = 0; shards < 64 + 5; shards++) {
      converger.advance(500);
      await eventually(async () =>
        expect(await converger.metric('convergence_audited_shards_total')).toBeGreaterThan(rounds + shards),
      );
    }
  };

  it('has nothing to repair in a healthy system, and repairs what nobody was told of', async () => {
    await present('cell-1', { now: BUILT_AT + 3_600_000 });
    for (const guid of ['app-1', 'app-2', 'app-3']) {
      await desireLRP(guid);
      await run(guid, 0, 'cell-1');
    }
    await begin();
    await goRound();
    expect(await audited()).toBe(0);

    // Past the store: no event, no index entry.
    const shard = shardOf('app-2');
    await harness.redis.hdel(shardKey(shard, 'actual'), 'app-2/0/ORDINARY');
    await harness.redis.zrem(shardKey(shard, 'ids:actual'), 'app-2/0/ORDINARY');
    await goRound();
    expect(await rowsOf('app-2')).toEqual(['0 ORDINARY UNCLAIMED']);
    // The instance, and what the index of its cell said of it.
    expect(await audited()).toBe(2);
    expect(converger.log.filter(({ message: name }) => name === 'audit-repaired')).toMatchObject([
      { kind: 'index', shard },
      { guid: 'app-2' },
    ]);
  });

  describe('of shards in which nothing happens', () => {
    const shard = shardOf('app-1');
    const key = (name: string) => shardKey(shard, name);
    const [ID, MEMBER] = ['app-1/0/ORDINARY', 'lrp/app-1/0/ORDINARY'];
    const ROUNDS = 4;
    let reads: MockInstance<ProcessRepository['snapshotsOfShard']>;
    beforeEach(async () => {
      await present('cell-1', { now: BUILT_AT + 3_600_000 });
      await desireLRP('app-1');
      await run('app-1', 0, 'cell-1');
      await begin({ env: { AUDIT_THOROUGH_MS: String(ROUNDS * 30_000) } });
      reads = vi.spyOn(converger.app.get(ProcessRepository), 'snapshotsOfShard');
      await goRound();
    });
    /** How often the shard is read in so many rounds. */
    const looksIn = async (rounds: number): Promise<number> => {
      reads.mockClear();
      for (let round = 0; round < rounds; round += 1) await goRound();
      return reads.mock.calls.filter(([each]) => each === shard).length;
    };

    it('reads them once in a while only, and at once when something in them or around them has changed', async () => {
      const inAll = await looksIn(ROUNDS);
      expect(inAll).toBeGreaterThanOrEqual(1);
      expect(inAll).toBeLessThan(ROUNDS);
      await present('cell-2', { now: BUILT_AT + 3_600_000 });
      expect(await looksIn(1)).toBeGreaterThanOrEqual(1);
      await harness.cells.upsertDomain('some-domain', 0, at());
      expect(await looksIn(1)).toBeGreaterThanOrEqual(1);
      const key1 = { instanceGuid: 'app-1-0-on-cell-1', cellId: 'cell-1' };
      await change('app-1', 0, (i) => crash(i, key1, 'e', at()));
      expect(await looksIn(1)).toBeGreaterThanOrEqual(1);
    });

    it('finds in the next round what an index lacks or has in vain', async () => {
      const { redis } = harness;
      const damages = [
        () => redis.zrem(key('by-cell'), `cell-1/${MEMBER}`),
        () => redis.zadd(key('by-cell'), 0, `cell-1/lrp/nobody/0/ORDINARY`),
        () => redis.zadd(key('unplaced'), 0, MEMBER),
        () => redis.zadd(key('evacuating'), 0, MEMBER),
        () => redis.zrem(key('ids:actual'), ID),
        () => redis.zadd(key('ids:desired'), 0, 'nobody'),
      ];
      for (const [i, damage] of damages.entries()) {
        await damage();
        await goRound();
        expect(await audited()).toBe(i + 1);
        await checkedContent(redis);
      }
      expect(await rowsOf('app-1')).toEqual(['0 ORDINARY RUNNING cell-1']);
    });

    it('tells a cell of the work whose member it has mended', async () => {
      await harness.redis.zrem(key('by-cell'), `cell-1/${MEMBER}`);
      const before = (await harness.cells.work('cell-1')).version;
      await goRound();
      expect((await harness.cells.work('cell-1')).version).not.toBe(before);
    });

    it('finds within its bound one member in the place of another', async () => {
      await harness.redis.zrem(key('by-cell'), `cell-1/${MEMBER}`);
      await harness.redis.zadd(key('by-cell'), 0, `cell-2/${MEMBER}`);
      for (let round = 0; round < ROUNDS; round += 1) await goRound();
      expect(await audited()).toBe(2);
      await checkedContent(harness.redis);
    });
  });
});

describe('a deployment', () => {
  const policy = { minHealthyMs: 1_000, maxCrashes: 2 };
  const begin2 = async (oldInstances: number, newInstances: number): Promise<void> => {
    await present('cell-1', { now: BUILT_AT + 3_600_000 });
    await desireLRP('old', oldInstances);
    for (let i = 0; i < oldInstances; i++) await run('old', i, 'cell-1');
    await desireLRP('next', 0);
    await begin();
    const info = (await harness.processes.schedulingInfo('old'))!;
    const wanted = { newProcessGuid: 'next', newInstances, policy };
    await harness.deployments.change('old', (before) => startDeployment(before, info, wanted, at()));
  };
  const deployed = () => harness.deployments.get('old');
  const instances = async () => (await harness.processes.schedulingInfo('next'))?.instances;
  /** Its cell ends what was asked to stop. */
  const stopped = async (): Promise<void> => {
    for (const { index, instanceGuid, cellId, stopping } of await harness.processes.actualsOf('old')) {
      if (!stopping) continue;
      const key = { instanceGuid: instanceGuid!, cellId: cellId! };
      await change('old', index, (i) => remove(i, key, at()));
    }
  };

  it('goes on by events and by time alone, to its end', async () => {
    await begin2(2, 3);
    await eventually(async () => expect(await instances()).toBe(1));
    await run('next', 0, 'cell-1');
    // It is looked at again when that one has run for long enough.
    await eventually(async () => expect((await deployed())?.dueAt).toBe(BUILT_AT + 1_000));
    expect(await instances()).toBe(1);
    converger.advance(1_000);
    for (const index of [1, 2]) {
      await eventually(async () => expect(await instances()).toBe(index + 1));
      await stopped();
      await run('next', index, 'cell-1');
    }
    await eventually(async () => expect(await instances()).toBe(3));
    await eventually(async () => {
      await stopped();
      expect(await rowsOf('old')).toEqual([]);
    });
    await eventually(async () => expect(await deployed()).toMatchObject({ state: 'COMPLETED' }));
    expect(await harness.processes.schedulingInfo('old')).toBeUndefined();
    expect(await rowsOf('old')).toEqual([]);
    converger.advance(3_600_000);
    await eventually(async () => expect(await deployed()).toBeUndefined());
  });

  it('is rolled back when new instances crash', async () => {
    await begin2(2, 2);
    await eventually(async () => expect(await instances()).toBe(1));
    for (let crashes = 0; crashes < 2; crashes++) {
      const instanceGuid = await run('next', 0, 'cell-1');
      await change('next', 0, (i) => crash(i, { instanceGuid, cellId: 'cell-1' }, 'it fell over', at()));
    }
    await eventually(async () =>
      expect(await deployed()).toMatchObject({
        state: 'ROLLED_BACK',
        reason: 'New instances crashed 2 times: it fell over',
      }),
    );
    expect(await harness.processes.schedulingInfo('next')).toBeUndefined();
    expect(await rowsOf('old')).toEqual(['0 ORDINARY RUNNING cell-1', '1 ORDINARY RUNNING cell-1']);
  });

  it('is taken up by the next converger', async () => {
    await begin2(1, 1);
    await eventually(async () => expect(await instances()).toBe(1));
    await converger.stop();
    await run('next', 0, 'cell-1');
    await begin({ now: BUILT_AT + 2_000, token: 2 });
    await eventually(async () => expect(await rowsOf('old')).toHaveLength(1));
    await eventually(async () => {
      await stopped();
      expect(await deployed()).toMatchObject({ state: 'COMPLETED' });
    });
  });
});

describe('a converger that takes over', () => {
  const foundByCell = () => converger.metric('convergence_repairs_total', { found_by: 'cell' });
  let reads: MockInstance<ProcessRepository['snapshotsOnCells']>;
  beforeEach(async () => {
    for (const cellId of ['cell-1', 'cell-2']) await present(cellId, { now: BUILT_AT + 3_600_000 });
    for (const i of [1, 2]) {
      await desireLRP(`app-${i}`);
      await run(`app-${i}`, 0, `cell-${i}`);
    }
    await begin();
    const last = await harness.cells.lastEvent();
    await eventually(async () => expect(await harness.cells.convergedUpTo()).toBe(last));
    await converger.stop();
    reads = vi.spyOn(ProcessRepository.prototype, 'snapshotsOnCells');
  });
  afterEach(() => reads.mockRestore());

  it('judges the work of cells that came and went meanwhile, and of no others', async () => {
    await harness.cells.remove('cell-1');
    await present('cell-3', { now: BUILT_AT + 3_600_000 });
    await begin({ token: 2 });
    await eventually(async () => expect(await rowsOf('app-1')).toEqual(['0 ORDINARY UNCLAIMED']));
    await eventually(async () => expect(await foundByCell()).toBe(1));
    expect(await rowsOf('app-2')).toEqual(['0 ORDINARY RUNNING cell-2']);
    const last = await harness.cells.lastEvent();
    await eventually(async () => expect(await harness.cells.convergedUpTo()).toBe(last));
    const judged = new Set(reads.mock.calls.flatMap(([, cellIds]) => cellIds));
    expect(judged).toEqual(new Set(['cell-1', 'cell-3']));
  });

  it('does again what the former one has not ended', async () => {
    // It had read that the cell was gone, and no more.
    await harness.cells.remove('cell-1');
    await harness.cells.remove('cell-2');
    const fenceOfFormer = { fence: { role: 'converger', token: 1 } };
    await harness.cells.markConverged((await harness.cells.lastEvent()) - 1, fenceOfFormer);
    await begin({ token: 2 });
    await eventually(async () => expect(await rowsOf('app-2')).toEqual(['0 ORDINARY UNCLAIMED']));
  });

  it.each([
    ['the log no longer reaches back', () => harness.log.trim(CELLS_SHARD, Date.now() + 60_000)],
    ['nobody knows how far the former one got', () => harness.redis.del(shardKey(CELLS_SHARD, 'converged'))],
    [
      'the store is older than what it says of that',
      () => harness.redis.zadd(shardKey(CELLS_SHARD, 'converged'), 1_000, 'cells'),
    ],
  ])('judges all work when %s', async (_case, forget) => {
    await harness.cells.remove('cell-1');
    await forget();
    await begin({ token: 2 });
    await eventually(async () => expect(await rowsOf('app-1')).toEqual(['0 ORDINARY UNCLAIMED']));
    await eventually(async () => expect(await foundByCell()).toBe(1));
  });

  it('is not told by one that was replaced', async () => {
    await begin({ token: 2 });
    const fence = { role: 'converger', token: 1 };
    await expect(harness.cells.markConverged(1_000, { fence })).rejects.toMatchObject({ code: 'fenced' });
  });
});

describe('a cell that registered after the cells were read', () => {
  it('is not taken for gone', async () => {
    await begin();
    const repairs = converger.app.get(Repairs);
    const fence = { role: 'converger', token: 1 };
    await desireLRP('app');
    await repairs.refresh();
    await present('cell-9', { now: BUILT_AT + 60_000 });
    await run('app', 0, 'cell-9');
    expect(await repairs.process('app', fence)).toBe(0);
    await harness.cells.remove('cell-9');
    await repairs.refresh();
    await eventually(async () => expect(await rowsOf('app')).toEqual(['0 ORDINARY UNCLAIMED']));
  });
});

it('a former converger writes nothing', async () => {
  await begin();
  await harness.store.fence({ role: 'converger', token: 2 });
  await desireLRP('app');
  const fence = { role: 'converger', token: 1 };
  await harness.redis.hdel(shardKey(shardOf('app'), 'actual'), 'app/0/ORDINARY');
  await harness.redis.zrem(shardKey(shardOf('app'), 'ids:actual'), 'app/0/ORDINARY');
  await expect(converger.app.get(Repairs).process('app', fence)).rejects.toMatchObject({ code: 'fenced' });
});

describe('what is left of a cell that is gone', () => {
  const countedIn = (processGuid: string) =>
    harness.redis.zrange(shardKey(shardOf(processGuid), 'cell-versions'), 0, '-1');

  it('is forgotten where it holds nothing any more; cells that are there are not', async () => {
    await cellsPresent(2);
    await desireLRP('app', 2);
    const key = { instanceGuid: await run('app', 0, 'cell-1'), cellId: 'cell-1' };
    await run('app', 1, 'cell-2');
    await change('app', 0, (i) => remove(i, key, at()));
    await harness.cells.remove('cell-1');
    expect((await countedIn('app')).toSorted()).toEqual(['cell-1', 'cell-2']);
    await begin({ env: { AUDIT_PERIOD_MS: '1000', AUDIT_THOROUGH_MS: '1000' } });
    await eventually(async () => {
      converger.advance(20);
      expect(await countedIn('app')).toEqual(['cell-2']);
    });
  });
});
