import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import { DockerGarden } from '#rivera/garden';
import type { ContainerProcess, ContainerSpec, Garden, ProcessSpec, Sandboxes } from '#rivera/garden';
import { gardenConformance } from '../../libs/garden/src/garden.conformance.js';
import { canStartDockerEngine, startDockerEngine } from '../support/docker-engine.js';
import type { DockerEngineHarness } from '../support/docker-engine.js';
import { type DebianRegistry, hasDebianRegistry, startDebianRegistry } from '../support/debian-registry.js';
import { startImageRegistry } from '../support/image-registry.js';
import type { ImageRegistry } from '../support/image-registry.js';
import { stablePorts } from '../support/ports.js';
import { buildRootfs } from '../support/rootfs.js';
import type { RootfsHarness } from '../support/rootfs.js';

/** The package docker-registry; the tests of images do without where it is not installed. */
const hasRegistry = await hasDebianRegistry();
const hasEngine = process.env.RIVERA_TEST_DOCKER_HOST !== undefined || (await canStartDockerEngine());

/** The same garden, each of whose containers joins a network that was made ahead for it. */
function inSandboxes(garden: DockerGarden): Garden {
  const create = async (spec: ContainerSpec) => {
    const containerPorts = [...new Set(spec.ports)];
    const free = await stablePorts(containerPorts.length);
    const hostPorts = Object.fromEntries(
      containerPorts.map((port, at) => [port, spec.hostPorts?.[port] ?? free[at]!]),
    );
    const sandbox = randomUUID();
    const ports = containerPorts.map((containerPort) => ({
      containerPort,
      hostPort: hostPorts[containerPort]!,
    }));
    await garden.sandboxes!.create({ name: sandbox, ports });
    return garden.create({ ...spec, hostPorts, sandbox });
  };
  return new Proxy<Garden>(garden, {
    get: (target, name) => {
      if (name === 'create') return create;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });
}

/** Leaves tests out as if they were not there; one of them says why. */
const inPlace = (isThere: boolean) => (isThere ? describe : (_name: string, _tests: () => void) => undefined);

if (!hasEngine) {
  it('the docker backend', ({ skip }) => {
    skip('no Docker Engine may be started here; set RIVERA_TEST_DOCKER_HOST');
  });
}

inPlace(hasEngine)('the docker backend', () => {
  let engine: DockerEngineHarness;
  let rootfs: RootfsHarness;
  const connect = (owner: string): Promise<DockerGarden> =>
    DockerGarden.connect({
      owner,
      host: engine.dockerHost,
      stacks: { base: rootfs.tar },
      sandboxInit: rootfs.busybox,
    });

  beforeAll(async () => {
    [engine, rootfs] = await Promise.all([startDockerEngine(), buildRootfs()]);
  });
  afterAll(async () => {
    await rootfs.remove();
    await engine.stop();
  });

  gardenConformance('docker', () =>
    Promise.resolve({
      open: connect,
      rootfs: 'preloaded:base',
      user: { name: 'vcap', uid: 2000 },
      hasRealProcesses: true,
      close: () => Promise.resolve(),
    }),
  );

  gardenConformance('docker, in networks made ahead', () =>
    Promise.resolve({
      open: async (owner) => inSandboxes(await connect(owner)),
      rootfs: 'preloaded:base',
      user: { name: 'vcap', uid: 2000 },
      hasRealProcesses: true,
      close: () => Promise.resolve(),
    }),
  );

  describe('on the engine', () => {
    let garden: DockerGarden;
    let owner: string;
    let docker: Docker;
    const shell = (script: string): ProcessSpec => ({
      path: '/bin/sh',
      args: ['-c', script],
      env: [],
      user: 'vcap',
    });
    const spec = (more: Partial<ContainerSpec> = {}): ContainerSpec => ({
      handle: `h-${randomUUID().slice(0, 13)}`,
      rootfs: 'preloaded:base',
      env: [],
      limits: { memoryMb: 64, diskMb: 0, pids: 64, cpuShares: 512 },
      privileged: false,
      ports: [],
      properties: {},
      ...more,
    });
    const startMain = async (
      script: string,
      more: Partial<ContainerSpec> = {},
    ): Promise<{ process: ContainerProcess; text: () => string }> => {
      const chunks: Buffer[] = [];
      const container = await garden.create(spec({ main: shell(script), ...more }));
      const running = await container.start({
        stdout: (chunk) => chunks.push(chunk),
        stderr: () => undefined,
      });
      return { process: running!, text: () => Buffer.concat(chunks).toString() };
    };

    beforeEach(async () => {
      owner = `owner-${randomUUID().slice(0, 8)}`;
      garden = await connect(owner);
      docker = new Docker({ socketPath: new URL(engine.dockerHost).pathname, host: undefined });
    });
    afterEach(async () => {
      for (const { handle } of await garden.list()) await garden.destroy(handle);
      await garden.close();
    });

    it('a container is what was asked for', async () => {
      const wanted = spec({ properties: { lifecycle: 'lrp' }, ports: [8080] });
      await garden.create(wanted);
      const [found] = await docker.listContainers({
        all: true,
        filters: { label: [`rivera.owner=${owner}`] },
      });
      const { Config, HostConfig } = await docker.getContainer(found!.Id).inspect();
      expect(Config).toMatchObject({
        Hostname: wanted.handle,
        Labels: { 'rivera.owner': owner, 'rivera.handle': wanted.handle, 'rivera.property.lifecycle': 'lrp' },
      });
      expect(HostConfig).toMatchObject({
        Memory: 67_108_864,
        MemorySwap: 67_108_864,
        PidsLimit: 64,
        CpuShares: 512,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        Init: true,
        LogConfig: { Type: 'local', Config: { 'max-size': '10m', 'max-file': '2' } },
      });
      const network = await docker.getNetwork(HostConfig.NetworkMode!).inspect();
      expect(network).toMatchObject({
        Name: 'rivera',
        Options: { 'com.docker.network.bridge.enable_icc': 'false' },
      });
    });

    it('a user other than root has no capabilities', async () => {
      const { process, text } = await startMain('grep -E "CapEff|CapPrm|NoNewPrivs" /proc/self/status');
      await process.wait();
      expect(text()).toMatch(/CapPrm:\s0000000000000000\nCapEff:\s0000000000000000\nNoNewPrivs:\s1/);
    });

    it('twenty containers at once need one import of their stack', async () => {
      await Promise.all(Array.from({ length: 20 }, () => garden.create(spec())));
      const images = await docker.listImages({ filters: { reference: ['rivera/base'] } });
      expect(images).toHaveLength(1);
      expect(images[0]?.RepoTags?.[0]).toMatch(/^rivera\/base:[0-9a-f]{12}$/);
      expect(await garden.list()).toHaveLength(20);
    });

    it('a hundred thousand small writes arrive, and a short-lived process loses nothing', async () => {
      const many = await startMain(
        'exec awk \'BEGIN { for (i = 0; i < 100000; i++) { printf "x"; fflush() } }\'',
      );
      await many.process.wait();
      expect(many.text().length).toBe(100_000);
      for (let round = 0; round < 5; round += 1) {
        const short = await startMain('echo now');
        await short.process.wait();
        expect(short.text()).toBe('now\n');
      }
    });

    it('an added process has a terminal when it wants one, and can be killed with all its children', async () => {
      const container = await garden.create(spec());
      const ignore = { stdout: (): void => undefined, stderr: (): void => undefined };
      await container.start(ignore);
      const chunks: string[] = [];
      const output = { ...ignore, stdout: (chunk: Buffer) => void chunks.push(chunk.toString()) };
      const terminal = await container.run({ ...shell('tty; exit 4'), tty: true }, output);
      expect((await terminal.wait()).status).toBe(4);
      expect(chunks.join('')).toBe('/dev/pts/0\r\n');
      chunks.length = 0;
      const window = { tty: true, stdin: true, windowSize: { columns: 132, rows: 43 } };
      const sized = await container.run(
        {
          ...shell("trap 'echo int; exit 9' INT; read line; stty size; echo ready; sleep 60 & wait"),
          ...window,
        },
        output,
      );
      const shown = (text: string) =>
        vi.waitFor(() => expect(chunks.join('')).toContain(text), { timeout: 10_000 });
      await sized.write(Buffer.from('go\n'));
      await shown('43 132\r\nready');
      await sized.resize({ columns: 100, rows: 30 });
      await sized.write(Buffer.from('\u0003'));
      expect((await sized.wait()).status).toBe(9);
      // Deaf to TERM, as its child is; the child also keeps the output open.
      const parent = await container.run(shell("trap '' TERM; sleep 1000 & wait"), ignore);
      await parent.signal('SIGTERM');
      await parent.signal('SIGKILL');
      await parent.wait();
      const [found] = await docker.listContainers({
        filters: { label: [`rivera.handle=${container.handle}`] },
      });
      const processes = async (): Promise<string> => {
        const { Processes } = (await docker.getContainer(found!.Id).top()) as { Processes: string[][] };
        return Processes.flat().join(' ');
      };
      // A killed process is listed until it is reaped.
      await vi.waitFor(async () => expect(await processes()).not.toContain('sleep 1000'), {
        timeout: 10_000,
      });
    });

    describe('a network made ahead', () => {
      const sandboxes = (): Sandboxes => garden.sandboxes!;
      const making = async (containerPort = 8080): Promise<{ sandbox: string; hostPort: number }> => {
        const [hostPort = 0] = await stablePorts(1);
        const sandbox = randomUUID();
        await sandboxes().create({ name: sandbox, ports: [{ containerPort, hostPort }] });
        return { sandbox, hostPort };
      };
      const joining = ({
        sandbox,
        hostPort,
      }: {
        sandbox: string;
        hostPort: number;
      }): Partial<ContainerSpec> => ({
        sandbox,
        ports: [8080],
        hostPorts: { 8080: hostPort },
      });
      const SAYING = 'hostname; cat /etc/hostname; echo $HOSTNAME; grep -c "$HOSTNAME" /etc/hosts';

      it('is a container’s with its ports, and names the host after it', async () => {
        const made = await making();
        const web = { path: '/bin/web', args: [], env: ['PORT=8080'], user: 'vcap' };
        const wanted = spec({ main: web, ...joining(made) });
        const container = await garden.create(wanted);
        await container.start({ stdout: () => undefined, stderr: () => undefined });
        expect(await container.info()).toMatchObject({
          sandbox: made.sandbox,
          ports: [{ containerPort: 8080, hostPort: made.hostPort }],
          address: expect.stringMatching(/^10\./) as string,
        });
        const answer = await vi.waitFor(() => fetch(`http://127.0.0.1:${made.hostPort}/`), {
          timeout: 10_000,
        });
        expect(answer.ok).toBe(true);
        const said: string[] = [];
        const asking = await container.run(shell(SAYING), {
          stdout: (chunk) => said.push(chunk.toString()),
          stderr: () => undefined,
        });
        await asking.wait();
        expect(said.join('')).toBe(`${`${wanted.handle}\n`.repeat(3)}1\n`);
      });

      it('is taken from when its container is made, stays with it for the next agent, and goes with it', async () => {
        const [first, second] = [await making(), await making()];
        const { handle } = await garden.create(spec({ main: shell('sleep 600'), ...joining(first) }));
        const seen = async (): Promise<unknown> =>
          Object.fromEntries((await sandboxes().list()).map(({ name, isTaken }) => [name, isTaken]));
        expect(await seen()).toEqual({ [first.sandbox]: true, [second.sandbox]: false });
        await garden.close();
        garden = await connect(owner);
        expect(await seen()).toEqual({ [first.sandbox]: true, [second.sandbox]: false });
        expect(await sandboxes().list()).toContainEqual({
          name: second.sandbox,
          ports: [{ containerPort: 8080, hostPort: second.hostPort }],
          isTaken: false,
          isRunning: true,
        });
        await garden.destroy(handle);
        expect(await seen()).toEqual({ [second.sandbox]: false });
        await sandboxes().destroy(second.sandbox);
        await sandboxes().destroy(second.sandbox);
        expect(await seen()).toEqual({});
      });

      it('that has ended is done without', async () => {
        const made = await making();
        const [holder] = await docker.listContainers({
          filters: { label: [`rivera.sandbox=${made.sandbox}`] },
        });
        await docker.getContainer(holder!.Id).kill();
        const { process, text } = await startMain(SAYING, joining(made));
        expect((await process.wait()).status).toBe(0);
        expect(new Set(text().split('\n')).size).toBe(3);
        expect(await sandboxes().list()).toEqual([]);
      });

      it('is not left behind by a container that cannot be made', async () => {
        const made = await making();
        const creating = garden.create(spec({ rootfs: 'preloaded:nothing', ...joining(made) }));
        await expect(creating).rejects.toMatchObject({ code: 'not-found' });
        const egress = [{ protocol: 'all' as const, destinations: ['nowhere'] }];
        await expect(garden.create(spec({ egress }))).rejects.toMatchObject({ code: 'invalid-request' });
        expect(await sandboxes().list()).toEqual([]);
      });
    });

    describe('egress rules', () => {
      let servers: Server[];
      let gateway: string;
      const listen = async (): Promise<number> => {
        const server = createServer((socket) => socket.end('hello\n'));
        servers.push(server);
        server.listen(0, '0.0.0.0');
        await once(server, 'listening');
        return (server.address() as AddressInfo).port;
      };
      const reaching = (...ports: number[]): string =>
        ports.map((port) => `nc -w 5 ${gateway} ${port} </dev/null || echo refused`).join('; ');

      beforeEach(async () => {
        servers = [];
        // The network is made with the first container.
        await garden.create(spec());
        const { IPAM } = await docker.getNetwork('rivera').inspect();
        gateway = (IPAM as { Config: { Gateway: string }[] }).Config[0]!.Gateway;
      });
      afterEach(() => servers.forEach((server) => server.close()));

      it('let through what they name, from the first instruction on, and nothing else', async () => {
        const [named, other] = [await listen(), await listen()];
        const egress = [
          { protocol: 'tcp' as const, destinations: [gateway], ports: [{ start: named, end: named }] },
        ];
        const script = reaching(named, other);
        const free = await startMain(script);
        await free.process.wait();
        expect(free.text()).toBe('hello\nhello\n');
        const held = await startMain(script, { egress });
        await held.process.wait();
        expect(held.text()).toBe('hello\nrefused\n');
        const shut = await startMain(script, { egress: [] });
        await shut.process.wait();
        expect(shut.text()).toBe('refused\nrefused\n');
      });

      it('hold in a network made ahead, leave its ports reachable, and outlive the agent', async () => {
        const port = await listen();
        const [hostPort = 0] = await stablePorts(1);
        const sandbox = randomUUID();
        await garden.sandboxes!.create({ name: sandbox, ports: [{ containerPort: 8080, hostPort }] });
        const web = { path: '/bin/web', args: [], env: ['PORT=8080'], user: 'vcap' };
        const more = { ports: [8080], hostPorts: { 8080: hostPort }, sandbox, egress: [] };
        const { handle } = await garden.create(spec({ main: web, ...more }));
        await (await garden.lookup(handle)).start({ stdout: () => undefined, stderr: () => undefined });
        const answer = await vi.waitFor(() => fetch(`http://127.0.0.1:${hostPort}/`), { timeout: 10_000 });
        expect(answer.ok).toBe(true);
        await garden.close();
        garden = await connect(owner);
        const said: string[] = [];
        const process = await (
          await garden.lookup(handle)
        ).run(shell(reaching(port)), {
          stdout: (chunk) => said.push(chunk.toString()),
          stderr: () => undefined,
        });
        await process.wait();
        expect(said.join('')).toBe('refused\n');
      });
    });

    it('what an agent that was killed has added to a container is ended by the next, and the main process goes on', async () => {
      const { process: main } = await startMain('exec sleep 1001');
      const [{ handle } = { handle: '' }] = await garden.list();
      const ignore = { stdout: (): void => undefined, stderr: (): void => undefined };
      const adding = (await garden.lookup(handle)).run(shell('exec sleep 1002'), ignore);
      await adding;
      const programs = async (): Promise<string> => {
        const [found] = await docker.listContainers({ filters: { label: [`rivera.handle=${handle}`] } });
        const { Processes } = (await docker.getContainer(found!.Id).top()) as { Processes: string[][] };
        return Processes.flat().join(' ');
      };
      expect(await programs()).toContain('sleep 1002');
      main.wait().catch(() => undefined);
      await garden.close();
      garden = await connect(owner);
      const container = await garden.lookup(handle);
      await container.attachMain(ignore);
      await vi.waitFor(async () => expect(await programs()).not.toContain('sleep 1002'), { timeout: 10_000 });
      expect(await programs()).toContain('sleep 1001');
      const own = await container.run(shell('exec sleep 1003'), ignore);
      await container.attachMain(ignore);
      expect(await programs()).toContain('sleep 1003');
      await own.signal('SIGKILL');
    });

    it('one that an earlier agent is just starting is discarded only where the start comes too late', async () => {
      const other = await connect(owner);
      for (let round = 0; round < 6; round += 1) {
        const wanted = spec({ main: shell('exec sleep 1000') });
        const container = await garden.create(wanted);
        const starting = container.start({ stdout: () => {}, stderr: () => {} }).then(
          () => true,
          () => false,
        );
        // The start is on its way to the engine, has reached it, or is done.
        await sleep(round * 60);
        const wasDiscarded = await other.discard(wanted.handle);
        expect(await starting).toBe(!wasDiscarded);
        const left = (await garden.list()).map(({ handle, state }) => ({ handle, state }));
        expect(left).toEqual(wasDiscarded ? [] : [{ handle: wanted.handle, state: 'running' }]);
        await garden.destroy(wanted.handle);
      }
      await other.close();
    });

    it('an unknown user is refused', async () => {
      const container = await garden.create(spec());
      const ignore = { stdout: (): void => undefined, stderr: (): void => undefined };
      await container.start(ignore);
      const starting = container.run({ ...shell('true'), user: 'nobody-here' }, ignore);
      await expect(starting).rejects.toThrow(/unable to find user nobody-here/);
    });

    it('an engine that is not there is unavailable', async () => {
      const connecting = DockerGarden.connect({
        owner,
        host: 'unix:///no/such/docker.sock',
        stacks: {},
        sandboxInit: rootfs.busybox,
      });
      await expect(connecting).rejects.toMatchObject({ code: 'unavailable' });
    });

    describe('images of a registry', () => {
      let registry: ImageRegistry;
      const credentials = { imageUsername: 'user', imagePassword: 'secret' };

      beforeAll(async () => {
        registry = await startImageRegistry(rootfs.tar);
      });
      afterAll(() => registry.close());

      it('8.92 are pulled once, with credentials, and keep their environment but not their entry point', async () => {
        const image = { rootfs: `docker://${registry.address}/team/app#v1`, ...credentials };
        await Promise.all(Array.from({ length: 20 }, () => garden.create(spec(image))));
        expect(registry.pulls).toBe(1);
        const { process, text } = await startMain('env', image);
        expect((await process.wait()).status).toBe(0);
        expect(text()).toContain('FROM_IMAGE=yes');
      });

      it('are not pulled without credentials', async () => {
        const creating = garden.create(spec({ rootfs: `docker://${registry.address}/team/private#v1` }));
        await expect(creating).rejects.toMatchObject({ code: 'not-found' });
      });

      it('8.92 that are broken fail with the words of the engine, which it says inside a 200 answer', async () => {
        const creating = garden.create(
          spec({ rootfs: `docker://${registry.address}/broken/app#v1`, ...credentials }),
        );
        await expect(creating).rejects.toThrow(/could not be pulled: .+/);
        expect(await garden.list()).toEqual([]);
      });
    });

    inPlace(hasRegistry)('images of Docker’s own registry', () => {
      let registry: DebianRegistry;
      let digest: string;
      let name: string;

      const forget = async (): Promise<void> => {
        const images = await docker.listImages({ filters: { reference: [name] } });
        for (const tag of images.flatMap(({ RepoTags, RepoDigests }) => [
          ...(RepoTags ?? []),
          ...(RepoDigests ?? []),
        ])) {
          await docker
            .getImage(tag)
            .remove({ force: true })
            .catch(() => undefined);
        }
      };

      beforeAll(async () => {
        registry = await startDebianRegistry();
        name = `${registry.address}/team/app`;
        const client = new Docker({ socketPath: new URL(engine.dockerHost).pathname, host: undefined });
        const builder = await connect(`owner-${randomUUID().slice(0, 8)}`);
        const handle = randomUUID();
        await builder.create(spec({ handle }));
        const [container] = await client.listContainers({
          all: true,
          filters: { label: [`rivera.handle=${handle}`] },
        });
        const content = (await client.getContainer(container!.Id).inspect()).Image;
        const image = client.getImage(content);
        await image.tag({ repo: name, tag: 'v1' });
        for (const tag of ['v3', 'v4', 'v5']) {
          // Of a content of its own, so that each is another image.
          const changes = `LABEL tag=${tag}`;
          await client.getContainer(container!.Id).commit({ repo: name, tag, changes });
          const stream = await client.getImage(`${name}:${tag}`).push({
            authconfig: { username: '', password: '', serveraddress: registry.address },
          });
          for await (const chunk of stream as AsyncIterable<Buffer>) void chunk;
        }
        const pushing = (await client.getImage(`${name}:v1`).push({
          authconfig: { username: '', password: '', serveraddress: registry.address },
        })) as NodeJS.ReadableStream;
        let said = '';
        for await (const chunk of pushing) said += String(chunk);
        digest = /sha256:[0-9a-f]{64}/.exec(said)![0];
        await builder.destroy(handle);
        await builder.close();
      });
      afterAll(() => registry.close());
      beforeEach(forget);

      it.each(['#v1', 'digest', '@digest'])('are had by %s', async (kind) => {
        const suffix = { '#v1': '#v1', digest: `#${digest}`, '@digest': `@${digest}` }[kind];
        await Promise.all(
          Array.from({ length: 5 }, () => garden.create(spec({ rootfs: `docker://${name}${suffix}` }))),
        );
        const { process, text } = await startMain('echo pulled', { rootfs: `docker://${name}${suffix}` });
        expect((await process.wait()).status).toBe(0);
        expect(text()).toBe('pulled\n');
      });

      it('that were pulled go when the disk is full: unused ones only, the least recently used first', async () => {
        const owner = `owner-${randomUUID().slice(0, 8)}`;
        const directory = await mkdtemp(join(tmpdir(), 'rivera-images-'));
        let full = 0;
        const open = () =>
          DockerGarden.connect({
            owner,
            host: engine.dockerHost,
            stacks: { base: rootfs.tar },
            sandboxInit: rootfs.busybox,
            imageRecord: join(directory, 'images.json'),
            // Each image takes a tenth.
            usedDiskPercent: async () => full - 10 * (4 - (await tagsOnEngine()).length),
          });
        const tags = ['v1', 'v3', 'v4', 'v5'];
        const tagsOnEngine = async (): Promise<string[]> => {
          const images = await docker.listImages({ filters: { reference: [name] } });
          const found = images
            .flatMap(({ RepoTags }) => RepoTags ?? [])
            .filter((tag) => tag.startsWith(`${name}:`));
          return found
            .map((tag) => tag.slice(name.length + 1))
            .filter((tag) => tags.includes(tag))
            .toSorted();
        };
        let pulling = await open();
        const use = async (tag: string): Promise<string> => {
          const { handle } = await pulling.create(spec({ rootfs: `docker://${name}#${tag}` }));
          return handle;
        };
        const filling = { fromPercent: 90, toPercent: 70 };
        try {
          // Somebody else's image is not ours to remove.
          await docker.pull(`${name}:v5`).then(async (stream: NodeJS.ReadableStream) => {
            for await (const chunk of stream) void chunk;
          });
          const handles = [await use('v1'), await use('v3'), await use('v4'), await use('v5')];
          expect(await tagsOnEngine()).toEqual(tags);
          full = 80;
          expect(await pulling.collectImages(filling)).toEqual([]);
          full = 100;
          expect(await pulling.collectImages(filling)).toEqual([]);
          for (const handle of handles.slice(1)) await pulling.destroy(handle);
          // The next agent knows what the one before has pulled; v1 is in use, v3 is used once more.
          await pulling.close();
          pulling = await open();
          await pulling.destroy(await use('v3'));
          full = 75;
          expect(await pulling.collectImages({ fromPercent: 75, toPercent: 70 })).toEqual([`${name}:v4`]);
          full = 100;
          expect(await pulling.collectImages(filling)).toEqual([`${name}:v3`]);
          expect(await tagsOnEngine()).toEqual(['v1', 'v5']);
          // One that was removed is pulled again.
          await pulling.destroy(await use('v3'));
          expect(await tagsOnEngine()).toEqual(['v1', 'v3', 'v5']);
        } finally {
          for (const { handle } of await pulling.list()) await pulling.destroy(handle);
          await pulling.close();
          await rm(directory, { recursive: true });
        }
      });

      it('tell how far their pull is, everybody who waits', async () => {
        const said: string[][] = [[], [], []];
        await Promise.all(
          said.map((lines) =>
            garden.create(spec({ rootfs: `docker://${name}#v1` }), (text) => lines.push(text)),
          ),
        );
        for (const lines of said) {
          expect(lines[0]).toMatch(/^Pulling image .+:v1/);
          expect(lines.at(-1)).toMatch(/^Pulled image .+:v1/);
        }
        const again: string[] = [];
        await garden.create(spec({ rootfs: `docker://${name}#v1` }), (text) => again.push(text));
        expect(again).toEqual([]);
      });

      it('that are not there are not found', async () => {
        const creating = garden.create(spec({ rootfs: `docker://${name}#v2` }));
        await expect(creating).rejects.toMatchObject({ code: 'not-found' });
        const other = `sha256:${'0'.repeat(64)}`;
        await expect(garden.create(spec({ rootfs: `docker://${name}#${other}` }))).rejects.toMatchObject({
          code: 'not-found',
        });
      });

      it('of a registry that is down are unavailable', async () => {
        const creating = garden.create(spec({ rootfs: 'docker://127.0.0.1:1/team/app#v1' }));
        await expect(creating).rejects.toMatchObject({ code: 'unavailable' });
      });
    });
  });
});
