import { randomUUID } from 'node:crypto';
import type { ActualLRP, DesiredLRPRequest, Task, TaskDefinition } from '#rivera/models';
import type { Plain } from '../support/builders.js';
import { type ArtifactServer, startArtifactServer, tgzOf, zipOf } from '../support/artifact-server.js';
import { useCluster } from '../support/cluster.js';
import { aShellLRP, aTaskRequest, aWebLRP, hasDocker, pageOf, sh } from './workloads.js';

const MEGABYTE = 1_000_000;

/** Work that means harm, or is merely careless, beside work that has to go on. */
describe.skipIf(!hasDocker())('hostile work on the Docker Engine', () => {
  const cluster = useCluster({
    cells: 1,
    backend: 'docker',
    cellEnv: { HEALTHY_INTERVAL_MS: '200', UNHEALTHY_INTERVAL_MS: '200', GRACE_MS: '1000' },
  });
  let server: ArtifactServer;
  let neighbour: Plain<DesiredLRPRequest>;
  let before: ActualLRP;

  beforeAll(async () => {
    server = await startArtifactServer();
    neighbour = aWebLRP({
      processGuid: `neighbour-${randomUUID()}`,
      checkDefinition: { checks: [{ httpCheck: { port: 8080, requestTimeoutMs: 5_000 } }] },
    });
    await cluster.client.desireLRP(neighbour);
    before = (await cluster.untilRunning(neighbour.processGuid, 1))[0]!;
  });
  afterAll(() => server.close());

  /** The neighbour is the same run as before and answers; the cell takes new work. */
  afterEach(async () => {
    const [now] = await cluster.actuals(neighbour.processGuid);
    expect(now).toMatchObject({ state: 'RUNNING', instanceGuid: before.instanceGuid, crashCount: 0 });
    expect(await pageOf(now!)).toContain('instance 0');
    const task = await run({ action: sh('echo fine') });
    expect(task.failed).toBe(false);
    expect(cluster.program('cell-1').state).toContain('running');
  });

  const run = async (definition: Partial<TaskDefinition>): Promise<Task> => {
    const request = aTaskRequest(definition);
    await cluster.client.desireTask(request);
    return cluster.untilCompleted(request.taskGuid, 90_000);
  };
  const reasonOf = async (definition: Partial<TaskDefinition>) => (await run(definition)).failureReason;
  const download = (path: string, more: object = {}) => ({
    download: { artifact: 'app', from: server.url(path), to: '/tmp', user: 'vcap', ...more },
  });
  const crashOf = async (lrp: Plain<DesiredLRPRequest>): Promise<string | undefined> => {
    await cluster.client.desireLRP(lrp);
    const [crashed] = await cluster.waitFor(() => cluster.actuals(lrp.processGuid), {
      what: `${lrp.processGuid} crashes`,
      until: ([actual]) => (actual?.crashCount ?? 0) > 0,
      timeoutMs: 90_000,
    });
    await cluster.client.removeDesiredLRP(lrp.processGuid);
    return crashed?.crashReason;
  };

  it('a fork bomb is held to its processes', async () => {
    const bomb = 'bomb() { bomb | bomb & }; bomb; sleep 3; exit 9';
    expect(await reasonOf({ action: sh(bomb), maxPids: 64 })).toMatch(/^LOG: Exited with status \d+/);
  });

  it('a fork bomb that names no limit is held to the cell’s', async () => {
    const request = aTaskRequest({ action: sh('bomb() { bomb | bomb & }; bomb; sleep 600'), memoryMb: 64 });
    await cluster.client.desireTask(request);
    const container = await cluster.waitFor(() => cluster.container(request.taskGuid), {
      what: 'its container runs',
      until: () => true,
    });
    expect((await container.inspect()).HostConfig.PidsLimit).toBe(1_024);
    await cluster.client.cancelTask(request.taskGuid);
    await cluster.waitFor(() => cluster.containers(), {
      what: 'its container is gone',
      until: (found) => !found.some(({ handle }) => handle === request.taskGuid),
      timeoutMs: 60_000,
    });
  });

  it('a memory hog ends by its limit, and the reason says so', async () => {
    expect(await reasonOf({ action: sh('exec tail -c 2000000000 /dev/zero'), memoryMb: 32 })).toBe(
      'LOG: Exited with status 137 (out of memory)',
    );
  });

  it('a disk filler is ended at its limit', async () => {
    const fill = 'dd if=/dev/zero of=/tmp/fill bs=1M count=4000 2>/dev/null; sleep 600';
    expect(await reasonOf({ action: sh(fill), diskMb: 64 })).toMatch(
      /^disk limit of 64 MB exceeded: \d+ MB written$/,
    );
  });

  it('a log flood is cut, and others are heard', async () => {
    const flood = aTaskRequest({ action: sh('yes flood'), memoryMb: 32 });
    await cluster.client.desireTask(flood);
    await cluster.waitFor(() => cluster.container(flood.taskGuid), { what: 'it runs', until: () => true });
    // Several rounds of the neighbour's check, while it floods.
    for (let times = 0; times < 5; times += 1) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(await pageOf(before)).toContain('instance 0');
    }
    await cluster.client.cancelTask(flood.taskGuid);
  });

  it('a process that ignores SIGTERM is killed, and nothing of it stays', async () => {
    const lrp = aShellLRP(`trap '' TERM; while :; do sleep 0.1; done`);
    await cluster.client.desireLRP(lrp);
    const [actual] = await cluster.untilRunning(lrp.processGuid, 1);
    await cluster.client.removeDesiredLRP(lrp.processGuid);
    await cluster.waitFor(() => cluster.containers(), {
      what: 'its container is gone',
      until: (found) => !found.some(({ handle }) => handle === actual!.instanceGuid),
    });
    expect(await cluster.actuals(lrp.processGuid)).toEqual([]);
  });

  it('a health check that hangs is a failure after the start time-out', async () => {
    const silent = `nc -l -p 8080 >/dev/null; sleep 600`;
    const checks = [{ httpCheck: { port: 8080, requestTimeoutMs: 500 } }];
    expect(
      await crashOf(aShellLRP(silent, { ports: [8080], startTimeoutMs: 3_000, checkDefinition: { checks } })),
    ).toMatch(/^Instance never healthy after .*failed to make HTTP request to '\/' on port 8080: /);
    expect(
      await crashOf(aShellLRP('sleep 600', { monitor: sh('sleep 600'), startTimeoutMs: 2_000 })),
    ).toMatch(/^Instance never healthy after .*: the check did not end$/);
  });

  it.each([
    ['zip', () => Promise.resolve(zipOf({ zeros: Buffer.alloc(300 * MEGABYTE) }))],
    ['tar.gz', () => tgzOf({ zeros: Buffer.alloc(300 * MEGABYTE) })],
  ])('a %s bomb is not unpacked beyond the disk limit', async (_kind, bomb) => {
    server.serve('/bomb', { body: await bomb() });
    expect(await reasonOf({ action: download('/bomb'), diskMb: 32 })).toBe(
      'Copying app into the container failed: the archive unpacks to more than 32 MB',
    );
  });

  it('a wrong checksum is a failure, at once', async () => {
    server.serve('/app', { body: await tgzOf({ a: 'a' }) });
    const wrong = { checksumAlgorithm: 'sha256', checksumValue: '0'.repeat(64) };
    expect(await reasonOf({ action: download('/app', wrong) })).toBe('Downloading app failed');
    expect(server.answers.filter((answer) => answer.startsWith('GET /app '))).toHaveLength(1);
  });

  it('an archive that breaks off, or means to leave its directory, ends its task only', async () => {
    server.serve('/broken', { body: zipOf({ zeros: Buffer.alloc(5 * MEGABYTE) }, { claim: 10 }) });
    expect(await reasonOf({ action: download('/broken') })).toMatch(
      /^Copying app into the container failed: the archive is broken: /,
    );
    server.serve('/escape', { body: await tgzOf({ '../../../etc/passwd': 'root' }) });
    expect(await reasonOf({ action: download('/escape') })).toMatch(/an entry outside of it/);
  });

  it('a result file that is too large fails its task', async () => {
    const action = sh('head -c 100000000 /dev/zero >/tmp/result');
    expect(await reasonOf({ action, resultFile: '/tmp/result' })).toBe(
      'failed to fetch result: result file is too large (over 51200 bytes)',
    );
  });
});
