import { useCluster } from '../support/cluster.js';
import { aShellLRP, aTaskRequest, aWebLRP, pageOf, sh } from './workloads.js';

describe('the process backend', () => {
  const cluster = useCluster({ cells: 2, backend: 'process' });
  // Each instance is told its own port: there is one network for all.
  const lrp = aWebLRP({ instances: 2 });
  const { processGuid } = lrp;

  it('runs instances in both zones that answer where they say', async () => {
    await cluster.client.desireLRP(lrp);
    const running = await cluster.untilRunning(processGuid, 2);
    expect(new Set(running.map(({ availabilityZone }) => availabilityZone))).toEqual(new Set(['z1', 'z2']));
    for (const actual of running) {
      const page = await cluster.waitFor(() => pageOf(actual), {
        what: `instance ${actual.index} answers`,
        until: (text) => text !== '',
      });
      expect(page).toContain(`Hello from instance ${actual.index}`);
    }
  });

  it('takes back its processes when an agent is killed and starts again', async () => {
    const before = await cluster.actuals(processGuid);
    await cluster.kill9('cell-1');
    for (const actual of before) expect(await pageOf(actual)).toContain(`instance ${actual.index}`);
    await cluster.startProgram('cell-1');
    expect(await cluster.actuals(processGuid)).toEqual(before);
  });

  it('scales down, retires and removes', async () => {
    const [first, second] = await cluster.actuals(processGuid);
    await cluster.client.updateDesiredLRP(processGuid, { instances: 1 });
    await cluster.untilRunning(processGuid, 1);
    await expect(pageOf(second!)).rejects.toThrow('fetch failed');

    await cluster.client.retireActualLRP(processGuid, 0);
    await cluster.waitFor(() => cluster.actuals(processGuid), {
      what: 'instance 0 runs as another instance guid',
      until: ([actual]) => actual?.state === 'RUNNING' && actual.instanceGuid !== first?.instanceGuid,
    });

    await cluster.client.removeDesiredLRP(processGuid);
    await cluster.waitFor(() => cluster.actuals(processGuid), {
      what: 'no instances',
      until: (lrps) => lrps.length === 0,
    });
  });

  it('counts crashes and backs off', async () => {
    const crashing = aShellLRP('exit 7');
    await cluster.client.desireLRP(crashing);
    const [crashed] = await cluster.waitFor(() => cluster.actuals(crashing.processGuid), {
      what: 'CRASHED',
      until: ([actual]) => actual?.state === 'CRASHED',
    });
    expect(crashed).toMatchObject({ crashCount: 3, crashReason: 'LOG: Exited with status 7' });
    await cluster.client.removeDesiredLRP(crashing.processGuid);
  });

  it('runs a task and hands back the result file', async () => {
    const request = aTaskRequest({
      action: sh('echo -n forty-two >$TMPDIR/result'),
      resultFile: '/tmp/result',
    });
    await cluster.client.desireTask(request);
    expect(await cluster.untilCompleted(request.taskGuid)).toMatchObject({
      failed: false,
      result: 'forty-two',
    });
  });
});
