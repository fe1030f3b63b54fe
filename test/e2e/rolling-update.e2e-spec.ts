import type { Deployment, DeploymentRequest } from '#rivera/models';
import { useCluster } from '../support/cluster.js';
import { Following } from '../support/follow.js';
import { watchServing } from '../support/serving.js';
import { aShellLRP } from './workloads.js';

const INSTANCES = 4;

describe('a rolling update', () => {
  const cluster = useCluster({ cells: 2, backend: 'process' });
  const lrp = (processGuid: string, script: string, fields: object = {}) =>
    aShellLRP(script, { processGuid, instances: INSTANCES, ...fields });
  const careful: Partial<DeploymentRequest> = { maxInFlight: 2, minHealthyMs: 300 };

  const untilState = (processGuid: string, state: Deployment['state']): Promise<Deployment> =>
    cluster.waitFor(() => cluster.client.getDeployment(processGuid), {
      what: `the deployment of ${processGuid} is ${state}`,
      until: (deployment) => deployment.state === state,
      timeoutMs: 60_000,
    });
  /** Runs the old LRP, follows the events until the deployment has ended. */
  const deploy = async (request: DeploymentRequest, end: Deployment['state']) => {
    const { processGuid } = request;
    const before = await cluster.untilRunning(processGuid, INSTANCES);
    const following = await Following.start(cluster.client);
    await cluster.client.startDeployment(request);
    const deployment = await untilState(processGuid, end);
    const { events } = await following.stop();
    const { fewest = 0 } = watchServing(before, events, () => 'both').get('both') ?? {};
    return { before, deployment, events, fewest };
  };

  it('to a good definition: as many run as before at every moment, and the old one is gone in the end', async () => {
    await cluster.client.desireLRP(lrp('v1', 'sleep 3600'));
    const definition = lrp('v2', 'exec sleep 3601');
    const { fewest, events } = await deploy({ processGuid: 'v1', definition, ...careful }, 'COMPLETED');
    expect(fewest).toBe(INSTANCES);
    await cluster.untilRunning('v2', INSTANCES);
    expect(await cluster.actuals('v1')).toEqual([]);
    await expect(cluster.client.getDesiredLRP('v1')).rejects.toMatchObject({ code: 'not-found' });
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['deployment_created', 'deployment_changed']),
    );
  });

  it('to a bad definition: it is rolled back by itself, and the old instances have run all the time', async () => {
    const definition = lrp('v3', 'sleep 0.1; exit 3');
    const request = { processGuid: 'v2', definition, ...careful, minHealthyMs: 5_000 };
    const { before, deployment, fewest } = await deploy(request, 'ROLLED_BACK');
    expect(deployment.reason).toMatch(/^New instances crashed \d+ times: .*exited with status 3/i);
    expect(fewest).toBe(INSTANCES);
    expect(await cluster.actuals('v2')).toEqual(before);
    await expect(cluster.client.getDesiredLRP('v3')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('that finds no room: it is rolled back for want of progress', async () => {
    const definition = lrp('v4', 'sleep 3600', { memoryMb: 1_000_000_000 });
    const request = { processGuid: 'v2', definition, ...careful, progressTimeoutMs: 1_000 };
    const { before, deployment } = await deploy(request, 'ROLLED_BACK');
    expect(deployment.reason).toBe('No progress for 1000 ms: insufficient resources: memory');
    expect(await cluster.actuals('v2')).toEqual(before);
  });

  it('is paused, survives the end of every program of the control plane, goes on and is cancelled', async () => {
    const definition = lrp('v5', 'sleep 3600');
    await cluster.client.startDeployment({ processGuid: 'v2', definition, ...careful, minHealthyMs: 1_000 });
    await cluster.untilRunning('v5', 2);
    await cluster.client.pauseDeployment('v2');
    const paused = (await cluster.client.getDesiredLRP('v5')).instances;
    for (const name of ['converger', 'bbs', 'auctioneer']) {
      await cluster.kill9(name);
      await cluster.startProgram(name);
    }
    expect((await cluster.client.getDesiredLRP('v5')).instances).toBe(paused);
    await cluster.client.resumeDeployment('v2');
    await cluster.waitFor(() => cluster.client.getDeployment('v2'), {
      what: 'new ones are healthy',
      until: ({ healthy }) => healthy > 0,
      timeoutMs: 60_000,
    });
    await cluster.client.cancelDeployment('v2');
    await untilState('v2', 'ROLLED_BACK');
    await cluster.untilRunning('v2', INSTANCES);
    expect(await cluster.actuals('v5')).toEqual([]);
  });
});
