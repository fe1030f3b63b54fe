import { useCluster } from '../support/cluster.js';
import { aShellLRP, aTaskRequest, sh } from './workloads.js';

describe('placement errors', () => {
  const cluster = useCluster({ cells: 1, backend: 'fake', cellEnv: { CELL_MEMORY_MB: '1024' } });

  const large = aShellLRP('sleep 3600', { memoryMb: 2_048 });

  const untilPlacementError = async (processGuid: string): Promise<string> => {
    const [actual] = await cluster.waitFor(() => cluster.actuals(processGuid), {
      what: `${processGuid} has a placement error`,
      until: ([seen]) => seen?.placementError !== undefined,
    });
    expect(actual?.state).toBe('UNCLAIMED');
    return actual?.placementError ?? '';
  };

  it('says that no cell has the stack, until one does', async () => {
    const lrp = aShellLRP('sleep 3600', { rootfs: 'preloaded:other' });
    await cluster.client.desireLRP(lrp);
    expect(await untilPlacementError(lrp.processGuid)).toContain('found no compatible cell');

    const cellId = await cluster.addCell('cell-with-stack', { env: { PRELOADED_ROOTFS: 'other=unused' } });
    const [running] = await cluster.untilRunning(lrp.processGuid, 1);
    expect(running).toMatchObject({ cellId });
    expect(running).not.toHaveProperty('placementError');
  });

  it('says that there is too little memory, until there is more', async () => {
    await cluster.client.desireLRP(large);
    expect(await untilPlacementError(large.processGuid)).toContain('insufficient resources: memory');

    const cellId = await cluster.addCell('cell-with-memory', { env: { CELL_MEMORY_MB: '4096' } });
    expect(await cluster.untilRunning(large.processGuid, 1)).toMatchObject([{ cellId }]);
  });

  it('says that no cell has the placement tags, until one does', async () => {
    const lrp = aShellLRP('sleep 3600', { placementTags: ['gold'] });
    await cluster.client.desireLRP(lrp);
    expect(await untilPlacementError(lrp.processGuid)).toContain('gold');

    const cellId = await cluster.addCell('cell-with-tag', { env: { CELL_PLACEMENT_TAGS: 'gold' } });
    expect(await cluster.untilRunning(lrp.processGuid, 1)).toMatchObject([{ cellId }]);
  });

  it('shows why a task waits', async () => {
    const request = aTaskRequest({ action: sh('true'), memoryMb: 100_000 });
    await cluster.client.desireTask(request);
    const task = await cluster.waitFor(() => cluster.client.getTask(request.taskGuid), {
      what: 'the task has been rejected',
      until: ({ rejectionCount }) => rejectionCount > 0,
    });
    expect(task.rejectionReason).toContain('insufficient resources: memory');
    await cluster.client.cancelTask(request.taskGuid);
  });

  it('places what waits as soon as something else makes room', async () => {
    const first = aShellLRP('sleep 3600', { memoryMb: 3_072 });
    const second = aShellLRP('sleep 3600', { memoryMb: 3_072 });
    // The only cell that is large enough has one of them already.
    await cluster.client.removeDesiredLRP(large.processGuid);
    await cluster.client.desireLRP(first);
    await cluster.untilRunning(first.processGuid, 1);
    await cluster.client.desireLRP(second);
    await untilPlacementError(second.processGuid);
    await cluster.client.removeDesiredLRP(first.processGuid);
    await cluster.untilRunning(second.processGuid, 1);
  });
});
