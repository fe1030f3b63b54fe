import { useCluster } from '../support/cluster.js';
import { aShellLRP, aWebLRP, hasDocker, pageOf, sh } from './workloads.js';

describe.skipIf(!hasDocker())('LRPs on the Docker Engine', () => {
  const cluster = useCluster({ cells: 2, backend: 'docker' });

  const containersOf = async (processGuid: string) =>
    (await cluster.containers()).filter(
      ({ labels }) => labels['rivera.property.processGuid'] === processGuid,
    );

  describe('life of a web server', () => {
    const lrp = aWebLRP({ instances: 2 });
    const { processGuid } = lrp;

    it('runs one instance in each zone, labelled on the engine, answering where it says', async () => {
      await cluster.client.desireLRP(lrp);
      const running = await cluster.untilRunning(processGuid, 2);
      expect(new Set(running.map(({ availabilityZone }) => availabilityZone))).toEqual(new Set(['z1', 'z2']));

      const containers = await containersOf(processGuid);
      expect(containers.map(({ handle, cellId }) => `${handle} ${cellId}`).toSorted()).toEqual(
        running.map(({ instanceGuid, cellId }) => `${instanceGuid} ${cellId}`).toSorted(),
      );
      expect(new Set(containers.map(({ labels }) => labels['rivera.property.index']))).toEqual(
        new Set(['0', '1']),
      );
      for (const actual of running) {
        const page = await cluster.waitFor(() => pageOf(actual), {
          what: `instance ${actual.index} answers`,
          until: (text) => text !== '',
        });
        expect(page).toContain(`Hello from instance ${actual.index}`);
        expect(page).toContain(`instance guid: ${actual.instanceGuid}`);
      }
    });

    it('scales up and leaves what runs alone', async () => {
      const before = await cluster.actuals(processGuid);
      await cluster.client.updateDesiredLRP(processGuid, { instances: 4 });
      const after = await cluster.untilRunning(processGuid, 4);
      expect(after.slice(0, 2)).toEqual(before);
    });

    it('scales down from the top and removes the containers', async () => {
      await cluster.client.updateDesiredLRP(processGuid, { instances: 1 });
      const [left] = await cluster.untilRunning(processGuid, 1);
      expect(left?.index).toBe(0);
      await cluster.waitFor(async () => (await containersOf(processGuid)).map(({ handle }) => handle), {
        what: 'one container is left, of instance 0',
        until: (handles) => handles.length === 1 && handles[0] === left?.instanceGuid,
      });
    });

    it('replaces an instance that is retired', async () => {
      const [before] = await cluster.actuals(processGuid);
      await cluster.client.retireActualLRP(processGuid, 0);
      await cluster.waitFor(() => cluster.actuals(processGuid), {
        what: 'instance 0 runs as another instance guid',
        until: ([actual]) => actual?.state === 'RUNNING' && actual.instanceGuid !== before?.instanceGuid,
      });
      expect((await cluster.containers()).map(({ handle }) => handle)).not.toContain(before?.instanceGuid);
    });

    it('runs an instance again whose container is killed behind its back', async () => {
      const [before] = await cluster.actuals(processGuid);
      await (await cluster.container(before?.instanceGuid)).kill();
      const [after] = await cluster.waitFor(() => cluster.actuals(processGuid), {
        what: 'instance 0 runs as another instance guid',
        until: ([actual]) => actual?.state === 'RUNNING' && actual.instanceGuid !== before?.instanceGuid,
      });
      expect(after?.crashCount).toBe(1);
      expect(after?.crashReason).toContain('Exited with status 137');
    });

    it('leaves nothing on the engine when it is removed', async () => {
      await cluster.client.removeDesiredLRP(processGuid);
      await cluster.waitFor(() => containersOf(processGuid), {
        what: 'no containers',
        until: (containers) => containers.length === 0,
      });
      expect(await cluster.actuals(processGuid)).toEqual([]);
    });
  });

  it('gives programs their environment', async () => {
    const show = 'mkdir /tmp/www; env >/tmp/www/index.html; exec busybox httpd -f -p $PORT -h /tmp/www';
    const lrp = aWebLRP({
      action: sh(show, [{ name: 'MOOD', value: 'from the action' }]),
      environmentVariables: [
        { name: 'GREETING', value: 'hello = world' },
        { name: 'MOOD', value: 'from the container' },
      ],
    });
    await cluster.client.desireLRP(lrp);
    const [actual] = await cluster.untilRunning(lrp.processGuid, 1);
    const page = await cluster.waitFor(() => pageOf(actual!), {
      what: 'a page',
      until: (text) => text !== '',
    });
    const lines = page.trim().split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'GREETING=hello = world',
        'MOOD=from the action',
        'INSTANCE_INDEX=0',
        'PORT=8080',
        'USER=vcap',
        `INSTANCE_GUID=${actual?.instanceGuid}`,
      ]),
    );
    await cluster.client.removeDesiredLRP(lrp.processGuid);
  });

  it('counts crashes and backs off', async () => {
    const lrp = aShellLRP('exit 7');
    await cluster.client.desireLRP(lrp);
    const [crashed] = await cluster.waitFor(() => cluster.actuals(lrp.processGuid), {
      what: 'CRASHED',
      until: ([actual]) => actual?.state === 'CRASHED',
    });
    expect(crashed).toMatchObject({ crashCount: 3, crashReason: 'LOG: Exited with status 7' });
    expect(crashed?.restartAt).toBeGreaterThan(crashed?.since ?? Infinity);
    await cluster.client.removeDesiredLRP(lrp.processGuid);
  });

  it('says when a program ran out of memory', async () => {
    const lrp = aShellLRP('', {
      memoryMb: 16,
      action: { run: { path: '/bin/tail', args: ['/dev/zero'], user: 'vcap' } },
    });
    await cluster.client.desireLRP(lrp);
    const [crashed] = await cluster.waitFor(() => cluster.actuals(lrp.processGuid), {
      what: 'CRASHED',
      until: ([actual]) => actual?.state === 'CRASHED',
    });
    expect(crashed?.crashReason).toContain('out of memory');
    await cluster.client.removeDesiredLRP(lrp.processGuid);
  });

  it('sets up, then runs the action with its sidecar; one that ends takes the instance along', async () => {
    const lrp = aWebLRP({
      setup: sh('echo made >/tmp/made'),
      sidecars: [{ action: sh('until [ -e /tmp/end ]; do sleep 0.1; done; exit 3') }],
      action: sh('grep made /tmp/made && exec /bin/web'),
    });
    await cluster.client.desireLRP(lrp);
    const [actual] = await cluster.untilRunning(lrp.processGuid, 1);
    const page = await cluster.waitFor(() => pageOf(actual!), {
      what: 'a page',
      until: (text) => text !== '',
    });
    expect(page).toContain('Hello from instance 0');

    const container = await cluster.container(actual?.instanceGuid);
    const exec = await container.exec({ Cmd: ['/bin/touch', '/tmp/end'] });
    await exec.start({ Detach: true });
    const [after] = await cluster.waitFor(() => cluster.actuals(lrp.processGuid), {
      what: 'the instance crashed once and runs again',
      until: ([lrp]) => lrp?.state === 'RUNNING' && lrp.crashCount === 1,
    });
    expect(after?.crashReason).toContain('Exited with status 3');
    await cluster.client.removeDesiredLRP(lrp.processGuid);
  });

  describe('health', () => {
    const slowWeb = (seconds: number) => sh(`sleep ${seconds}; exec /bin/web`);

    it.each([
      ['a TCP check', { checks: [{ tcpCheck: { port: 8080 } }] }],
      ['an HTTP check', { checks: [{ httpCheck: { port: 8080, path: '/' } }] }],
    ])('is RUNNING only after %s passes', async (_name, checkDefinition) => {
      const lrp = aWebLRP({ action: slowWeb(1), checkDefinition });
      await cluster.client.desireLRP(lrp);
      const [actual] = await cluster.untilRunning(lrp.processGuid, 1);
      expect(await pageOf(actual!)).toContain('Hello from instance 0');
      await cluster.client.removeDesiredLRP(lrp.processGuid);
    });

    it('is RUNNING only after the monitor action succeeds', async () => {
      const lrp = aWebLRP({ action: slowWeb(1), monitor: sh('wget -q -O /dev/null http://127.0.0.1:8080/') });
      await cluster.client.desireLRP(lrp);
      const [actual] = await cluster.untilRunning(lrp.processGuid, 1);
      expect(await pageOf(actual!)).toContain('Hello from instance 0');
      await cluster.client.removeDesiredLRP(lrp.processGuid);
    });

    it('crashes when no check passes within the start time-out', async () => {
      const lrp = aWebLRP({
        checkDefinition: { checks: [{ tcpCheck: { port: 9999 } }] },
        startTimeoutMs: 300,
      });
      await cluster.client.desireLRP(lrp);
      const [crashed] = await cluster.waitFor(() => cluster.actuals(lrp.processGuid), {
        what: 'crashed',
        until: ([actual]) => (actual?.crashCount ?? 0) > 0,
      });
      expect(crashed?.crashReason).toMatch(
        /Instance never healthy after \d+ms: .*: failed to make TCP connection/,
      );
      await cluster.client.removeDesiredLRP(lrp.processGuid);
    });
  });
});
