import { useCluster } from '../support/cluster.js';
import { aTaskRequest, hasDocker, sh } from './workloads.js';

describe.skipIf(!hasDocker())('tasks on the Docker Engine', () => {
  const cluster = useCluster({ cells: 1, backend: 'docker' });

  const untilNoContainer = (taskGuid: string) =>
    cluster.waitFor(async () => (await cluster.containers()).map(({ handle }) => handle), {
      what: `no container of ${taskGuid}`,
      until: (handles) => !handles.includes(taskGuid),
    });

  it('runs to completion and hands back the result file', async () => {
    const request = aTaskRequest({ action: sh('echo -n forty-two >/tmp/result'), resultFile: '/tmp/result' });
    await cluster.client.desireTask(request);
    const task = await cluster.untilCompleted(request.taskGuid);
    expect(task).toMatchObject({ failed: false, result: 'forty-two' });
    await untilNoContainer(request.taskGuid);

    await cluster.client.deleteTask(request.taskGuid);
    await expect(cluster.client.getTask(request.taskGuid)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('says why it failed', async () => {
    const request = aTaskRequest({ action: sh('exit 3') });
    await cluster.client.desireTask(request);
    const task = await cluster.untilCompleted(request.taskGuid);
    expect(task.failed).toBe(true);
    expect(task.failureReason).toContain('Exited with status 3');
  });

  it('says that a program is missing', async () => {
    const request = aTaskRequest({ action: { run: { path: '/bin/nonesuch', user: 'vcap' } } });
    await cluster.client.desireTask(request);
    const task = await cluster.untilCompleted(request.taskGuid);
    expect(task.failed).toBe(true);
    expect(task.failureReason).toContain('/bin/nonesuch');
  });

  it('fails when the result file is missing', async () => {
    const request = aTaskRequest({ action: sh('true'), resultFile: '/tmp/nothing-here' });
    await cluster.client.desireTask(request);
    const task = await cluster.untilCompleted(request.taskGuid);
    expect(task.failed).toBe(true);
    expect(task.failureReason).toContain('failed to fetch result');
  });

  it('is cancelled while it runs, and its container goes', async () => {
    const request = aTaskRequest({ action: sh('sleep 3600') });
    await cluster.client.desireTask(request);
    await cluster.waitFor(() => cluster.containers(), {
      what: 'its container runs',
      until: (found) => found.some(({ handle, state }) => handle === request.taskGuid && state === 'running'),
    });
    const cancelled = await cluster.client.cancelTask(request.taskGuid);
    expect(cancelled).toMatchObject({
      state: 'COMPLETED',
      failed: true,
      failureReason: 'task was cancelled',
    });
    await untilNoContainer(request.taskGuid);
  });

  it('runs serial, parallel, try and timeout actions in one container', async () => {
    const request = aTaskRequest({
      action: {
        serial: {
          actions: [
            { parallel: { actions: [sh('echo a >/tmp/a'), sh('echo b >/tmp/b')] } },
            { try: { action: sh('exit 1') } },
            { timeout: { action: sh('cat /tmp/a /tmp/b >/tmp/result'), timeoutMs: 60_000 } },
          ],
        },
      },
      resultFile: '/tmp/result',
    });
    await cluster.client.desireTask(request);
    const task = await cluster.untilCompleted(request.taskGuid);
    expect(task).toMatchObject({ failed: false, result: 'a\nb\n' });
  });

  it('interrupts an action that takes too long', async () => {
    const request = aTaskRequest({ action: { timeout: { action: sh('sleep 3600'), timeoutMs: 300 } } });
    await cluster.client.desireTask(request);
    const task = await cluster.untilCompleted(request.taskGuid);
    expect(task.failed).toBe(true);
    expect(task.failureReason).toContain('exceeded 300ms timeout');
    await untilNoContainer(request.taskGuid);
  });
});
