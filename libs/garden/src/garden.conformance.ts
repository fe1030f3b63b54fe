import { randomUUID } from 'node:crypto';
import { extract, pack } from 'tar-stream';
import { vi } from 'vitest';
import type {
  Container,
  ContainerProcess,
  ContainerSpec,
  Garden,
  ProcessOutput,
  ProcessSpec,
} from './container.js';

const PATIENCE_MS = 20_000;

/** What the suite needs of a backend. */
export interface GardenHarness {
  /** A garden object on the same containers, as the next agent of this owner would make it. */
  open(owner: string): Promise<Garden>;
  /** A root filesystem with a shell, busybox applets and `/bin/web`. */
  rootfs: string;
  /** A user other than root where the backend can; otherwise the one the agent runs as. */
  user: { name: string; uid: number };
  /** The fake has no programs, network or disk: it plays the programs below by their names. */
  hasRealProcesses: boolean;
  close(): Promise<void>;
}

/**
 * The programs the suite runs, as shell scripts; `$0` is the name. A backend without real processes plays them by name:
 * it is the third argument of the process.
 */
export const CONFORMANCE_PROGRAMS = {
  exit3: 'exit 3',
  order: 'echo out1; echo err1 >&2; echo out2; printf last',
  polite: `trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.05; done`,
  stubborn: `trap '' TERM; echo ready; while :; do sleep 0.05; done`,
  sleeper: 'echo ready; exec sleep 1000',
  ticker: 'i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.1; done',
  burst: `head -c 1048576 /dev/zero | tr '\\0' x`,
  env: 'env',
  stdin: 'cat; echo end',
  nofile: 'ulimit -n',
  whoami: 'id -u',
  pwd: 'pwd',
  home: '[ "$(pwd)" = "$HOME" ] && echo at home',
  cat: 'cat sub/hello.txt',
  hog: 'exec tail -c 1000000000 /dev/zero',
  forks: 'for i in $(seq 40); do sleep 20 & done; echo all; kill $(jobs -p)',
} as const;
export type ConformanceProgram = keyof typeof CONFORMANCE_PROGRAMS;

/** Collects what a process writes. */
class Output implements ProcessOutput {
  private readonly out: Buffer[] = [];
  private readonly err: Buffer[] = [];

  stdout(chunk: Buffer): void {
    this.out.push(Buffer.from(chunk));
  }

  stderr(chunk: Buffer): void {
    this.err.push(Buffer.from(chunk));
  }

  get text(): string {
    return Buffer.concat(this.out).toString();
  }

  get errors(): string {
    return Buffer.concat(this.err).toString();
  }

  async contains(text: string): Promise<void> {
    await vi.waitFor(() => expect(this.text).toContain(text), { timeout: PATIENCE_MS, interval: 20 });
  }
}

/** The promises of `container.ts`, to be kept by every backend. */
export function gardenConformance(name: string, makeHarness: () => Promise<GardenHarness>): void {
  describe(`garden: ${name}`, () => {
    let harness: GardenHarness;
    let garden: Garden;
    let owner: string;
    const gardens: Garden[] = [];

    const open = async (of: string): Promise<Garden> => {
      const opened = await harness.open(of);
      gardens.push(opened);
      return opened;
    };
    const program = (script: ConformanceProgram, more: Partial<ProcessSpec> = {}): ProcessSpec => ({
      path: '/bin/sh',
      args: ['-c', CONFORMANCE_PROGRAMS[script], script],
      env: [],
      user: harness.user.name,
      ...more,
    });
    const spec = (more: Partial<ContainerSpec> = {}): ContainerSpec => ({
      handle: `h-${randomUUID().slice(0, 13)}`,
      rootfs: harness.rootfs,
      env: [],
      limits: { memoryMb: 64, diskMb: 0, pids: 64, cpuShares: 1024 },
      privileged: false,
      ports: [],
      properties: {},
      ...more,
    });
    const startMain = async (
      script: ConformanceProgram,
      more: Partial<ContainerSpec> = {},
    ): Promise<{ container: Container; process: ContainerProcess; output: Output; handle: string }> => {
      const wanted = spec({ main: program(script), ...more });
      const container = await garden.create(wanted);
      const output = new Output();
      const process = (await container.start(output))!;
      return { container, process, output, handle: wanted.handle };
    };
    const startIdle = async (more: Partial<ContainerSpec> = {}): Promise<Container> => {
      const container = await garden.create(spec(more));
      expect(await container.start(new Output())).toBeUndefined();
      return container;
    };
    const runToEnd = async (
      container: Container,
      process: ProcessSpec,
    ): Promise<{ status: number; outOfMemory: boolean; output: Output }> => {
      const output = new Output();
      const running = await container.run(process, output);
      return { ...(await running.wait()), output };
    };

    beforeAll(async () => {
      harness = await makeHarness();
    });
    afterAll(() => harness.close());
    beforeEach(async () => {
      owner = `owner-${randomUUID().slice(0, 8)}`;
      garden = await open(owner);
    });
    afterEach(async () => {
      for (const opened of gardens.splice(0)) {
        const containers = await opened.list();
        await Promise.all(containers.map(({ handle }) => opened.destroy(handle)));
        await opened.close();
      }
    });

    describe('itself', () => {
      it('answers a ping and has a capacity', async () => {
        await garden.ping();
        const capacity = await garden.capacity();
        expect(capacity.memoryMb).toBeGreaterThan(0);
        expect(capacity.containers).toBeGreaterThan(0);
      });

      it('names the stack it was given', () => {
        const stack = harness.rootfs.slice('preloaded:'.length);
        expect(garden.rootfsProviders()).toContainEqual({ scheme: 'preloaded', stacks: [stack] });
      });
    });

    describe('create', () => {
      it('makes a container that has not begun', async () => {
        const wanted = spec({ main: program('sleeper'), properties: { a: '1' } });
        const container = await garden.create(wanted);
        expect(container.handle).toBe(wanted.handle);
        expect(await container.info()).toMatchObject({
          handle: wanted.handle,
          state: 'created',
          properties: { a: '1' },
        });
      });

      it('8.19 answers the same container when it is repeated, as after a lost answer', async () => {
        const wanted = spec({ properties: { a: '1' } });
        await garden.create(wanted);
        await garden.create(wanted);
        expect(await garden.list()).toHaveLength(1);
      });

      it('refuses a handle in use for something else', async () => {
        const wanted = spec({ properties: { a: '1' } });
        await garden.create(wanted);
        await expect(garden.create({ ...wanted, properties: { a: '2' } })).rejects.toMatchObject({
          code: 'already-exists',
        });
      });

      it('refuses an unknown stack and an unknown scheme', async () => {
        await expect(garden.create(spec({ rootfs: 'preloaded:nowhere' }))).rejects.toMatchObject({
          code: 'not-found',
        });
        await expect(garden.create(spec({ rootfs: 'floppy:a' }))).rejects.toMatchObject({
          code: 'unsupported',
        });
        expect(await garden.list()).toEqual([]);
      });

      it('refuses a privileged container where there are none', async () => {
        if (garden.capabilities.privileged) await garden.create(spec({ privileged: true }));
        else
          await expect(garden.create(spec({ privileged: true }))).rejects.toMatchObject({
            code: 'unsupported',
          });
      });
    });

    describe('main process', () => {
      it('ends with its exit status, which the container remembers', async () => {
        const { process, container } = await startMain('exit3');
        expect(await process.wait()).toEqual({ status: 3, outOfMemory: false });
        expect(await container.info()).toMatchObject({
          state: 'stopped',
          mainExit: { status: 3, outOfMemory: false },
        });
      });

      it('delivers all output, in order, before its end, from the first byte to a last line without newline', async () => {
        const { process, output } = await startMain('order');
        await process.wait();
        expect(output.text).toBe('out1\nout2\nlast');
        expect(output.errors).toBe('err1\n');
      });

      it('delivers a burst of a megabyte', async () => {
        const { process, output } = await startMain('burst');
        await process.wait();
        expect(output.text.length).toBe(1_048_576);
      });

      it('is ended by SIGTERM, when it handles it by itself', async () => {
        const { process, output, container } = await startMain('polite');
        await output.contains('ready');
        expect(await container.info()).toMatchObject({ state: 'running' });
        await process.signal('SIGTERM');
        expect((await process.wait()).status).toBe(7);
        expect(output.text).toBe('ready\nbye\n');
      });

      it('reports 128 + 15 when it does not handle SIGTERM', async () => {
        const { process, output } = await startMain('sleeper');
        await output.contains('ready');
        await process.signal('SIGTERM');
        expect((await process.wait()).status).toBe(143);
      });

      it('is ended by SIGKILL whatever it does about SIGTERM', async () => {
        const { process, output } = await startMain('stubborn');
        await output.contains('ready');
        await process.signal('SIGTERM');
        await process.signal('SIGKILL');
        expect((await process.wait()).status).toBe(137);
      });

      it('may be signalled after its end', async () => {
        const { process } = await startMain('exit3');
        await process.wait();
        await process.signal('SIGTERM');
        await process.signal('SIGKILL');
      });

      it('is not started twice', async () => {
        const { container, output, process } = await startMain('polite');
        await output.contains('ready');
        const again = (await container.start(new Output()))!;
        await process.signal('SIGTERM');
        expect((await again.wait()).status).toBe(7);
        expect((await (await container.start(new Output()))!.wait()).status).toBe(7);
        expect(output.text).toBe('ready\nbye\n');
      });

      it('rejects a program that is not there', async () => {
        const wanted = spec({ main: program('exit3', { path: '/no/such/program' }) });
        const container = await garden.create(wanted);
        await expect(container.start(new Output())).rejects.toMatchObject({ code: 'not-found' });
        await garden.destroy(wanted.handle);
        expect(await garden.list()).toEqual([]);
      });

      it('has the container environment, overridden by its own, and PATH and USER', async () => {
        const { process, output } = await startMain('env', {
          env: ['A=1', 'B=1'],
          main: program('env', { env: ['B=2', 'C=with = and  spaces'] }),
        });
        await process.wait();
        const lines = output.text.split('\n');
        expect(lines).toEqual(expect.arrayContaining(['A=1', 'B=2', 'C=with = and  spaces']));
        expect(lines).not.toContain('B=1');
        expect(lines).toContain(`USER=${harness.user.name}`);
        expect(output.text).toMatch(/^PATH=.+/m);
      });

      it('has no input', async () => {
        const { process, output } = await startMain('stdin');
        await process.wait();
        expect(output.text).toBe('end\n');
      });

      it('runs as its user, in its directory, with its limit of open files', async () => {
        const user = await startMain('whoami');
        await user.process.wait();
        expect(user.output.text).toBe(`${harness.user.uid}\n`);
        const limit = await startMain('nofile', { main: program('nofile', { nofile: 123 }) });
        await limit.process.wait();
        expect(limit.output.text).toBe('123\n');
        const directory = await startMain('pwd', { main: program('pwd', { dir: '/tmp' }) });
        await directory.process.wait();
        expect(directory.output.text).toMatch(/\/tmp\n$/);
      });

      it('is ended by the memory limit and says so, where there is one', async () => {
        if (!garden.capabilities.memoryLimit) {
          expect(garden.backend).toBe('process');
          return;
        }
        const limits = { memoryMb: 24, diskMb: 0, pids: 64, cpuShares: 1024 };
        const { process } = await startMain('hog', { limits });
        expect(await process.wait()).toEqual({ status: 137, outOfMemory: true });
      });

      it('cannot have more processes than the limit, where there is one', async () => {
        const limits = { memoryMb: 64, diskMb: 0, pids: 12, cpuShares: 1024 };
        const { process, output } = await startMain('forks', { limits });
        const { status } = await process.wait();
        expect(output.text.includes('all')).toBe(!garden.capabilities.pidsLimit);
        expect(status === 0).toBe(!garden.capabilities.pidsLimit);
      });
    });

    describe('after a restart of the agent', () => {
      it('goes on, and its output follows', async () => {
        const { handle, output } = await startMain('ticker', { properties: { kind: 'lrp' } });
        await output.contains('tick 2');
        await garden.close();
        const next = await open(owner);
        expect(await next.list({ kind: 'lrp' })).toMatchObject([{ handle, state: 'running' }]);
        const later = new Output();
        const process = await (await next.lookup(handle)).attachMain(later, Date.now());
        await later.contains('tick');
        expect(later.text).not.toContain('tick 1\n');
        await process.signal('SIGKILL');
        expect((await process.wait()).status).toBe(137);
      });

      it('lets go of those who wait when it is closed', async () => {
        const { process, output } = await startMain('sleeper');
        await output.contains('ready');
        const waiting = process.wait().then(
          () => 'ended',
          (error: unknown) => error,
        );
        await garden.close();
        // The fake has nothing to let go of.
        if (garden.backend !== 'fake') expect(await waiting).toMatchObject({ code: 'unavailable' });
      });

      it('tells how a process ended that nobody watched', async () => {
        const { handle, process } = await startMain('order');
        await process.wait();
        await garden.close();
        const next = await open(owner);
        const output = new Output();
        const attached = await (await next.lookup(handle)).attachMain(output);
        expect(await attached.wait()).toEqual({ status: 0, outOfMemory: false });
        expect(output.text).toContain('out1\nout2\nlast');
        expect(await next.list()).toMatchObject([{ handle, state: 'stopped', mainExit: { status: 0 } }]);
      });

      it('has no main process to attach in an idle container', async () => {
        const container = await startIdle();
        await expect(container.attachMain(new Output())).rejects.toMatchObject({ code: 'not-found' });
      });
    });

    describe('added processes', () => {
      it('run one after another in an idle container', async () => {
        const container = await startIdle();
        expect(await container.info()).toMatchObject({ state: 'running' });
        expect(await runToEnd(container, program('exit3'))).toMatchObject({ status: 3, outOfMemory: false });
        const { status, output } = await runToEnd(container, program('order'));
        expect(status).toBe(0);
        expect(output.text).toBe('out1\nout2\nlast');
        expect(output.errors).toBe('err1\n');
      });

      it('deliver a burst of a megabyte', async () => {
        const { output } = await runToEnd(await startIdle(), program('burst'));
        expect(output.text.length).toBe(1_048_576);
      });

      it('have the environment, user, directory and limits they ask for', async () => {
        const container = await startIdle({ env: ['A=1', 'B=1'] });
        const env = await runToEnd(container, program('env', { env: ['B=2'] }));
        const lines = env.output.text.split('\n');
        expect(lines).toEqual(expect.arrayContaining(['A=1', 'B=2', `USER=${harness.user.name}`]));
        expect(lines).not.toContain('B=1');
        expect(env.output.text).toMatch(/^PATH=.+/m);
        expect((await runToEnd(container, program('whoami'))).output.text).toBe(`${harness.user.uid}\n`);
        expect((await runToEnd(container, program('nofile', { nofile: 321 }))).output.text).toBe('321\n');
        expect((await runToEnd(container, program('pwd', { dir: '/tmp' }))).output.text).toMatch(/\/tmp\n$/);
        expect((await runToEnd(container, program('home'))).output.text).toBe('at home\n');
        expect((await runToEnd(container, program('stdin'))).output.text).toBe('end\n');
      });

      it('read what is written to their input, up to its end', async () => {
        const container = await startIdle();
        const output = new Output();
        const process = await container.run(program('stdin', { stdin: true }), output);
        await process.write(Buffer.from('hel'));
        await process.write(Buffer.from('lo\n'));
        process.closeInput();
        expect((await process.wait()).status).toBe(0);
        expect(output.text).toBe('hello\nend\n');
        await process.write(Buffer.from('too late'));
      });

      it('have no input and no terminal unless they want one', async () => {
        const process = await (await startIdle()).run(program('sleeper'), new Output());
        await expect(process.write(Buffer.from('x'))).rejects.toMatchObject({ code: 'unsupported' });
        await expect(process.resize({ columns: 80, rows: 24 })).rejects.toMatchObject({
          code: 'unsupported',
        });
      });

      it('begin in a directory that is made for them', async () => {
        const dir = '/tmp/made/for/it';
        const { output } = await runToEnd(await startIdle(), program('pwd', { dir }));
        expect(output.text.trim().endsWith(dir)).toBe(true);
      });

      it('lose nothing, however brief they are, when their sink says when it is ready', async () => {
        const container = await startIdle();
        /** Keeps the next chunk waiting until a later turn of the loop. */
        class Waiting extends Output {
          async ready(): Promise<void> {
            await new Promise((resolve) => setImmediate(resolve));
          }
        }
        const outputs = Array.from({ length: 12 }, () => new Waiting());
        await Promise.all(
          outputs.map(async (output) => (await container.run(program('order'), output)).wait()),
        );
        for (const output of outputs) {
          expect([output.text, output.errors]).toEqual(['out1\nout2\nlast', 'err1\n']);
        }
        const burst = new Waiting();
        await (await container.run(program('burst'), burst)).wait();
        expect(burst.text).toBe('x'.repeat(1_048_576));
      });

      it('are signalled one by one', async () => {
        const container = await startIdle();
        const [polite, stubborn] = [new Output(), new Output()];
        const first = await container.run(program('polite'), polite);
        const second = await container.run(program('stubborn'), stubborn);
        await Promise.all([polite.contains('ready'), stubborn.contains('ready')]);
        await second.signal('SIGTERM');
        await first.signal('SIGTERM');
        expect((await first.wait()).status).toBe(7);
        await second.signal('SIGKILL');
        expect((await second.wait()).status).toBe(137);
        await second.signal('SIGTERM');
        expect(await container.info()).toMatchObject({ state: 'running' });
      });

      it('run beside a main process', async () => {
        const { container, output } = await startMain('sleeper');
        await output.contains('ready');
        expect((await runToEnd(container, program('exit3'))).status).toBe(3);
        expect(await container.info()).toMatchObject({ state: 'running' });
      });

      it('reject a program that is not there', async () => {
        const container = await startIdle();
        for (const path of ['/no/such/program', 'no-such-program']) {
          const starting = container.run(program('exit3', { path }), new Output());
          await expect(starting).rejects.toMatchObject({ code: 'not-found' });
        }
      });

      it('find a program on PATH', async () => {
        const container = await startIdle();
        expect((await runToEnd(container, program('exit3', { path: 'sh' }))).status).toBe(3);
      });

      it('are ended by the memory limit and say so, where there is one', async () => {
        if (!garden.capabilities.memoryLimit) {
          expect(garden.backend).toBe('process');
          return;
        }
        const container = await startIdle({ limits: { memoryMb: 24, diskMb: 0, pids: 64, cpuShares: 1024 } });
        expect(await runToEnd(container, program('hog'))).toMatchObject({ status: 137, outOfMemory: true });
        expect(await runToEnd(container, program('exit3'))).toMatchObject({ status: 3, outOfMemory: false });
      });
    });

    describe('files', () => {
      it('go in below a path that is made for them, and come out again', async () => {
        const container = await startIdle();
        const app = '/home/vcap/app/v1';
        await container.streamIn(app, tarOf('sub/hello.txt', 'hello'), harness.user.name);
        const { output } = await runToEnd(container, program('cat', { dir: app }));
        expect(output.text).toBe('hello');
        expect(await filesOf(await container.streamOut(`${app}/sub`))).toEqual({ 'sub/hello.txt': 'hello' });
        expect(await filesOf(await container.streamOut(`${app}/sub/hello.txt`))).toEqual({
          'hello.txt': 'hello',
        });
      });

      it('go into a container that has not begun', async () => {
        const main = program('cat', { dir: '/home/vcap/app' });
        const container = await garden.create(spec({ main }));
        await container.streamIn('/home/vcap/app', tarOf('sub/hello.txt', 'early'));
        const output = new Output();
        await (await container.start(output))!.wait();
        expect(output.text).toBe('early');
      });

      it('are not found where there are none', async () => {
        const container = await startIdle();
        await expect(container.streamOut('/no/such/file')).rejects.toMatchObject({ code: 'not-found' });
      });
    });

    describe('list, lookup and destroy', () => {
      it('lists by properties', async () => {
        const first = spec({ properties: { kind: 'lrp', index: '0' } });
        const second = spec({ properties: { kind: 'lrp', index: '1' } });
        await Promise.all([garden.create(first), garden.create(second), garden.create(spec())]);
        const handles = async (properties?: Record<string, string>): Promise<string[]> =>
          (await garden.list(properties)).map(({ handle }) => handle).toSorted();
        expect(await handles()).toHaveLength(3);
        expect(await handles({ kind: 'lrp' })).toEqual([first.handle, second.handle].toSorted());
        expect(await handles({ kind: 'lrp', index: '1' })).toEqual([second.handle]);
        expect(await handles({ kind: 'task' })).toEqual([]);
      });

      it('shows and touches only what belongs to its owner', async () => {
        const wanted = spec({ main: program('sleeper') });
        await garden.create(wanted);
        const other = await open(`${owner}-2`);
        expect(await other.list()).toEqual([]);
        await expect(other.lookup(wanted.handle)).rejects.toMatchObject({ code: 'not-found' });
        await other.destroy(wanted.handle);
        expect(await garden.list()).toHaveLength(1);
        await other.create(wanted);
        await other.destroy(wanted.handle);
        expect(await garden.list()).toHaveLength(1);
      });

      it('discards what was not started, and leaves what was', async () => {
        const fresh = spec({ main: program('sleeper') });
        await garden.create(fresh);
        expect(await garden.discard(fresh.handle)).toBe(true);
        await expect(garden.lookup(fresh.handle)).rejects.toMatchObject({ code: 'not-found' });
        expect(await garden.discard(fresh.handle)).toBe(true);

        const started = spec({ main: program('sleeper') });
        const container = await garden.create(started);
        await container.start(new Output());
        expect(await garden.discard(started.handle)).toBe(false);
        expect((await container.info()).state).toBe('running');
      });

      it('destroys what runs, and what is gone, also twice at once', async () => {
        const { handle, process, output } = await startMain('stubborn');
        await output.contains('ready');
        const ended = process.wait().catch((error: unknown) => error);
        await Promise.all([garden.destroy(handle), garden.destroy(handle)]);
        await garden.destroy(handle);
        await ended;
        await expect(garden.lookup(handle)).rejects.toMatchObject({ code: 'not-found' });
        expect(await garden.list()).toEqual([]);
      });

      it('gives a handle free for another container', async () => {
        const wanted = spec({ main: program('exit3') });
        for (const properties of [{ a: '1' }, { a: '2' }]) {
          const container = await garden.create({ ...wanted, properties });
          expect((await (await container.start(new Output()))!.wait()).status).toBe(3);
          await garden.destroy(wanted.handle);
        }
      });
    });

    describe('network', () => {
      it('maps each port once and makes it reachable', async () => {
        const wanted = spec({
          ports: [8080, 9090, 8080],
          env: ['INSTANCE_INDEX=5', 'INSTANCE_GUID=guid-5'],
        });
        const container = await garden.create({ ...wanted, main: program('sleeper') });
        await container.start(new Output());
        const { ports, address } = await container.info();
        expect(ports.map(({ containerPort }) => containerPort)).toEqual([8080, 9090]);
        expect(ports.every(({ hostPort }) => hostPort > 0)).toBe(true);
        expect(address !== undefined).toBe(garden.capabilities.networkNamespace);
        if (!harness.hasRealProcesses) return;

        const { containerPort, hostPort } = ports[0]!;
        const port = garden.capabilities.networkNamespace ? containerPort : hostPort;
        await container.run(
          program('sleeper', { path: '/bin/web', args: [], env: [`PORT=${port}`] }),
          new Output(),
        );
        const page = await vi.waitFor(
          async () => {
            const response = await fetch(`http://127.0.0.1:${hostPort}/`, {
              signal: AbortSignal.timeout(2_000),
            });
            return response.text();
          },
          { timeout: PATIENCE_MS, interval: 50 },
        );
        expect(page).toContain('instance 5');
        expect(page).toContain('guid-5');
      });
    });

    describe('metrics', () => {
      it('tell what a running container uses', async () => {
        const { container, output } = await startMain('ticker');
        await output.contains('tick 1');
        // Processor time is counted in steps of 10 ms by some.
        await vi.waitFor(
          async () => {
            const metrics = await container.metrics();
            expect(metrics.ageMs).toBeGreaterThanOrEqual(0);
            expect(metrics.memoryBytes).toBeGreaterThan(0);
            expect(metrics.cpuNanoseconds).toBeGreaterThan(0);
            expect(metrics.pids).toBeGreaterThan(0);
          },
          { timeout: PATIENCE_MS, interval: 50 },
        );
      });

      it('are there for all running containers at once', async () => {
        const { container, output } = await startMain('ticker');
        await output.contains('tick 1');
        const another = await startMain('ticker');
        await another.output.contains('tick 1');
        const idle = await garden.create(spec());
        const all = await garden.bulkMetrics();
        for (const { handle } of [container, another.container]) {
          expect(all.get(handle)?.memoryBytes).toBeGreaterThan(0);
          expect(all.get(handle)?.ageMs).toBeGreaterThanOrEqual(0);
        }
        expect(all.has(idle.handle)).toBe(false);
        const one = await garden.bulkMetrics([another.container.handle, idle.handle, 'nobody']);
        expect([...one.keys()]).toEqual([another.container.handle]);
        await garden.destroy(container.handle);
        expect((await garden.bulkMetrics()).has(container.handle)).toBe(false);
      });
    });
  });
}

function tarOf(name: string, content: string): NodeJS.ReadableStream {
  const archive = pack();
  archive.entry({ name: './', type: 'directory', mode: 0o755 });
  archive.entry({ name, mode: 0o644 }, content);
  archive.finalize();
  return archive as unknown as NodeJS.ReadableStream;
}

async function filesOf(tar: NodeJS.ReadableStream): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for await (const entry of tar.pipe(
    extract() as unknown as NodeJS.ReadWriteStream & AsyncIterable<TarEntry>,
  )) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk);
    if (entry.header.type === 'file')
      files[entry.header.name.replace(/^\.\//, '')] = Buffer.concat(chunks).toString();
  }
  return files;
}

interface TarEntry extends AsyncIterable<Buffer> {
  header: { name: string; type: string };
}
