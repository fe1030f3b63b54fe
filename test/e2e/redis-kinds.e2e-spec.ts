import { randomUUID } from 'node:crypto';
import { RiveraError } from '#rivera/models';
import { useCluster } from '../support/cluster.js';
import { Following } from '../support/follow.js';
import type { RedisTopology } from '../support/redis-topologies.js';
import { eventually } from '../support/store.js';
import { aShellLRP, aTaskRequest, sh } from './workloads.js';

/** The first call may have been applied though it was answered by 503. */
function unlessItExists(error: unknown): void {
  if (!(error instanceof RiveraError) || error.code !== 'already-exists') throw error;
}

/** The whole suite runs on each with `RIVERA_TEST_REDIS=cluster` or `sentinel`; this much of it always does. */
describe.each(['cluster', 'sentinel'] as const)('store and bus on Redis %s', (kind) => {
  const cluster = useCluster({
    cells: 2,
    backend: 'process',
    supervised: true,
    redis: { kind, appendonly: true },
    leaseTtlMs: 2_000,
  });

  it('an LRP runs, is scaled, updated and removed, and a client that resumes misses no event', async () => {
    const processGuid = `app-${randomUUID()}`;
    const following = await Following.start(cluster.client, { processGuid });
    await cluster.client.desireLRP(aShellLRP('sleep 3600', { processGuid, instances: 2 }));
    await cluster.untilRunning(processGuid, 2);
    await following.until(({ types }) => types.filter((type) => type === 'actual_lrp_changed').length >= 4);
    const { cursor } = await following.stop();

    await cluster.client.updateDesiredLRP(processGuid, { instances: 4, annotation: 'new' });
    await cluster.untilRunning(processGuid, 4);
    await cluster.client.removeDesiredLRP(processGuid);
    await cluster.untilRunning(processGuid, 0);
    const resumed = await Following.start(cluster.client, { processGuid }, { lastEventId: cursor });
    await resumed.until(({ types }) => types.filter((type) => type === 'actual_lrp_removed').length === 4);
    const { types, resets } = await resumed.stop();
    expect(resets).toEqual([]);
    expect(types.filter((type) => type === 'desired_lrp_changed')).toHaveLength(1);
    expect(types.filter((type) => type === 'desired_lrp_removed')).toHaveLength(1);
  });

  it('a task runs once and its result is there', async () => {
    const { taskGuid } = await cluster.client.desireTask(
      aTaskRequest({ action: sh('echo -n yes >$TMPDIR/result'), resultFile: '/tmp/result' }),
    );
    expect(await cluster.untilCompleted(taskGuid)).toMatchObject({ failed: false, result: 'yes' });
  });

  it('a cell that is lost is replaced, and a standby takes the auction over', async () => {
    const processGuid = `app-${randomUUID()}`;
    await cluster.kill9('auctioneer');
    await cluster.client.desireLRP(aShellLRP('sleep 3600', { processGuid, instances: 2 }));
    await cluster.startProgram('auctioneer');
    const before = await cluster.untilRunning(processGuid, 2);
    const [lost] = before;
    await cluster.kill9(lost!.cellId!);
    await cluster.waitFor(() => cluster.actuals(processGuid), {
      what: 'both instances run on a cell that is there',
      until: (lrps) =>
        lrps.filter(({ state, cellId }) => state === 'RUNNING' && cellId !== lost!.cellId).length >= 2,
      timeoutMs: 45_000,
    });
  });

  it('a master is killed: what was desired is there, and work goes on', async () => {
    const redis = cluster.redis as RedisTopology;
    const processGuid = `app-${randomUUID()}`;
    await cluster.client.desireLRP(aShellLRP('sleep 3600', { processGuid, instances: 1 }));
    await cluster.untilRunning(processGuid, 1);
    const [victim] = await redis.masters();
    await victim!.kill9();
    const killedAt = performance.now();
    const guids = Array.from({ length: 8 }, () => `app-${randomUUID()}`);
    for (const guid of guids) {
      const lrp = aShellLRP('sleep 3600', { processGuid: guid, instances: 1 });
      // As the documentation asks of clients: what was answered by 503 is repeated.
      await eventually(() => cluster.client.desireLRP(lrp).catch(unlessItExists));
    }
    console.info(
      `${guids.length} LRPs desired ${Math.round(performance.now() - killedAt)} ms after the kill`,
    );
    for (const guid of [processGuid, ...guids]) await cluster.untilRunning(guid, 1, 60_000);
  });
});
