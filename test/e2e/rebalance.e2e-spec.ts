import type { ActualLRP } from '#rivera/models';
import { aDesiredLRP } from '../support/builders.js';
import { type Cluster, useCluster } from '../support/cluster.js';
import { Following } from '../support/follow.js';

const APPS = ['app-1', 'app-2', 'app-3', 'app-4'];
const INSTANCES = 3;

/** Apps that were placed while there was one cell only. */
async function desireApps(cluster: Cluster): Promise<void> {
  for (const processGuid of APPS) {
    await cluster.client.desireLRP(
      aDesiredLRP({
        processGuid,
        instances: INSTANCES,
        rootfs: 'preloaded:base',
        memoryMb: 128,
        diskMb: 128,
      }),
    );
  }
  for (const processGuid of APPS) await cluster.untilRunning(processGuid, INSTANCES);
}

async function instancesOf(cluster: Cluster): Promise<ActualLRP[]> {
  return (await Promise.all(APPS.map((processGuid) => cluster.actuals(processGuid)))).flat();
}

/** No app has more than one instance more in one zone than in the other. */
const isEven = (rows: ActualLRP[]): boolean =>
  APPS.every((processGuid) => {
    const cells = rows.filter((row) => row.processGuid === processGuid).map(({ cellId }) => cellId);
    const difference = cells.filter((cellId) => cellId === 'cell-1').length * 2 - cells.length;
    return Math.abs(difference) <= 1;
  });

const isSettled = (rows: ActualLRP[]): boolean =>
  rows.length === APPS.length * INSTANCES &&
  rows.every(({ state, presence }) => state === 'RUNNING' && presence === 'ORDINARY');

/**
 * Follows the events from this state on: after each transition, every app has all its instances running, and no more than
 * one of them on the move.
 */
async function expectGentle(before: ActualLRP[], following: Following): Promise<void> {
  const identity = ({ processGuid, index, instanceGuid }: ActualLRP) =>
    `${processGuid} ${index} ${instanceGuid}`;
  const known = new Map(before.map((row) => [identity(row), row]));
  let moves = 0;
  for (const event of (await following.stop()).events) {
    if (event.type === 'actual_lrp_changed' || event.type === 'actual_lrp_removed') {
      known.delete(identity(event.before));
    }
    if (event.type === 'actual_lrp_changed' || event.type === 'actual_lrp_created') {
      known.set(identity(event.after), event.after);
    }
    for (const processGuid of APPS) {
      const rows = [...known.values()].filter((row) => row.processGuid === processGuid);
      const running = new Set(rows.filter(({ state }) => state === 'RUNNING').map(({ index }) => index));
      const moving = rows.filter(({ presence }) => presence === 'EVACUATING');
      expect([processGuid, running.size]).toEqual([processGuid, INSTANCES]);
      expect(moving.length).toBeLessThanOrEqual(1);
      moves += moving.length;
    }
  }
  expect(moves).toBeGreaterThan(0);
}

describe('an uneven deployment', () => {
  const cluster = useCluster({ cells: 1, backend: 'fake' });

  it('stays as it is when it is only asked what would be moved', async () => {
    await desireApps(cluster);
    await cluster.addCell('cell-2');
    const before = await instancesOf(cluster);
    const plan = await cluster.client.rebalance({ dryRun: true });
    expect(plan).toMatchObject({ dryRun: true, started: [], before: { largestZoneSkew: 3 } });
    expect(plan.moves.map(({ processGuid }) => processGuid).toSorted()).toEqual(APPS);
    for (const move of plan.moves)
      expect(move).toMatchObject({ from: 'cell-1', to: 'cell-2', reason: 'zone' });
    expect(await instancesOf(cluster)).toEqual(before);
  });

  it('is evened out, replacements first and one instance of an app at a time', async () => {
    const before = await instancesOf(cluster);
    const following = await Following.start(cluster.client);
    const { moves, started } = await cluster.client.rebalance({ maxMoves: 3 });
    expect(moves).toHaveLength(3);
    expect(started).toEqual(moves.map(({ processGuid, index }) => ({ processGuid, index })));
    await cluster.waitFor(() => instancesOf(cluster), { what: 'three have moved', until: isSettled });
    expect((await cluster.client.rebalance()).started).toHaveLength(1);
    const after = await cluster.waitFor(() => instancesOf(cluster), {
      what: 'all are settled and even',
      until: (rows) => isSettled(rows) && isEven(rows),
    });
    await expectGentle(before, following);

    const left = new Set(before.map(({ instanceGuid }) => instanceGuid));
    for (const { instanceGuid } of after) left.delete(instanceGuid);
    expect(left.size).toBe(4);
    const isStopped = (log: string, guid = '') =>
      log.split('\n').some((line) => line.includes('container-completed') && line.includes(guid));
    await cluster.waitFor(() => cluster.program('cell-1').logTail(1_000), {
      what: 'cell-1 has stopped the containers whose replacements run',
      until: (log) => [...left].every((guid) => isStopped(log, guid)),
    });
    expect((await cluster.client.getCell('cell-1')).work).toMatchObject({ running: 8, evacuating: 0 });
    expect((await cluster.client.rebalance()).moves).toEqual([]);
  });
});

describe('an auctioneer that is told to rebalance', () => {
  const cluster = useCluster({
    cells: 1,
    backend: 'fake',
    controlPlaneEnv: {
      auctioneer: { REBALANCE_INTERVAL_MS: '500', REBALANCE_MOVES_PER_MINUTE: '240' },
    },
  });

  it('evens out by itself what a new cell leaves uneven', async () => {
    await desireApps(cluster);
    const before = await instancesOf(cluster);
    const following = await Following.start(cluster.client);
    await cluster.addCell('cell-2');
    await cluster.waitFor(() => instancesOf(cluster), {
      what: 'all are settled and even',
      until: (rows) => isSettled(rows) && isEven(rows),
      timeoutMs: 60_000,
    });
    await expectGentle(before, following);
  });
});
