import { execFile } from 'node:child_process';
import { createPrivateKey, randomUUID, X509Certificate } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Docker from 'dockerode';
import { DockerGarden } from '#rivera/garden';
import type { Action, RunAction } from '#rivera/models';
import { type ArtifactServer, startArtifactServer, tgzOf, zipOf } from '../support/artifact-server.js';
import { Authority } from '../support/certificates.js';
import { CellWorld } from '../support/cell-world.js';
import {
  canStartDockerEngine,
  type DockerEngineHarness,
  startDockerEngine,
} from '../support/docker-engine.js';
import { EngineProxy } from '../support/engine-proxy.js';
import { buildRootfs, type RootfsHarness } from '../support/rootfs.js';
import { waitFor } from '../support/wait-for.js';

/** The same with networks made ahead: by hand, as it takes as long again. */
const WARM_SANDBOXES = process.env.RIVERA_TEST_WARM_SANDBOXES ?? '0';
const hasEngine = process.env.RIVERA_TEST_DOCKER_HOST !== undefined || (await canStartDockerEngine());

/** Leaves tests out as if they were not there; one of them says why. */
const inPlace = (isThere: boolean) => (isThere ? describe : (_name: string, _tests: () => void) => undefined);

if (!hasEngine) {
  it('the cell on Docker', ({ skip }) => {
    skip('no Docker Engine may be started here; set RIVERA_TEST_DOCKER_HOST');
  });
}

/** The executor on the real backend: `reference` numbers as in the fake's files. */
inPlace(hasEngine)('cell: on the Docker Engine', () => {
  let engine: DockerEngineHarness;
  let rootfs: RootfsHarness;
  let docker: Docker;
  let server: ArtifactServer;
  let world: CellWorld;
  let owner: string;

  const connect = (directory: string): Promise<DockerGarden> =>
    DockerGarden.connect({
      owner,
      host: engine.dockerHost,
      stacks: { base: rootfs.tar },
      sandboxInit: rootfs.busybox,
      bindMountSources: [directory],
    });
  const makeWorld = async (env: Record<string, string> = {}): Promise<CellWorld> => {
    const made = await CellWorld.make({
      garden: ({ directory }) => connect(directory),
      capacity: { memoryMb: 100_000, diskMb: 1_000_000, containers: 250 },
      env: { GRACE_MS: '2000', WARM_SANDBOXES, ...env },
    });
    if (WARM_SANDBOXES !== '0') await warmUp(made, Number(WARM_SANDBOXES));
    return made;
  };
  const warmUp = async (of: CellWorld, size: number): Promise<void> => {
    await of.rep.synchronize();
    await waitFor(() => of.services.sandboxes.waiting, {
      what: 'networks wait',
      until: (waiting) => waiting === size,
    });
  };
  const shell = (script: string, more: Partial<RunAction> = {}): Action => ({
    run: { path: '/bin/sh', args: ['-c', script], user: 'vcap', ...more },
  });
  const engineContainer = async (guid: string): Promise<Docker.Container> => {
    const found = await docker.listContainers({ all: true, filters: { label: [`rivera.handle=${guid}`] } });
    expect(found).toHaveLength(1);
    return docker.getContainer(found[0]!.Id);
  };
  const linesOf = async (action: Action, more: Parameters<CellWorld['runTask']>[0] = {}) => {
    const task = await world.runTask({ action, ...more });
    return { task, lines: world.log(task.taskGuid, 'LOG').filter((line) => !line.startsWith('Exit status')) };
  };

  beforeAll(async () => {
    [engine, rootfs, server] = await Promise.all([startDockerEngine(), buildRootfs(), startArtifactServer()]);
    docker = new Docker({ socketPath: new URL(engine.dockerHost).pathname, host: undefined });
  });
  afterAll(async () => {
    await Promise.all([rootfs.remove(), server.close()]);
    await engine.stop();
  });
  beforeEach(async () => {
    owner = `owner-${randomUUID().slice(0, 8)}`;
    server.reset();
    world = await makeWorld();
  });
  afterEach(() => world.close());

  it('8.16 a container is what was asked for', async () => {
    const guid = world.place({ action: shell('sleep 600'), memoryMb: 40, maxPids: 30, ports: [8080] });
    await world.reported('start', guid);
    const { Config, HostConfig } = await (await engineContainer(guid)).inspect();
    expect(Config).toMatchObject({
      Hostname: guid,
      Labels: {
        'rivera.owner': owner,
        'rivera.handle': guid,
        'rivera.property.kind': 'lrp',
        'rivera.property.index': '0',
      },
    });
    expect(HostConfig).toMatchObject({
      Memory: 41_943_040,
      MemorySwap: 41_943_040,
      PidsLimit: 30,
      CpuShares: 40,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Ulimits: expect.arrayContaining([{ Name: 'core', Soft: 0, Hard: 0 }]) as unknown,
    });
    expect(HostConfig.CapAdd).toContain('CHOWN');
    expect(JSON.stringify(HostConfig.CapAdd)).not.toMatch(/NET_RAW|MKNOD|SYS_/);
  });

  it('8.17 a source of a mount that is not there, or is not allowed, fails the creation', async () => {
    const garden = await connect(world.directory);
    const spec = (source: string) => ({
      handle: randomUUID(),
      rootfs: 'preloaded:base',
      env: [],
      limits: { memoryMb: 16, diskMb: 0, pids: 0, cpuShares: 0 },
      privileged: false,
      ports: [],
      properties: {},
      bindMounts: [{ source, target: '/data', readOnly: true }],
    });
    await expect(garden.create(spec(join(world.directory, 'nowhere')))).rejects.toThrow(
      /bind source path does not exist/,
    );
    await expect(garden.create(spec('/etc'))).rejects.toMatchObject({ code: 'unsupported' });
    expect(await garden.list()).toEqual([]);
    await garden.close();
  });

  it('8.18 a start that fails leaves no container, and the reason is the engine’s', async () => {
    const guid = world.place({ action: { run: { path: '/bin/nonesuch', user: 'vcap' } } });
    expect((await world.reported('crash', guid)).reason).toContain('/bin/nonesuch');
    await world.gone(guid);
    expect(await world.garden.list()).toEqual([]);
    const user = world.place({ action: { run: { path: '/bin/true', user: 'nobody-here' } } });
    expect((await world.reported('crash', user)).reason).toMatch(/unable to find user nobody-here/);
    await world.gone(user);
    expect(await world.garden.list()).toEqual([]);
  });

  it('8.21 8.22 8.23 the environment of a program', async () => {
    const guid = world.place({
      action: shell('env; sleep 600', { env: [{ name: 'B', value: '2' }] }),
      ports: [9000, 8080],
      environmentVariables: [
        { name: 'A', value: '1' },
        { name: 'B', value: '1' },
      ],
    });
    const { netInfo } = await world.reported('start', guid);
    await world.logged(guid, /^USER=vcap$/);
    const [first, second] = netInfo.ports;
    expect(netInfo.ports.map(({ containerPort }) => containerPort)).toEqual([9000, 8080]);
    await vi.waitFor(() =>
      expect(world.log(guid, 'LOG')).toEqual(
        expect.arrayContaining([
          'A=1',
          'B=2',
          `CF_INSTANCE_GUID=${guid}`,
          'CF_INSTANCE_INDEX=0',
          `CF_INSTANCE_ADDR=127.0.0.1:${first!.hostPort}`,
          `CF_INSTANCE_PORTS=[{"external":${first!.hostPort},"internal":9000},{"external":${second!.hostPort},"internal":8080}]`,
        ]),
      ),
    );
    const { lines } = await linesOf(shell('env'));
    expect(lines).toEqual(expect.arrayContaining(['CF_INSTANCE_PORT=', 'CF_INSTANCE_PORTS=[]']));
    expect(lines.join('\n')).not.toContain('INSTANCE_INDEX');
  });

  it('8.24 the port a program was told is where it is reached', async () => {
    const guid = world.place({ action: { run: { path: '/bin/web', user: 'vcap' } }, ports: [8080] });
    const { netInfo } = await world.reported('start', guid);
    await vi.waitFor(
      async () => {
        const response = await fetch(`http://127.0.0.1:${netInfo.ports[0]!.hostPort}/`, {
          // The engine's proxy accepts connections before the program does, and some hang.
          signal: AbortSignal.timeout(2_000),
        });
        expect(await response.text()).toContain(guid);
      },
      { timeout: 20_000, interval: 100 },
    );
  });

  it('8.25 8.71 an exit status, behind a last line without an end', async () => {
    const guid = world.placeTask({ action: shell('printf last; exit 3', { logSource: 'APP/PROC/WEB' }) });
    expect(await world.reported('complete-task', guid)).toMatchObject({
      failureReason: 'APP/PROC/WEB: Exited with status 3',
    });
    expect(world.log(guid, 'APP/PROC/WEB')).toEqual(['last', 'Exit status 3']);
  });

  it('8.27 the memory limit is named; a helper’s end by it is blamed on the container, not the program’s exit 0', async () => {
    const hog = await world.runTask({ action: shell('exec tail -c 1000000000 /dev/zero'), memoryMb: 24 });
    expect(hog.failureReason).toBe('LOG: Exited with status 137 (out of memory)');
    // The engine tells of the container, not of a process: a program that fails later is blamed on it as well.
    const helper = await world.runTask({
      action: shell('tail -c 1000000000 /dev/zero; exit 1'),
      memoryMb: 24,
    });
    expect(helper.failureReason).toBe('LOG: Exited with status 1 (out of memory)');
    const survived = await world.runTask({
      action: shell('tail -c 1000000000 /dev/zero; exit 0'),
      memoryMb: 24,
    });
    expect(survived).toMatchObject({ failed: false });
  });

  it.each(['main process', 'one of several processes'])('8.28 8.29 a stop of a %s', async (kind) => {
    const setup = kind === 'main process' ? {} : { setup: shell('true') };
    const polite = world.place({
      ...setup,
      action: shell(`trap 'exit 0' TERM; echo up; sleep 600 >/dev/null 2>&1 & wait`),
    });
    const stubborn = world.place({
      ...setup,
      action: shell(`trap '' TERM; echo up; while :; do sleep 0.1; done`),
    });
    await Promise.all([world.logged(polite, 'up'), world.logged(stubborn, 'up')]);
    world.stop(polite);
    world.stop(stubborn);
    await Promise.all([world.reported('remove', polite), world.reported('remove', stubborn)]);
    expect(world.log(polite, 'LOG').at(-1)).toBe('Exit status 0');
    expect(world.log(stubborn, 'LOG').at(-1)).toBe(
      'Exit status 137 (exceeded 2s graceful shutdown interval)',
    );
    await Promise.all([world.gone(polite), world.gone(stubborn)]);
    expect(await world.garden.list()).toEqual([]);
  });

  it('8.28 what a program leaves behind when it is stopped does not stay', async () => {
    const leaving = shell(`trap 'exit 0' TERM; sleep 1234 >/dev/null 2>&1 & echo up; wait`);
    const action: Action = {
      serial: {
        actions: [{ try: { action: { timeout: { action: leaving, timeoutMs: 1_500 } } } }, shell('ps')],
      },
    };
    const { lines } = await linesOf(action);
    expect(lines.join('\n')).toContain('up');
    expect(lines.join('\n')).not.toContain('sleep 1234');
  });

  it('8.32 a program that is missing is not blamed on the program', async () => {
    const nonesuch: Action = { run: { path: '/bin/nonesuch', user: 'vcap' } };
    const { task } = await linesOf({ serial: { actions: [nonesuch] } });
    expect(task.failureReason).toContain('/bin/nonesuch');
    expect(task.failureReason).not.toMatch(/status (126|127)/);
    expect(world.log(task.taskGuid, 'LOG')[0]).toMatch(/^failed-creating-process: /);
  });

  it('8.33 open files are limited as asked', async () => {
    const limited = shell('ulimit -n', { resourceLimits: { nofile: 321 } });
    expect((await linesOf(limited)).lines).toEqual(['321']);
    expect((await linesOf({ serial: { actions: [limited] } })).lines).toEqual(['321']);
  });

  it('8.34 user and directory', async () => {
    const inTurn = (action: Action): Action => ({ serial: { actions: [action] } });
    expect((await linesOf(inTurn(shell('id -u; pwd')))).lines).toEqual(['2000', '/home/vcap']);
    const numeric = inTurn(shell('id -u; id -g', { user: '1234:5678' }));
    expect((await linesOf(numeric)).lines).toEqual(['1234', '5678']);
    expect((await linesOf(inTurn(shell('pwd', { dir: '/tmp/made/here' })))).lines).toEqual([
      '/tmp/made/here',
    ]);
  });

  it('8.43 an archive arrives with its user’s ownership, before the main process starts', async () => {
    const script = '#!/bin/sh\necho from the archive; stat -c %u:%g "$0"';
    server.serve('/app', { body: zipOf({ 'bin/start': script }), etag: '"1"' });
    const download = { from: server.url('/app'), to: 'app', user: 'vcap', cacheKey: 'app' };
    const guid = world.place({
      setup: { serial: { actions: [{ download }] } },
      action: { run: { path: '/home/vcap/app/bin/start', user: 'vcap' } },
    });
    await world.logged(guid, '2000:2000');
    expect(world.log(guid, 'LOG')).toContain('from the archive');
    await world.gone(guid);
  });

  it('8.43 dependencies, files and volumes are seen, read-only unless asked otherwise', async () => {
    await world.close();
    const volumes = join('/tmp', `rivera-volumes-${randomUUID()}`);
    await mkdir(join(volumes, 'v1'), { recursive: true });
    await writeFile(join(volumes, 'v1', 'data'), 'kept');
    world = await CellWorld.make({
      garden: () =>
        DockerGarden.connect({
          owner,
          host: engine.dockerHost,
          stacks: { base: rootfs.tar },
          sandboxInit: rootfs.busybox,
          bindMountSources: ['/tmp'],
        }),
      env: { VOLUME_DRIVERS: `local=${volumes}` },
    });
    server.serve('/dep', { body: await tgzOf({ 'bin/tool': 'tool' }), etag: '"1"' });
    const mount = (mode: 'r' | 'rw', containerDir: string) => ({
      driver: 'local',
      mode,
      containerDir,
      shared: { volumeId: 'v1' },
    });
    const { lines, task } = await linesOf(
      shell(
        'cat /dep/bin/tool /etc/cf-service-bindings/db/user /ro/data; touch /dep/x /ro/x 2>&1 | grep -c Read-only; id -u',
        { user: 'root' },
      ),
      {
        cachedDependencies: [{ name: 'dep', from: server.url('/dep'), to: '/dep', cacheKey: 'dep' }],
        volumeMountedFiles: [{ path: 'db/user', content: 'me' }],
        volumeMounts: [mount('r', '/ro'), mount('rw', '/rw')],
      },
    );
    expect(lines).toEqual(['toolmekept2', '0']);
    expect(world.log(task.taskGuid, 'CELL').slice(0, 2)).toEqual([
      'Downloading dep...',
      expect.stringMatching(/^Downloaded dep \(/),
    ]);
  });

  it('8.44 an archive that breaks off on its way in ends the task, not the agent', async () => {
    const broken = zipOf({ a: 'fine', zeros: Buffer.alloc(5_000_000) }, { claim: 10 });
    server.serve('/app', { body: broken });
    const download = { artifact: 'app', from: server.url('/app'), to: '/tmp', user: 'vcap' };
    const task = await world.runTask({ action: { download } });
    expect(task.failureReason).toMatch(/^Copying app into the container failed: the archive is broken: /);
    server.serve('/app', { body: zipOf({ zeros: Buffer.alloc(50_000_000) }) });
    const bomb = await world.runTask({ action: { download }, diskMb: 1 });
    expect(bomb.failureReason).toBe(
      'Copying app into the container failed: the archive unpacks to more than 1 MB',
    );
  });

  it('8.53 a port check passes when the port is open on the container’s own address', async () => {
    const checked = (script: string, port: number, startTimeoutMs: number) => ({
      action: shell(script),
      startTimeoutMs,
      checkDefinition: { checks: [{ tcpCheck: { port } }] },
    });
    const open = world.place(checked('sleep 1; exec httpd -f -p 7000', 7_000, 30_000));
    const local = world.place(checked('exec httpd -f -p 127.0.0.1:7001', 7_001, 3_000));
    await world.reported('start', open);
    const { reason } = await world.reported('crash', local);
    expect(reason).toMatch(/failed to make TCP connection to [\d.]+:7001: connection refused$/);
  });

  it('8.63 checks go on while the program burns all it may have', async () => {
    const guid = world.place({
      action: shell(
        'httpd -f -p 7000 & while :; do :; done & while :; do :; done & tail -c 20000000 /dev/zero | sleep 600',
      ),
      memoryMb: 32,
      checkDefinition: { checks: [{ tcpCheck: { port: 7_000, intervalMs: 100 } }] },
    });
    await world.reported('start', guid);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(world.rep.actor(guid)?.state).toBe('running');
  });

  it('8.66 8.67 a container that vanished has ended; one that nobody wants is removed; others’ are left alone', async () => {
    const guid = world.place({ action: shell('sleep 600') });
    await world.reported('start', guid);
    await (await engineContainer(guid)).remove({ force: true });
    await world.reported('crash', guid);
    await world.gone(guid);

    const limits = { memoryMb: 16, diskMb: 0, pids: 0, cpuShares: 0 };
    const spec = {
      handle: 'stranger',
      rootfs: 'preloaded:base',
      env: [],
      limits,
      privileged: false,
      ports: [],
      properties: {},
    };
    await world.garden.create(spec);
    const mine = owner;
    owner = `${mine}-other`;
    const others = await connect(world.directory);
    await others.create(spec);
    await world.rep.synchronize();
    expect(await world.garden.list()).toEqual([]);
    expect(await others.list()).toHaveLength(1);
    await others.destroy('stranger');
    await others.close();
  });

  it('8.70 a million one-byte writes are held to the rate and do not hold up others', async () => {
    const flood = world.placeTask({
      action: shell(`exec awk 'BEGIN { for (i = 0; i < 1000000; i++) { printf "x"; fflush() } }'`),
    });
    const other = await world.runTask({ action: shell('echo fine') });
    expect(other).toMatchObject({ failed: false });
    expect(await world.reported('complete-task', flood)).toMatchObject({ failed: false });
    expect(world.log(flood, 'LOG').join('').replace('Exit status 0', '')).toHaveLength(1_000_000);
  });

  it('8.88 an agent that starts again takes up what runs and reports it, and fails what it cannot', async () => {
    const lrp = world.place({ action: shell('echo up; sleep 600'), ports: [8080] });
    const several = world.placeTask({ action: { serial: { actions: [shell('sleep 600')] } } });
    await world.logged(lrp, 'up');
    await world.inState(several, 'running');
    const before = await (await engineContainer(lrp)).inspect();
    world.reports.length = 0;
    world.work = { epoch: 2, actualLRPs: [world.actual(lrp)], tasks: [world.task(several)] };
    await world.startAgent().synchronize();
    const { netInfo } = await world.reported('start', lrp);
    expect(netInfo.ports[0]?.hostPort).toBeGreaterThan(0);
    expect(await world.reported('complete-task', several)).toMatchObject({
      failed: true,
      failureReason: 'task container does not exist',
    });
    const after = await (await engineContainer(lrp)).inspect();
    expect([after.Id, after.State.Pid]).toEqual([before.Id, before.State.Pid]);
  });

  it('8.24 8.88 a network made ahead serves an instance, whatever becomes of the agent, and another is made', async () => {
    await world.close();
    world = await makeWorld({ WARM_SANDBOXES: '2' });
    await warmUp(world, 2);
    const names = async () => (await world.garden.sandboxes!.list()).map(({ name }) => name);
    const before = await names();
    const guid = world.place({ action: { run: { path: '/bin/web', user: 'vcap' } }, ports: [8080] });
    const { netInfo } = await world.reported('start', guid);
    const url = `http://127.0.0.1:${netInfo.ports[0]!.hostPort}/`;
    await waitFor(async () => (await fetch(url)).status, {
      what: 'it answers',
      until: (status) => status === 200,
    });
    const [info] = await world.garden.list();
    expect(before).toContain(info?.sandbox);
    world.work = { epoch: 2, actualLRPs: [world.actual(guid)], tasks: [] };
    await warmUp(world, 2);
    world.reports.length = 0;
    await world.startAgent().synchronize();
    expect((await world.reported('start', guid)).netInfo).toEqual(netInfo);
    expect((await fetch(url)).status).toBe(200);
    world.stop(guid);
    await world.gone(guid);
    await waitFor(names, {
      what: 'its network is gone, and two wait again',
      until: (all) => all.length === 2 && !all.includes(info!.sandbox!),
    });
  });

  it('8.66 an instance whose network has ended is ended, and started again elsewhere', async () => {
    await world.close();
    world = await makeWorld({ WARM_SANDBOXES: '1' });
    await warmUp(world, 1);
    const guid = world.place({ action: shell('sleep 600'), ports: [8080] });
    await world.reported('start', guid);
    const [info] = await world.garden.list();
    const label = [`rivera.sandbox=${info?.sandbox}`, `rivera.sandbox.owner=${owner}`];
    const [holder] = await docker.listContainers({ filters: { label } });
    await docker.getContainer(holder!.Id).kill();
    world.work = { epoch: 1, actualLRPs: [world.actual(guid)], tasks: [] };
    await world.rep.synchronize();
    await world.reported('crash', guid);
    await world.gone(guid);
  });

  it('egress rules hold an instance, and its port is reached all the same', async () => {
    const egressRules = [{ protocol: 'tcp' as const, destinations: ['192.0.2.1'], ports: [443] }];
    const action = { run: { path: '/bin/web', user: 'vcap' } };
    const guid = world.place({ action, ports: [8080], egressRules });
    const { netInfo } = await world.reported('start', guid);
    const url = `http://127.0.0.1:${netInfo.ports[0]!.hostPort}/`;
    await waitFor(async () => (await fetch(url)).status, {
      what: 'it answers',
      until: (status) => status === 200,
    });
    const filter = ['--net=/proc/PID/ns/net', 'iptables', '-S', 'OUTPUT'];
    const { State } = await (await engineContainer(guid)).inspect();
    const { stdout } = await promisify(execFile)(
      'nsenter',
      filter.map((word) => word.replace('PID', `${State.Pid}`)),
      {
        env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
      },
    );
    expect(stdout).toContain('-A OUTPUT -d 192.0.2.1/32 -p tcp -m tcp --dport 443 -j ACCEPT');
  });

  describe('certificates of instances', () => {
    const certificateProperties = { organizationalUnit: ['organization:o', 'space:s', 'app:a'] };
    let authority: Authority;
    beforeAll(async () => {
      authority = await Authority.make();
    });
    afterAll(() => authority.remove());
    const withAuthority = async (validityMs = 86_400_000): Promise<void> => {
      await world.close();
      world = await makeWorld({
        INSTANCE_CA_CERT_FILE: authority.caFile,
        INSTANCE_CA_KEY_FILE: authority.keyFile,
        INSTANCE_CERT_VALIDITY_MS: `${validityMs}`,
      });
    };

    it('8.93 say who it is, in a pair that is there before the program starts', async () => {
      await withAuthority();
      const guid = world.place({
        action: shell('cat $CF_INSTANCE_CERT; cat $CF_INSTANCE_KEY; echo end; sleep 600'),
        certificateProperties,
      });
      const { netInfo } = await world.reported('start', guid);
      await world.logged(guid, 'end');
      const pem = world.log(guid, 'LOG').join('\n');
      const [leaf = '', ca = ''] = pem.match(/-----BEGIN CERT[^]+?-----END CERTIFICATE-----/g) ?? [];
      const certificate = new X509Certificate(leaf);
      expect(certificate.subject.split('\n').toSorted()).toEqual(
        [...certificateProperties.organizationalUnit.map((unit) => `OU=${unit}`), `CN=${guid}`].toSorted(),
      );
      expect(certificate.subjectAltName).toBe(`DNS:${guid}, IP Address:${netInfo.instanceAddress}`);
      expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
      expect(certificate.verify(new X509Certificate(authority.ca).publicKey)).toBe(true);
      expect(new X509Certificate(ca).fingerprint256).toBe(new X509Certificate(authority.ca).fingerprint256);
      const key = /-----BEGIN RSA PRIVATE KEY[^]+END RSA PRIVATE KEY-----/.exec(pem)![0];
      expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
      expect(Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)).toBe(86_400_000);
    });

    it('8.93 are renewed where the program sees it, also by the next agent, and go with the container', async () => {
      await withAuthority(5_000);
      const guid = world.place({
        action: shell('while :; do md5sum < $CF_INSTANCE_CERT; sleep 0.2; done'),
        certificateProperties,
      });
      const seen = (count: number) =>
        waitFor(() => new Set(world.log(guid, 'LOG')).size, {
          what: `${count} certificates were seen`,
          until: (size) => size >= count,
          timeoutMs: 60_000,
        });
      await world.reported('start', guid);
      await seen(2);
      world.work = { epoch: 2, actualLRPs: [world.actual(guid)], tasks: [] };
      await world.services.credentials.resume({ guid, organizationalUnits: [], address: '127.0.0.1' });
      world.reports.length = 0;
      await world.startAgent().synchronize();
      await world.reported('start', guid);
      await seen(3);
      world.stop(guid);
      await world.gone(guid);
      expect(await readdir(join(world.directory, 'credentials'))).toEqual([]);
    });

    it('8.93 are had by who asks for them only', async () => {
      await withAuthority();
      const { lines } = await linesOf(shell('echo "[$CF_INSTANCE_CERT]"; ls /etc/cf-instance-credentials'));
      // Two streams: what is written to the one may be read before what was written to the other.
      expect(lines).toContain('[]');
      expect(lines.join('\n')).toContain('No such file or directory');
      expect(await readdir(join(world.directory, 'credentials'))).toEqual([]);
    });
  });

  describe('with an engine that goes away', () => {
    let proxy: EngineProxy;
    let garden: DockerGarden;

    beforeEach(async () => {
      proxy = await EngineProxy.start(engine.dockerHost);
      await world.close();
      world = await CellWorld.make({
        garden: async () => {
          garden = await DockerGarden.connect({
            owner,
            host: proxy.dockerHost,
            stacks: { base: rootfs.tar },
            sandboxInit: rootfs.busybox,
          });
          return garden;
        },
      });
    });
    afterEach(async () => {
      await proxy.restore().catch(() => undefined);
      await world.close();
      await proxy.close();
      world = await makeWorld();
    });

    it('8.90 no container counts as crashed; what ended meanwhile is noticed, and output goes on', async () => {
      const steady = world.place({
        action: shell('i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.2; done'),
      });
      const ending = world.place({
        action: shell('trap "exit 5" TERM; echo up; while :; do sleep 0.1; done'),
      });
      const inside = world.place({ setup: shell('true'), action: shell('echo in; sleep 600') });
      await Promise.all([
        world.logged(steady, 'tick 2'),
        world.logged(ending, 'up'),
        world.logged(inside, 'in'),
      ]);
      await Promise.all([steady, ending, inside].map((guid) => world.reported('start', guid)));
      await proxy.cut();
      await expect(garden.ping()).rejects.toMatchObject({ code: 'unavailable' });
      const placed = world.place({ action: shell('sleep 600') });
      expect(await world.reported('crash', placed)).toMatchObject({
        reason: expect.stringContaining('failed to create container') as string,
      });
      await (await engineContainer(ending)).kill({ signal: 'SIGTERM' });
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      expect(world.reportsOf(steady)).toEqual(['claim', 'start']);
      const heard = world.log(steady, 'LOG').length;
      await proxy.restore();
      expect(await world.reported('crash', ending)).toMatchObject({ reason: 'LOG: Exited with status 5' });
      await vi.waitFor(() => expect(world.log(steady, 'LOG').length).toBeGreaterThan(heard + 5), 20_000);
      expect(world.reportsOf(steady)).toEqual(['claim', 'start']);
      expect(world.reportsOf(inside)).toEqual(['claim', 'start']);
      world.stop(inside);
      await world.reported('remove', inside);
      // Nothing of what it said meanwhile is missing.
      const ticks = world.log(steady, 'LOG').map((line) => Number(line.split(' ')[1]));
      expect(new Set(ticks)).toEqual(new Set(Array.from({ length: Math.max(...ticks) }, (_, at) => at + 1)));
      await world.gone(placed);
    });

    it('8.91 more happened than the engine remembers: the states are right all the same', async () => {
      const guids = Array.from({ length: 4 }, () => world.place({ action: shell('sleep 600') }));
      await Promise.all(guids.map((guid) => world.reported('start', guid)));
      await proxy.cut();
      const [first, second] = [await engineContainer(guids[0]!), await engineContainer(guids[1]!)];
      await first.kill({ signal: 'SIGKILL' });
      await second.remove({ force: true });
      // More events than the engine keeps (256) follow: each of these makes one.
      const other = await engineContainer(guids[2]!);
      for (let times = 0; times < 300; times += 1) await other.rename({ name: `noise-${owner}-${times}` });
      await proxy.restore();
      expect(await world.reported('crash', guids[0]!)).toMatchObject({
        reason: 'LOG: Exited with status 137',
      });
      await world.reported('crash', guids[1]!);
      expect(world.rep.actor(guids[2]!)?.state).toBe('running');
      expect(world.rep.actor(guids[3]!)?.state).toBe('running');
      await other.remove({ force: true });
    });
  });

  it('8.95 fifty starts at once all run', async () => {
    const guids = Array.from({ length: 50 }, () => world.place({ action: shell('sleep 600'), memoryMb: 16 }));
    await Promise.all(guids.map((guid) => world.reported('start', guid)));
    expect(world.rep.census()).toEqual({ running: 50 });
    for (const guid of guids) world.stop(guid);
    await Promise.all(guids.map((guid) => world.gone(guid)));
    expect(await world.garden.list()).toEqual([]);
  }, 180_000);
});
