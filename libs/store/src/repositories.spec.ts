import {
  changedCell,
  convergeProcess,
  desire,
  placeTask,
  removeDesired,
  startTask,
  type Context,
} from '#rivera/lifecycle';
import { type CellRegistration, splitDesiredLRP } from '#rivera/models';
import { BUILT_AT, aDesiredLRP, aRunningActualLRP, aTask, anActualLRP } from '#test/builders.js';
import { startStore, type StoreHarness } from '#test/store.js';
import { ALL_SHARDS, CELLS_SHARD, shardOf } from './shards.js';

let harness: StoreHarness;
beforeAll(async () => {
  harness = await startStore();
});
beforeEach(() => harness.clear());
afterAll(() => harness.stop());

let guids = 0;
const at = (now = BUILT_AT): Context => ({ now, newGuid: () => `guid-${(guids += 1)}` });
const desireLRP = (processGuid: string, instances = 2) =>
  harness.processes.change(processGuid, (process) =>
    desire(process, splitDesiredLRP(aDesiredLRP({ processGuid, instances })), at()),
  );
const put = (actual: ReturnType<typeof anActualLRP>) =>
  harness.store.commit(shardOf(actual.processGuid), [{ kind: 'actual', after: actual }]);

describe('ProcessRepository', () => {
  it('keeps a process in two halves and its instances', async () => {
    await desireLRP('my-app');
    const { schedulingInfo, run } = await harness.processes.desired('my-app');
    expect(schedulingInfo).toMatchObject({ processGuid: 'my-app', instances: 2 });
    expect(schedulingInfo).not.toHaveProperty('action');
    expect(run).toMatchObject({ processGuid: 'my-app', action: { run: { path: '/bin/sleep' } } });
    expect((await harness.processes.actualsOf('my-app')).map(({ index }) => index)).toEqual([0, 1]);
    await expect(harness.processes.desired('other')).rejects.toMatchObject({ code: 'not-found' });
    expect(await harness.processes.schedulingInfo('other')).toBeUndefined();
  });

  it('does not take one guid for the beginning of another', async () => {
    await Promise.all([desireLRP('app', 1), desireLRP('app-2', 1), desireLRP('app2', 1)]);
    expect((await harness.processes.actualsOf('app')).map(({ processGuid }) => processGuid)).toEqual(['app']);
  });

  it('gives a rule everything of its process, and of its slot', async () => {
    await desireLRP('my-app');
    await put(aRunningActualLRP({ processGuid: 'my-app', index: 1, presence: 'SUSPECT' }));
    await harness.processes.change('my-app', ({ desired, run, actuals }) => {
      expect([desired?.processGuid, run?.processGuid]).toEqual(['my-app', 'my-app']);
      expect(actuals.map(({ index, presence }) => `${index}/${presence}`)).toEqual([
        '0/ORDINARY',
        '1/ORDINARY',
        '1/SUSPECT',
      ]);
      return [];
    });
    await harness.processes.changeInstance({
      processGuid: 'my-app',
      index: 1,
      decide: ({ desired, ordinary, suspect, evacuating }) => {
        expect([desired?.instances, ordinary?.presence, suspect?.presence, evacuating]).toEqual([
          2,
          'ORDINARY',
          'SUSPECT',
          undefined,
        ]);
        return [];
      },
    });
  });

  it('sees an instance that appears while a rule about the whole process is applied', async () => {
    await desireLRP('my-app', 1);
    const suspect = aRunningActualLRP({ processGuid: 'my-app', presence: 'SUSPECT' });
    let attempts = 0;
    await harness.processes.change('my-app', (process) => {
      attempts += 1;
      // The list of its instances has been read; now there is one more.
      if (attempts === 1) void put(suspect);
      return removeDesired(process);
    });
    expect(attempts).toBe(2);
    expect(await harness.processes.actualsOf('my-app')).toEqual([]);
  });

  it('changes many slots of a shard together or not at all', async () => {
    await desireLRP('my-app', 3);
    const shard = shardOf('my-app');
    const decision = (index: number) => ({
      processGuid: 'my-app',
      index,
      decide: ({ ordinary }: { ordinary?: ReturnType<typeof anActualLRP> }) =>
        ordinary === undefined ? [] : [{ kind: 'actual' as const, before: ordinary }],
    });
    const refusing = {
      ...decision(2),
      decide: () => {
        throw new RangeError('no');
      },
    };
    await expect(harness.processes.changeInstances(shard, [decision(0), refusing])).rejects.toThrow(
      RangeError,
    );
    expect(await harness.processes.actualsOf('my-app')).toHaveLength(3);
    expect(
      await harness.processes.changeInstances(shard, [decision(0), decision(1), decision(7)]),
    ).toHaveLength(2);
    expect((await harness.processes.actualsOf('my-app')).map(({ index }) => index)).toEqual([2]);
  });

  it('finds what a cell holds or was given, in every shard', async () => {
    const held = aRunningActualLRP({ processGuid: 'held', cellId: 'cell-1' });
    const given = anActualLRP({
      processGuid: 'given',
      placement: { instanceGuid: 'i', cellId: 'cell-1', deadline: 9 },
    });
    const elsewhere = aRunningActualLRP({ processGuid: 'elsewhere', cellId: 'cell-10' });
    await Promise.all([held, given, elsewhere].map(put));
    const found = await harness.processes.actualsOnCell('cell-1');
    expect(found.map(({ processGuid }) => processGuid).toSorted()).toEqual(['given', 'held']);
  });

  it('gives many processes at once, and a shard as convergence wants it', async () => {
    const names = Array.from({ length: 20 }, (_, i) => `app-${i}`);
    await Promise.all(names.map((name) => desireLRP(name, 1)));
    const infos = await harness.processes.schedulingInfos([...names, 'unknown']);
    expect(infos.map(({ processGuid }) => processGuid).toSorted()).toEqual(names.toSorted());
    expect(await harness.processes.runInfos(['app-3'])).toMatchObject([{ processGuid: 'app-3' }]);
    const orphan = anActualLRP({ processGuid: 'orphan' });
    await put(orphan);
    const snapshots = await harness.processes.snapshotsOfShard(shardOf('orphan'));
    expect(snapshots.find(({ processGuid }) => processGuid === 'orphan')).toEqual({
      processGuid: 'orphan',
      actuals: [orphan],
    });
    const perShard = await Promise.all(
      ALL_SHARDS.slice(0, CELLS_SHARD).map((shard) => harness.processes.snapshotsOfShard(shard)),
    );
    const world = { cells: new Map(), isFresh: () => true };
    const healthy = perShard.flat().filter((process) => convergeProcess(process, world, at()).length === 0);
    expect(healthy.map(({ processGuid }) => processGuid).toSorted()).toEqual(names.toSorted());
  });
});

describe('TaskRepository', () => {
  it('changes, reads and finds tasks', async () => {
    const task = aTask({ taskGuid: 't' });
    await harness.tasks.change('t', (before) => {
      expect(before).toBeUndefined();
      return [{ kind: 'task', after: task }];
    });
    expect(await harness.tasks.get('t')).toEqual(task);
    const placement = { instanceGuid: 't', cellId: 'cell-1', deadline: BUILT_AT + 5 };
    await harness.tasks.change('t', (before) => placeTask(before, placement, at()));
    expect(await harness.tasks.onCell('cell-1')).toMatchObject([{ taskGuid: 't', state: 'PENDING' }]);
    await harness.tasks.change('t', (before) => startTask(before, 't', 'cell-1', at()));
    expect(await harness.tasks.onCell('cell-1')).toMatchObject([{ taskGuid: 't', state: 'RUNNING' }]);
    expect(await harness.tasks.onCell('cell-2')).toEqual([]);
    expect(await harness.tasks.ofShard(shardOf('t'))).toHaveLength(1);
    expect(await harness.tasks.byId(shardOf('t'), ['absent', 't'])).toHaveLength(1);
  });
});

const registration: CellRegistration = {
  zone: 'z1',
  address: '10.0.0.1',
  backend: 'fake',
  capacity: { memoryMb: 1, diskMb: 2, containers: 3 },
  rootfsProviders: [{ scheme: 'docker' }],
};

describe('a presence that says the same again', () => {
  const renew = (client = harness.cells, change: Partial<CellRegistration> = {}) =>
    client.register('c', { ...registration, ...change }, { epoch: 1, expiresAt: BUILT_AT + 10 }, at());

  it('reads nothing, and still says so when the cell has changed or was removed meanwhile', async () => {
    await harness.cells.register('c', registration, { expiresAt: BUILT_AT }, at());
    const reading = vi.spyOn(harness.store, 'getStored');
    expect((await renew()).transition).toEqual([]);
    expect(reading).not.toHaveBeenCalled();
    expect(await harness.cells.nextExpiry()).toBe(BUILT_AT + 10);

    // Over another bbs.
    const other = harness.client().cells;
    await other.change('c', (cell) => changedCell(cell, { cordoned: true }));
    expect((await renew()).cell).toMatchObject({ cordoned: true });
    await other.lose('c', { expiresAt: BUILT_AT + 10, isHeld: false }, at());
    expect((await renew()).cell).toMatchObject({ state: 'PRESENT', cordoned: true });
    expect((await renew(harness.cells, { zone: 'z9' })).cell.zone).toBe('z9');
    expect((await renew(harness.cells, { zone: 'z9' })).transition).toEqual([]);

    await other.register('c', registration, { expiresAt: BUILT_AT + 20 }, at());
    await expect(renew(harness.cells, { zone: 'z9' })).rejects.toMatchObject({ code: 'stale-epoch' });
    await other.remove('c');
    await expect(renew(harness.cells, { zone: 'z9' })).rejects.toMatchObject({ code: 'stale-epoch' });
    reading.mockRestore();
  });
});

describe('CellRepository', () => {
  const register = (fields: { epoch?: number; expiresAt?: number } = {}, cellId = 'cell-1') =>
    harness.cells.register(cellId, registration, { expiresAt: BUILT_AT + 10, ...fields }, at());
  const reports = (token: number) =>
    Promise.all(
      ALL_SHARDS.map((shard) =>
        harness.store
          .commit(shard, [], { fence: { role: 'cell:cell-1', token } })
          .catch(({ code }: { code: string }) => code),
      ),
    );

  it('each start of an agent gets a higher epoch and shuts the one before it out, everywhere', async () => {
    expect((await register()).cell.epoch).toBe(1);
    expect((await register()).cell).toMatchObject({ epoch: 2, state: 'PRESENT' });
    expect(new Set(await reports(1))).toEqual(new Set(['fenced']));
    expect(new Set(await reports(2))).toEqual(new Set([true]));
    await expect(register({ epoch: 1 })).rejects.toMatchObject({ code: 'stale-epoch' });
  });

  it('a cell that was removed comes back with a higher epoch than it ever had', async () => {
    await register();
    await register();
    await harness.cells.remove('cell-1');
    const { cell } = await register();
    expect(cell.epoch).toBe(3);
    expect(new Set(await reports(2))).toEqual(new Set(['fenced']));
    expect(new Set(await reports(3))).toEqual(new Set([true]));
  });

  it('renewing moves the presence on and writes no record', async () => {
    await register();
    const { transition } = await register({ epoch: 1, expiresAt: BUILT_AT + 99 });
    expect(transition).toEqual([]);
    expect(await harness.cells.nextExpiry()).toBe(BUILT_AT + 99);
    expect(await harness.cells.expired(BUILT_AT + 98)).toEqual([]);
    expect(await harness.cells.expired(BUILT_AT + 99)).toEqual([
      { cellId: 'cell-1', expiresAt: BUILT_AT + 99 },
    ]);
  });

  it('a presence that ran out makes a cell MISSING, unless it was renewed in between', async () => {
    await register();
    await register({ epoch: 1, expiresAt: BUILT_AT + 99 });
    expect(await harness.cells.lose('cell-1', { expiresAt: BUILT_AT + 10, isHeld: false }, at())).toEqual([]);
    expect(await harness.cells.get('cell-1')).toMatchObject({ state: 'PRESENT' });
    expect(
      await harness.cells.lose('cell-1', { expiresAt: BUILT_AT + 99, isHeld: false }, at()),
    ).toHaveLength(1);
    expect(await harness.cells.get('cell-1')).toMatchObject({ state: 'MISSING' });
    expect(await harness.cells.nextExpiry()).toBeUndefined();
    expect((await register({ epoch: 1 })).cell).toMatchObject({ state: 'PRESENT', epoch: 1 });
  });

  it('a cell that leaves takes its presence along', async () => {
    await register();
    await register({}, 'cell-2');
    await harness.cells.remove('cell-1');
    expect((await harness.cells.list()).map(({ cellId }) => cellId)).toEqual(['cell-2']);
    expect(await harness.cells.expired(Infinity)).toMatchObject([{ cellId: 'cell-2' }]);
    expect(await harness.cells.remove('cell-1')).toEqual([]);
  });

  it('domains are kept until they are no longer fresh', async () => {
    await harness.cells.upsertDomain('cf-apps', 120, at());
    await harness.cells.upsertDomain('for-ever', 0, at());
    expect(await harness.cells.removeExpiredDomain('cf-apps', BUILT_AT + 119_999)).toEqual([]);
    const { modificationTag } = await harness.cells.upsertDomain('cf-apps', 120, at(BUILT_AT + 1));
    expect(modificationTag.index).toBe(1);
    expect(await harness.cells.removeExpiredDomain('cf-apps', BUILT_AT + 120_000)).toEqual([]);
    expect(await harness.cells.removeExpiredDomain('cf-apps', BUILT_AT + 120_001)).toHaveLength(1);
    expect(await harness.cells.removeExpiredDomain('for-ever', Infinity)).toEqual([]);
    expect((await harness.cells.domains()).map(({ domain }) => domain)).toEqual(['for-ever']);
  });
});
