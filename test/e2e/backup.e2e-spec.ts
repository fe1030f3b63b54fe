import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Cluster as RedisCluster } from 'ioredis';
import { connectRedis } from '#rivera/store';
import { runCli } from '../support/cli.js';
import { type Cluster, useCluster } from '../support/cluster.js';
import { aShellLRP, aTaskRequest, sh } from './workloads.js';

const CONTROL_PLANE = ['bbs', 'auctioneer', 'converger'];

/** As if the store were lost: nothing is left of it on any server. */
async function wipe(cluster: Cluster): Promise<void> {
  const redis = connectRedis(cluster.redis.url);
  await redis.ping();
  const servers = redis instanceof RedisCluster ? redis.nodes('master') : [redis];
  await Promise.all(servers.map((server) => server.flushall()));
  redis.disconnect();
}

describe.each(['single', 'cluster'] as const)('a store on Redis (%s) that is lost', (kind) => {
  const cluster = useCluster({ cells: 2, backend: 'process', redis: { kind } });
  let directory: string;
  beforeAll(async () => (directory = await mkdtemp(join(tmpdir(), 'rivera-backup-'))));
  afterAll(() => rm(directory, { recursive: true }));

  it('is restored from an export: what still runs is adopted, what is missing is made anew', async () => {
    const kept = `kept-${randomUUID()}`;
    await cluster.client.desireLRP(aShellLRP('sleep 3600', { processGuid: kept, instances: 3 }));
    const before = await cluster.untilRunning(kept, 3);
    const action = sh('while [ ! -e $TMPDIR/go ]; do sleep 0.2; done; echo -n yes >$TMPDIR/result');
    const { taskGuid } = await cluster.client.desireTask(aTaskRequest({ action, resultFile: '/tmp/result' }));
    const task = await cluster.waitFor(() => cluster.client.getTask(taskGuid), {
      what: 'the task runs',
      until: ({ state }) => state === 'RUNNING',
    });
    const lost = task.cellId === 'cell-1' ? 'cell-2' : 'cell-1';

    const file = join(directory, 'store.jsonl');
    expect(await runCli(cluster, ['admin', 'export', '--output', file])).toMatchObject({ status: 0 });
    await Promise.all(CONTROL_PLANE.map((name) => cluster.program(name).stop()));
    await wipe(cluster);
    await cluster.kill9(lost);
    const { main, env } = cluster.program(lost).options;
    await promisify(execFile)(process.execPath, [main, '--remove-containers'], { env });

    const bbs = cluster.program('bbs');
    bbs.options.env.BBS_RESTORE = 'true';
    await cluster.startProgram('bbs');
    const imported = await runCli(cluster, ['admin', 'import', '--input', file]);
    expect(imported).toMatchObject({ status: 0, err: '' });
    await bbs.stop();
    bbs.options.env.BBS_RESTORE = 'false';
    for (const name of [...CONTROL_PLANE, lost]) await cluster.startProgram(name);

    const adopted = before.filter(({ cellId }) => cellId !== lost);
    expect(adopted.length).toBeGreaterThan(0);
    expect(adopted.length).toBeLessThan(before.length);
    const after = await cluster.waitFor(() => cluster.actuals(kept), {
      what: 'all run, none of them where it was lost',
      until: (lrps) =>
        lrps.length === 3 &&
        lrps.every(
          ({ index, state, instanceGuid }) =>
            state === 'RUNNING' &&
            (before[index]!.cellId !== lost || instanceGuid !== before[index]!.instanceGuid),
        ),
      timeoutMs: 60_000,
    });
    for (const { index, instanceGuid, cellId } of adopted)
      expect(after[index]).toMatchObject({ instanceGuid, cellId });
    expect(await cluster.client.getTask(taskGuid)).toMatchObject({ state: 'RUNNING' });

    // And goes on: cells take what is new, and stop what is no longer wanted.
    await cluster.client.cancelTask(taskGuid);
    await cluster.client.updateDesiredLRP(kept, { instances: 4 });
    await cluster.untilRunning(kept, 4, 60_000);
    await cluster.client.removeDesiredLRP(kept);
    await cluster.untilRunning(kept, 0, 60_000);
  });
});
