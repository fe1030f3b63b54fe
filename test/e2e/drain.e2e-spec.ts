import type { ActualLRP, RiveraEvent } from '#rivera/models';
import { aDesiredLRP, aTaskDefinition } from '../support/builders.js';
import { useCluster } from '../support/cluster.js';
import { Following } from '../support/follow.js';
import { watchServing } from '../support/serving.js';

const ROOTFS = 'preloaded:base';
const LRPS = 5;
const INSTANCES = 10;

/** The instances that were never EVACUATING, each with what happened to it instead. */
function notMoved(before: ActualLRP[], events: RiveraEvent[]): string[] {
  return before.flatMap(({ processGuid, index, instanceGuid }) => {
    const history = events.flatMap((event) => {
      if (event.type !== 'actual_lrp_changed' && event.type !== 'actual_lrp_removed') return [];
      const after = event.type === 'actual_lrp_changed' ? event.after : event.before;
      if (event.before.instanceGuid !== instanceGuid) return [];
      return [{ presence: after.presence, line: `${event.type} ${after.state} ${after.presence}` }];
    });
    if (history.some(({ presence }) => presence === 'EVACUATING')) return [];
    return [`${processGuid}/${index}: ${history.map(({ line }) => line).join(', ') || 'nothing'}`];
  });
}

/** Whether the events tell of as many records that ended on a cell. */
function haveLeft(events: RiveraEvent[], cellId: string, instances: number): boolean {
  const left = events.filter(
    (event) => event.type === 'actual_lrp_removed' && event.before.cellId === cellId,
  );
  return left.length >= instances;
}

describe('a cell that is drained', () => {
  const cluster = useCluster({
    cells: 2,
    backend: 'fake',
    presenceTtlMs: 6_000,
    controlPlaneEnv: { bbs: { EVACUATION_MAX_PER_LRP: '3' } },
  });
  const guids = Array.from({ length: LRPS }, (_, i) => `many-${i}`);

  const desire = (processGuid: string, fields: object = {}) =>
    cluster.client.desireLRP(aDesiredLRP({ processGuid, rootfs: ROOTFS, ...fields }));
  const untilEmpty = (cellId: string) =>
    cluster.waitFor(() => cluster.client.getCell(cellId), {
      what: `${cellId} holds nothing`,
      until: ({ work }) => Object.values(work).every((count) => count === 0),
      timeoutMs: 60_000,
    });
  /** All of it on one cell, and the other one open again. */
  const runOn = async (cellId: string, elsewhere: string, desired: () => Promise<unknown>): Promise<void> => {
    await cluster.client.cordonCell(elsewhere);
    await cluster.client.uncordonCell(cellId);
    await desired();
    await cluster.client.uncordonCell(elsewhere);
  };

  it('of 50 instances misses none at any moment, and moves no more at once than may', async () => {
    await runOn('cell-1', 'cell-2', async () => {
      for (const guid of guids) await desire(guid, { instances: INSTANCES });
      for (const guid of guids) await cluster.untilRunning(guid, INSTANCES, 60_000);
    });
    const before = (await Promise.all(guids.map((guid) => cluster.actuals(guid)))).flat();
    expect(before).toHaveLength(LRPS * INSTANCES);
    const following = await Following.start(cluster.client);
    const beganAt = performance.now();
    await cluster.client.drainCell('cell-1');
    const { cordoned, drain } = await untilEmpty('cell-1');
    const tookMs = Math.round(performance.now() - beganAt);
    console.info(
      `${before.length} instances left a cell in ${tookMs} ms, 3 at a time of each of ${LRPS} LRPs.`,
    );
    expect({ cordoned, isDraining: drain !== undefined }).toEqual({ cordoned: true, isDraining: true });
    await following.until(({ events }) => haveLeft(events, 'cell-1', before.length));
    const { events } = await following.stop();
    expect(notMoved(before, events)).toEqual([]);
    const moved = events.filter(
      (event) => event.type === 'actual_lrp_changed' && event.after.presence === 'EVACUATING',
    );
    expect(moved).toHaveLength(LRPS * INSTANCES);
    expect(watchServing(before, events)).toEqual(
      new Map(guids.map((guid) => [guid, { fewest: INSTANCES, mostMoving: 3 }])),
    );
    const after = (await Promise.all(guids.map((guid) => cluster.actuals(guid)))).flat();
    expect(after.every(({ cellId, presence }) => cellId === 'cell-2' && presence === 'ORDINARY')).toBe(true);
    for (const guid of guids) await cluster.client.removeDesiredLRP(guid);
    await untilEmpty('cell-2');
  });

  it('RECREATE: one at a time is missing, and none overlap', async () => {
    await runOn('cell-1', 'cell-2', async () => {
      await desire('recreate', { instances: 3, updateStrategy: 'RECREATE' });
      await cluster.untilRunning('recreate', 3);
    });
    const before = await cluster.actuals('recreate');
    const following = await Following.start(cluster.client);
    await cluster.client.drainCell('cell-1');
    await untilEmpty('cell-1');
    await cluster.untilRunning('recreate', 3);
    const { events } = await following.stop();
    expect(watchServing(before, events).get('recreate')).toEqual({ fewest: 2, mostMoving: 0 });
    const presences = events.flatMap((event) =>
      event.type === 'actual_lrp_changed' ? [event.after.presence] : [],
    );
    expect(new Set(presences)).toEqual(new Set(['ORDINARY']));
    await cluster.client.removeDesiredLRP('recreate');
  });

  it('at the deadline what is left is stopped; a drain that is cancelled moves nothing more', async () => {
    await runOn('cell-1', 'cell-2', async () => {
      await desire('stuck', { instances: 2 });
      await cluster.untilRunning('stuck', 2);
      const definition = aTaskDefinition({ rootfs: ROOTFS });
      await cluster.client.desireTask({ taskGuid: 'endless', domain: 'd', definition });
      await cluster.waitFor(() => cluster.client.getTask('endless'), {
        what: 'the task runs',
        until: ({ state }) => state === 'RUNNING',
      });
    });
    // There is no room elsewhere.
    await cluster.client.cordonCell('cell-2');
    await cluster.client.drainCell('cell-1');
    await cluster.waitFor(() => cluster.actuals('stuck'), {
      what: 'both wait for their replacement',
      until: (rows) => rows.filter(({ presence }) => presence === 'EVACUATING').length === 2,
    });
    const cancelled = await cluster.client.cancelDrain('cell-1');
    expect(cancelled).not.toHaveProperty('drain');
    expect((await cluster.actuals('stuck')).filter(({ state }) => state === 'RUNNING')).toHaveLength(2);

    await cluster.client.drainCell('cell-1', { timeoutMs: 500 });
    await untilEmpty('cell-1');
    expect(await cluster.client.getTask('endless')).toMatchObject({
      state: 'COMPLETED',
      failed: true,
      failureReason: 'cell was drained before completion',
    });
    expect((await cluster.actuals('stuck')).map(({ state }) => state)).toEqual(['UNCLAIMED', 'UNCLAIMED']);
    await cluster.client.uncordonCell('cell-2');
    await cluster.untilRunning('stuck', 2);
    await cluster.client.removeDesiredLRP('stuck');
    await cluster.client.uncordonCell('cell-1');
  });

  it('drains itself on SIGTERM where it is told to, and leaves for good', async () => {
    const cellId = await cluster.addCell('cell-3', { env: { DRAIN_ON_STOP_MS: '30000' } });
    await cluster.client.cordonCell('cell-1');
    await runOn(cellId, 'cell-2', async () => {
      await desire('leaving', { instances: 3 });
      await cluster.untilRunning('leaving', 3);
    });
    const before = await cluster.actuals('leaving');
    const following = await Following.start(cluster.client);
    await cluster.program(cellId).stop();
    expect(cluster.program(cellId).state).toBe('exited with 0');
    await expect(cluster.client.getCell(cellId)).rejects.toMatchObject({ code: 'not-found' });
    const after = await cluster.untilRunning('leaving', 3);
    expect(after.every((row) => row.cellId === 'cell-2')).toBe(true);
    const { events } = await following.stop();
    expect(watchServing(before, events).get('leaving')?.fewest).toBe(3);
  });
});
