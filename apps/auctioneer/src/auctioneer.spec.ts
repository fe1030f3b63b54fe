import { randomUUID } from 'node:crypto';
import {
  claim,
  type Context,
  desire,
  desireTask,
  loseCell,
  refusePlacement,
  registerCell,
  remove,
  removeCell,
  removeDesired,
} from '#rivera/lifecycle';
import {
  type ActualLRP,
  type CellRegistration,
  type DesiredLRPRequest,
  splitDesiredLRP,
  type Task,
} from '#rivera/models';
import { CELLS_SHARD } from '#rivera/store';
import { type AuctioneerApp, type AuctioneerAppOptions, startAuctioneerApp } from '#test/auctioneer-app.js';
import { aDesiredLRP, aTaskDefinition } from '#test/builders.js';
import { CellMailboxes } from '#test/cell-mailboxes.js';
import { REGISTRATION } from '#test/fake-cell.js';
import { checkedContent, eventually, startStore, type StoreHarness } from '#test/store.js';

/** The safety net comes after 30 s; whatever happens within 20 s needs none. */
let store: StoreHarness;
let auctioneer: AuctioneerApp | undefined;
let mailboxes: CellMailboxes;
let told: { cellId: string; guid: string }[];

beforeAll(async () => {
  store = await startStore();
});
beforeEach(async () => {
  await store.clear();
  told = [];
  mailboxes = new CellMailboxes(store.server.url, (cellId, { lrps, tasks }) => {
    told.push(...lrps.map(({ instanceGuid }) => ({ cellId, guid: instanceGuid })));
    told.push(...tasks.map(({ taskGuid }) => ({ cellId, guid: taskGuid })));
  });
});
afterEach(async () => {
  await auctioneer?.stop();
  auctioneer = undefined;
  mailboxes.stop();
});
afterAll(() => store.stop());

const startAuctioneer = (options: AuctioneerAppOptions = {}) => startAuctioneerApp(store.server.url, options);
const context = (): Context => ({ now: Date.now(), newGuid: randomUUID });

async function addCell(cellId: string, change: Partial<CellRegistration> = {}): Promise<void> {
  await mailboxes.consume([cellId]);
  await describeCell(cellId, change);
}

async function describeCell(cellId: string, change: Partial<CellRegistration> = {}): Promise<void> {
  const registration = { ...REGISTRATION, ...change };
  await store.store.transact(CELLS_SHARD, [{ kind: 'cell', id: cellId }], (lookup) => {
    const cell = lookup('cell', cellId)?.record;
    return registerCell(cell, cellId, registration, { epoch: cell?.epoch }, context());
  });
}

const withMemory = (memoryMb: number, containers = 250): Partial<CellRegistration> => ({
  capacity: { memoryMb, diskMb: 1_000_000, containers },
});

async function desireLRP(change: Partial<DesiredLRPRequest> = {}): Promise<string> {
  const lrp = splitDesiredLRP(aDesiredLRP(change));
  const { processGuid } = lrp.schedulingInfo;
  await store.processes.change(processGuid, (process) => desire(process, lrp, context()));
  return processGuid;
}

async function runTask(change: Partial<Task['definition']> = {}): Promise<string> {
  const taskGuid = `task-${randomUUID()}`;
  const definition = aTaskDefinition({ rootfs: 'preloaded:cflinuxfs4', ...change });
  await store.tasks.change(taskGuid, (task) =>
    desireTask(task, { taskGuid, domain: 'd', definition }, context()),
  );
  return taskGuid;
}

async function instances(processGuid: string): Promise<ActualLRP[]> {
  const actuals = await store.processes.actualsOf(processGuid);
  return actuals.toSorted((a, b) => a.index - b.index);
}

/** Where each instance was placed, once all of them have been and their cells know. */
async function placed(processGuid: string): Promise<string[]> {
  return eventually(async () => {
    const placements = (await instances(processGuid)).map(({ placement }) => placement);
    for (const placement of placements) {
      expect(told).toContainEqual({ cellId: placement?.cellId, guid: placement?.instanceGuid });
    }
    return placements.map((placement) => placement?.cellId ?? '');
  });
}

async function blocked(processGuid: string): Promise<string> {
  return eventually(async () => {
    const [first] = await instances(processGuid);
    expect(first?.placementError).toBeDefined();
    return first?.placementError ?? '';
  });
}

/** The cell that was given the instance refuses it. */
async function refuse(processGuid: string, index = 0, reason = 'no room'): Promise<void> {
  await store.processes.changeInstance({
    processGuid,
    index,
    decide: (instance) => refusePlacement(instance, instance.ordinary!.placement!, reason, context()),
  });
}

async function take(processGuid: string, index = 0): Promise<void> {
  await store.processes.changeInstance({
    processGuid,
    index,
    decide: (instance) => claim(instance, instance.ordinary!.placement!, context()),
  });
}

async function end(processGuid: string): Promise<void> {
  await store.processes.change(processGuid, (process) => removeDesired(process));
  await store.processes.changeInstance({
    processGuid,
    index: 0,
    decide: (instance) => {
      const { instanceGuid, cellId } = instance.ordinary ?? {};
      if (instanceGuid === undefined || cellId === undefined) return [];
      return remove(instance, { instanceGuid, cellId }, context());
    },
  });
}

const tagIndex = async (processGuid: string): Promise<number | undefined> =>
  (await instances(processGuid))[0]?.modificationTag.index;

describe('placing', () => {
  it('places what is desired and tells each cell once', async () => {
    auctioneer = await startAuctioneer();
    await addCell('cell-1');
    await addCell('cell-2', { zone: 'z2' });
    const cells = await placed(await desireLRP({ instances: 4 }));
    expect(cells.toSorted()).toEqual(['cell-1', 'cell-1', 'cell-2', 'cell-2']);
    expect(told).toHaveLength(4);
    expect(mailboxes.messages).toBe(2);
    const taskGuid = await runTask();
    await eventually(() => expect(told.map(({ guid }) => guid)).toContain(taskGuid));
    expect((await store.tasks.get(taskGuid))?.placement?.instanceGuid).toBe(taskGuid);
  });

  it('P10 loses nothing: what was submitted is placed, or says why not', async () => {
    auctioneer = await startAuctioneer();
    await addCell('cell-1', withMemory(6_400));
    const guids = await Promise.all(Array.from({ length: 30 }, () => desireLRP({ instances: 5 })));
    const all = await eventually(async () => {
      const found = (await Promise.all(guids.map(instances))).flat();
      expect(found.filter(({ placement, placementError }) => !placement && !placementError)).toEqual([]);
      return found;
    });
    expect(all).toHaveLength(150);
    expect(all.filter(({ placement }) => placement !== undefined)).toHaveLength(100);
    expect(new Set(all.map(({ placementError }) => placementError))).toEqual(
      new Set([undefined, 'insufficient resources: memory']),
    );
    await checkedContent(store.redis);
  });

  it('places a backlog when it begins, and tells cells what they have not taken yet', async () => {
    await addCell('cell-1');
    const waiting = await desireLRP({ instances: 3 });
    auctioneer = await startAuctioneer({ token: 1 });
    await placed(waiting);
    await auctioneer.stop();
    told.length = 0;
    auctioneer = await startAuctioneer({ token: 2 });
    await placed(waiting);
    expect(told).toHaveLength(3);
  });

  it('counts what runs after a restart', async () => {
    await addCell('cell-1', withMemory(128));
    const first = await desireLRP({ instances: 1 });
    auctioneer = await startAuctioneer({ token: 1 });
    await placed(first);
    await take(first);
    await auctioneer.stop();
    auctioneer = await startAuctioneer({ token: 2 });
    await placed(await desireLRP());
    expect(await blocked(await desireLRP())).toBe('insufficient resources: memory');
  });

  it('writes nothing once another has taken over', async () => {
    auctioneer = await startAuctioneer({ token: 1 });
    const successor = await startAuctioneer({ token: 2 });
    await successor.stop();
    await addCell('cell-1');
    const processGuid = await desireLRP();
    await eventually(() => expect(auctioneer?.log.join('\n')).toContain('has been replaced by token 2'));
    expect(await instances(processGuid)).toMatchObject([{ state: 'UNCLAIMED' }]);
    expect((await instances(processGuid))[0]).not.toHaveProperty('placement');
  });

  it('leaves work alone that was removed in the meantime', async () => {
    auctioneer = await startAuctioneer();
    await addCell('cell-1', withMemory(64));
    const guids = await Promise.all(Array.from({ length: 20 }, () => desireLRP()));
    await Promise.all(guids.map((guid) => store.processes.change(guid, (process) => removeDesired(process))));
    await placed(await desireLRP());
  });
});

describe('P11 blocked work is placed by the event that helps it, without a timer', () => {
  const large = { memoryMb: 2_048 };

  it('a cell joins', async () => {
    auctioneer = await startAuctioneer();
    const processGuid = await desireLRP(large);
    expect(await blocked(processGuid)).toBe('unable to communicate to compatible cells');
    await addCell('cell-small', withMemory(1_024));
    await eventually(async () => expect(await blocked(processGuid)).toBe('insufficient resources: memory'));
    await addCell('cell-large', withMemory(4_096));
    expect(await placed(processGuid)).toEqual(['cell-large']);
  });

  it('an instance ends', async () => {
    auctioneer = await startAuctioneer();
    await addCell('cell-1', withMemory(2_048));
    const first = await desireLRP(large);
    await placed(first);
    await take(first);
    const second = await desireLRP(large);
    await blocked(second);
    await end(first);
    expect(await placed(second)).toEqual(['cell-1']);
  });

  it('a cell raises its limits, or no longer leaves', async () => {
    auctioneer = await startAuctioneer();
    await addCell('cell-1', withMemory(1_024));
    const processGuid = await desireLRP(large);
    await blocked(processGuid);
    await describeCell('cell-1', { ...withMemory(4_096), evacuating: true });
    await eventually(async () =>
      expect(await blocked(processGuid)).toBe('unable to communicate to compatible cells'),
    );
    await describeCell('cell-1', withMemory(4_096));
    expect(await placed(processGuid)).toEqual(['cell-1']);
  });

  it('a cell has the stack', async () => {
    auctioneer = await startAuctioneer();
    await addCell('cell-1');
    const processGuid = await desireLRP({ rootfs: 'preloaded:other' });
    expect(await blocked(processGuid)).toBe('found no compatible cell for required rootfs');
    await addCell('cell-2', { rootfsProviders: [{ scheme: 'preloaded', stacks: ['other'] }] });
    expect(await placed(processGuid)).toEqual(['cell-2']);
  });

  it('a container has started, where only so many may start at once', async () => {
    auctioneer = await startAuctioneer({ env: { STARTING_CONTAINER_COUNT_MAXIMUM: '1' } });
    await addCell('cell-1');
    const first = await desireLRP();
    await placed(first);
    const second = await desireLRP();
    expect(await blocked(second)).toBe('waiting to start instance: reached in-flight start limit');
    await take(first);
    await end(first);
    await placed(second);
  });

  it('and an event that does not help leaves it alone, and its record as it is', async () => {
    auctioneer = await startAuctioneer();
    await addCell('cell-1', withMemory(1_024));
    const small = await desireLRP({ memoryMb: 512 });
    await placed(small);
    await take(small);
    const processGuid = await desireLRP(large);
    await blocked(processGuid);
    const before = [await tagIndex(processGuid), await auctioneer.metric('auction_failures_total')];
    await end(small);
    await placed(await desireLRP());
    expect([await tagIndex(processGuid), await auctioneer.metric('auction_failures_total')]).toEqual(before);
    await addCell('cell-2', withMemory(1_024));
    await placed(await desireLRP());
    expect(await tagIndex(processGuid)).toEqual(before[0]);
  });

  it('only as many are woken as fit', async () => {
    auctioneer = await startAuctioneer();
    await addCell('cell-1', withMemory(512));
    const guids = await Promise.all(Array.from({ length: 40 }, () => desireLRP(large)));
    await Promise.all(guids.map(blocked));
    const before = await auctioneer.metric('auction_failures_total');
    await addCell('cell-2', withMemory(3 * 2_048));
    await eventually(async () => expect(await auctioneer?.metric('auction_placements_total')).toBe(3));
    await placed(await desireLRP());
    // One more is asked whether what all of them were told is still true.
    expect(await auctioneer.metric('auction_failures_total')).toBe(before + 1);
  });
});

describe('refusals', () => {
  it('refused work is placed elsewhere at once, and the first refusal is remembered', async () => {
    auctioneer = await startAuctioneer();
    for (const cellId of ['cell-1', 'cell-2', 'cell-3']) await addCell(cellId);
    const processGuid = await desireLRP();
    const [first] = await placed(processGuid);
    await refuse(processGuid, 0, 'the first reason');
    const second = await eventually(async () => {
      const [cellId] = await placed(processGuid);
      expect(cellId).not.toBe(first);
      return cellId;
    });
    await refuse(processGuid, 0, 'the second reason');
    await eventually(async () => expect([first, second]).not.toContain((await placed(processGuid))[0]));
    expect((await instances(processGuid))[0]).toMatchObject({
      refusedBy: [first, second],
      refusal: { cellId: first, reason: 'the first reason' },
    });
  });

  it('work that no cell takes waits, and says who refused it', async () => {
    auctioneer = await startAuctioneer();
    await addCell('cell-1');
    const processGuid = await desireLRP();
    await placed(processGuid);
    await refuse(processGuid, 0, 'I am full');
    expect(await blocked(processGuid)).toBe('refused by 1 cell; first cell cell-1: I am full');
    await addCell('cell-2');
    expect(await placed(processGuid)).toEqual(['cell-2']);
  });

  it('a cell that refuses everything rests, and the others have its share', async () => {
    auctioneer = await startAuctioneer();
    await addCell('cell-liar', withMemory(1_000_000));
    const refused = await Promise.all(Array.from({ length: 3 }, () => desireLRP()));
    await Promise.all(refused.map(placed));
    for (const processGuid of refused) await refuse(processGuid);
    await eventually(() => expect(auctioneer?.log.join('\n')).toContain('cell-rests'));
    await addCell('cell-honest', withMemory(2_000));
    for (const processGuid of refused) {
      await eventually(async () => expect(await placed(processGuid)).toEqual(['cell-honest']));
    }
  });
});

describe('a cell that is gone', () => {
  it('leaves no mailbox behind', async () => {
    auctioneer = await startAuctioneer();
    await describeCell('cell-1');
    const processGuid = await desireLRP();
    await eventually(async () => {
      expect((await instances(processGuid))[0]?.placement?.cellId).toBe('cell-1');
      expect(await store.redis.keys('{cell-cell-1}:*')).not.toEqual([]);
    });
    await store.store.commit(CELLS_SHARD, removeCell(await store.cells.get('cell-1')));
    await eventually(async () => expect(await store.redis.keys('{cell-cell-1}:*')).toEqual([]));
  });
});

describe('when the event log has a gap', () => {
  it('reads everything again and goes on', async () => {
    auctioneer = await startAuctioneer();
    await addCell('cell-1', withMemory(192));
    const guids = [await desireLRP(), await desireLRP()];
    for (const processGuid of guids) await placed(processGuid);
    await auctioneer.breakLog();
    const third = await desireLRP();
    await placed(third);
    const fourth = await desireLRP();
    expect(await blocked(fourth)).toBe('insufficient resources: memory');
    await take(third);
    await end(third);
    await placed(fourth);
  });

  it('learns that a cell is gone', async () => {
    auctioneer = await startAuctioneer();
    await addCell('cell-1');
    await addCell('cell-2');
    await placed(await desireLRP());
    const cell = await store.cells.get('cell-1');
    await store.store.commit(CELLS_SHARD, loseCell(cell, false, context()));
    const cells = await placed(await desireLRP({ instances: 4 }));
    expect(new Set(cells)).toEqual(new Set(['cell-2']));
  });
});
