import { useCluster } from '../support/cluster.js';
import { aShellLRP, aWebLRP, hasDocker, pageOf } from './workloads.js';

// An agent that starts again must be back within it, also on a busy machine.
const PRESENCE_TTL_MS = 10_000;

describe.skipIf(!hasDocker())('cells that come and go', () => {
  const cluster = useCluster({ cells: 2, backend: 'docker', presenceTtlMs: PRESENCE_TTL_MS });
  const web = aWebLRP({ instances: 2 });

  const containerIds = async () => (await cluster.containers()).map(({ id }) => id).toSorted();
  const untilHandles = (expected: (string | undefined)[]) =>
    cluster.waitFor(async () => (await cluster.containers()).map(({ handle }) => handle), {
      what: `the containers are ${expected.join()}`,
      until: (handles) =>
        handles.length === expected.length && expected.every((one) => handles.includes(one ?? '')),
    });

  it('takes back its containers when an agent is killed and starts again', async () => {
    await cluster.client.desireLRP(web);
    const before = await cluster.untilRunning(web.processGuid, 2);
    const ids = await containerIds();

    await cluster.kill9('cell-1');
    await cluster.startProgram('cell-1');

    expect(await cluster.actuals(web.processGuid)).toEqual(before);
    expect(await containerIds()).toEqual(ids);
    for (const actual of before) expect(await pageOf(actual)).toContain(`instance ${actual.index}`);
    // It supervises what it took back: a program that ends is seen.
    const adopted = before.find(({ cellId }) => cellId === 'cell-1');
    await (await cluster.container(adopted?.instanceGuid)).kill();
    await cluster.waitFor(() => cluster.actuals(web.processGuid), {
      what: 'the instance that was killed runs again',
      until: (lrps) => lrps.some(({ state, crashCount }) => state === 'RUNNING' && crashCount === 1),
    });
  });

  it('sees what ended while no agent looked', async () => {
    const [actual] = await cluster.actuals(web.processGuid);
    const cell = actual?.cellId ?? '';
    const container = await cluster.container(actual?.instanceGuid);
    await cluster.kill9(cell);
    await container.kill();
    await cluster.startProgram(cell);
    await cluster.waitFor(() => cluster.actuals(web.processGuid), {
      what: 'instance 0 runs anew',
      until: ([seen]) => seen?.state === 'RUNNING' && seen.instanceGuid !== actual?.instanceGuid,
    });
  });

  it('stops what was scaled away or retired while no agent looked', async () => {
    const lrp = aShellLRP('sleep 3600', { instances: 2 });
    await cluster.client.desireLRP(lrp);
    const before = await cluster.untilRunning(lrp.processGuid, 2);
    await cluster.kill9('cell-1');
    await cluster.kill9('cell-2');
    await cluster.client.updateDesiredLRP(lrp.processGuid, { instances: 1 });
    await cluster.client.retireActualLRP(lrp.processGuid, 0);
    await Promise.all([cluster.startProgram('cell-1'), cluster.startProgram('cell-2')]);
    const [after] = await cluster.untilRunning(lrp.processGuid, 1);
    expect(before.map(({ instanceGuid }) => instanceGuid)).not.toContain(after?.instanceGuid);
    const wanted = [...(await cluster.actuals(web.processGuid)), after];
    await untilHandles(wanted.map((actual) => actual?.instanceGuid));
    await cluster.client.removeDesiredLRP(lrp.processGuid);
  });

  it('replaces the instances of a cell that stays dead, and cleans up when it comes back', async () => {
    const before = await cluster.untilRunning(web.processGuid, 2);
    const lost = before.find(({ cellId }) => cellId === 'cell-2');
    const diedAt = performance.now();
    await cluster.kill9('cell-2');
    const after = await cluster.waitFor(() => cluster.actuals(web.processGuid), {
      what: 'both instances run on cell-1',
      until: (lrps) =>
        lrps.length === 2 && lrps.every((lrp) => lrp.state === 'RUNNING' && lrp.cellId === 'cell-1'),
      timeoutMs: PRESENCE_TTL_MS + 30_000,
    });
    const tookMs = Math.round(performance.now() - diedAt);
    console.info(
      `A dead cell's instance ran elsewhere after ${tookMs} ms (presence TTL ${PRESENCE_TTL_MS} ms).`,
    );
    expect(after.map(({ instanceGuid }) => instanceGuid)).not.toContain(lost?.instanceGuid);
    const missing = [];
    for await (const cell of cluster.client.cells()) if (cell.state === 'MISSING') missing.push(cell.cellId);
    expect(missing).toEqual(['cell-2']);

    expect((await cluster.containers()).map(({ handle }) => handle)).toContain(lost?.instanceGuid);
    await cluster.startProgram('cell-2');
    await untilHandles(after.map(({ instanceGuid }) => instanceGuid));
    expect(await cluster.actuals(web.processGuid)).toEqual(after);
  });

  it('lets only the newest agent speak for a cell', async () => {
    const lrp = aShellLRP();
    const older = cluster.program('cell-2');
    older.pause();
    await cluster.addCell('cell-2', { name: 'cell-2-again', zone: 'z2' });
    older.resume();
    await cluster.waitFor(() => older.state, {
      what: 'the older agent has given up',
      until: (state) => state === 'exited with 1',
    });
    expect(older.logTail()).toContain('replaced');

    await cluster.client.desireLRP({ ...lrp, instances: 2 });
    const running = await cluster.untilRunning(lrp.processGuid, 2);
    expect(running.map(({ cellId }) => cellId)).toContain('cell-2');
    await cluster.client.removeDesiredLRP(lrp.processGuid);
    await untilHandles((await cluster.actuals(web.processGuid)).map(({ instanceGuid }) => instanceGuid));
  });
});
