import { execFile } from 'node:child_process';
import { createSecretKey, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Docker from 'dockerode';
import jwt from 'jsonwebtoken';
import { RiveraClient } from '#rivera/client';
import type { RiveraClientOptions } from '#rivera/client';
import type { ActualLRP, Task } from '#rivera/models';
import { nodeOf } from '../../apps/cli/src/up/node-of.js';
import { Balancer } from './balancer.js';
import { ensureBuilt, PROJECT } from './build.js';
import { type DockerEngineHarness, startDockerEngine } from './docker-engine.js';
import { FaultyLink } from './faulty-link.js';
import { stablePorts } from './ports.js';
import { Program } from './program.js';
import type { RedisHarness, RedisKind } from './redis.js';
import { startRedisOf, type TopologyOptions } from './redis-topologies.js';
import { buildRootfs, type RootfsHarness } from './rootfs.js';
import { waitFor, type WaitOptions, WaitTimeout } from './wait-for.js';

export type Environment = Record<string, string>;
export type Backend = 'docker' | 'process' | 'fake';

export interface ClusterOptions {
  /** `cell-1`, `cell-2`, …, alternating between the zones z1 and z2. */
  cells?: number;
  backend?: Backend;
  redis?: TopologyOptions & { kind?: RedisKind };
  /** Of each program of the control plane: `bbs`, `bbs-2`, …; clients and cells reach those of `bbs` that answer. */
  replicas?: number;
  /** Clients and cells know every `bbs` themselves, and there is no balancer. */
  isDirect?: boolean;
  /** Programs reach each other over links that can be made faulty, see `link`. */
  links?: boolean;
  /** Fake containers outlive their agent, and `fakeMachine` says what really ran. */
  fakeMachines?: boolean;
  /** Compiled programs that are run instead of those of this project. */
  dist?: string;
  /** Of all programs. What is measured writes `json`, as in production: the text for people costs more. @defaultValue text */
  logFormat?: 'json' | 'text';
  presenceTtlMs?: number;
  /** How long a paused or dead auctioneer or converger keeps its lease. */
  leaseTtlMs?: number;
  /** Programs that end by themselves are started again. */
  supervised?: boolean;
  /** Variables of bbs beside those the harness sets. */
  bbsEnv?: Environment;
  /** Variables of all cells beside those the harness sets. */
  cellEnv?: Environment;
  /** The same for programs of the control plane. */
  controlPlaneEnv?: Partial<Record<ControlPlaneProgram, Environment>>;
}

export interface CellOptions {
  zone?: string;
  env?: Environment;
  /** Of the program; the cell id when absent. Two programs may speak for one cell. */
  name?: string;
}

/** A container of this cluster as the Docker Engine sees it. */
export interface EngineContainer {
  id: string;
  /** Instance guid or task guid. */
  handle: string;
  cellId: string;
  state: string;
  labels: Record<string, string>;
}

const STARTS_AT_A_TIME = 3;
const CONTROL_PLANE = ['bbs', 'auctioneer', 'converger'] as const;
export type ControlPlaneProgram = (typeof CONTROL_PLANE)[number];

const CLIENT_SCOPES = [
  ...['lrps', 'tasks', 'domains'].flatMap((resource) => [`${resource}:read`, `${resource}:write`]),
  'lrps:exec',
  'cells:read',
  'cells:operate',
  'events:read',
  'admin:read',
  'admin:write',
].join(' ');

/**
 * A whole Rivera of real processes: a Redis of its own, bbs, auctioneer, converger and cells, each with a log file in a
 * temporary directory. `stop` leaves neither processes nor containers behind.
 */
export class Cluster {
  readonly id = `test-${randomBytes(4).toString('hex')}`;
  client: RiveraClient;
  redis: RedisHarness;
  /** The engine behind the docker backend. */
  docker: Docker;
  /** Of some bbs. */
  api: string;
  engine: DockerEngineHarness | undefined;
  /** Of each bbs, when clients know them all. */
  private addresses: readonly string[] | undefined;
  /** Whatever its programs write; gone when it has stopped. */
  directory: string;
  private rootfs: RootfsHarness | undefined;
  private readonly secret = randomBytes(32).toString('hex');
  private readonly programs = new Map<string, Program>();
  private readonly links = new Map<string, FaultyLink>();
  private balancer: Balancer | undefined;
  private cellCount = 0;

  constructor(readonly options: ClusterOptions = {}) {}

  async start(): Promise<this> {
    const { cells = 2, backend = 'fake', redis, replicas = 1, isDirect = false } = this.options;
    this.directory = await mkdtemp(join(tmpdir(), 'rivera-cluster-'));
    const names = CONTROL_PLANE.flatMap((app) =>
      Array.from({ length: replicas }, (_, i) => ({ app, name: i === 0 ? app : `${app}-${i + 1}` })),
    );
    const [redisPort = 0, ...ports] = await stablePorts(1 + names.length);
    [this.redis, this.engine, this.rootfs] = await Promise.all([
      startRedisOf(redis?.kind, { port: redisPort, ...redis }),
      backend === 'docker' ? startDockerEngine() : undefined,
      backend === 'fake' ? undefined : buildRootfs(),
      ensureBuilt(),
      writeFile(join(this.directory, 'secret'), this.secret),
    ]);
    if (this.engine) this.docker = new Docker({ socketPath: this.engine.dockerHost.replace('unix://', '') });
    this.api = `http://127.0.0.1:${ports[0]}`;
    const bbsPorts = ports.filter((_, index) => names[index]?.app === 'bbs');
    if (isDirect) this.addresses = bbsPorts.map((port) => `http://127.0.0.1:${port}`);
    else if (replicas > 1) {
      this.balancer = new Balancer(bbsPorts);
      this.api = `http://127.0.0.1:${await this.addLink('clients→bbs', () => this.bbsPort)}`;
    }
    this.client = this.connect();
    for (const [index, { name, app }] of names.entries()) {
      await this.addControlPlaneProgram(name, app, ports[index] ?? 0);
    }
    // A few at a time: all at once take no less time together, and each of them far longer.
    await eachOfAFew(names, ({ name }) => this.startProgram(name));
    await eachOfAFew(
      Array.from({ length: cells }, () => this.nextCellId()),
      (cellId) => this.addCell(cellId),
    );
    return this;
  }

  /** A client that may do everything but speak for a cell. */
  connect(options: Partial<RiveraClientOptions> = {}): RiveraClient {
    return new RiveraClient({
      api: this.addresses ?? this.api,
      token: this.clientToken,
      ...options,
    });
  }

  /** Adds a cell and waits until it takes work. Returns the name of its program. */
  async addCell(cellId = this.nextCellId(), options: CellOptions = {}): Promise<string> {
    const { name = cellId } = options;
    const env = await this.cellEnvironment(cellId, options);
    await this.saying(this.addProgram(name, 'cell', env).start());
    return name;
  }

  /** SIGKILL; resolves when the process is gone. */
  kill9(name: string): Promise<void> {
    return this.program(name).kill9();
  }

  /** Starts a program that was ended, and waits until it is ready. */
  startProgram(name: string): Promise<void> {
    return this.saying(this.program(name).start());
  }

  program(name: string): Program {
    const program = this.programs.get(name);
    if (!program)
      throw new Error(`There is no program ${name}; there are ${[...this.programs.keys()].join()}.`);
    return program;
  }

  /** The compiled programs that run. */
  get dist(): string {
    return this.options.dist ?? join(PROJECT, 'dist');
  }

  get programNames(): string[] {
    return [...this.programs.keys()];
  }

  get cellNames(): string[] {
    return this.programNames.filter((name) => !CONTROL_PLANE.some((app) => name.startsWith(app)));
  }

  /** `<program>→redis`, and of cells `<program>→bbs`. */
  link(name: string): FaultyLink {
    const link = this.links.get(name);
    if (!link) throw new Error(`There is no link ${name}; there are ${[...this.links.keys()].join()}.`);
    return link;
  }

  get linkNames(): string[] {
    return [...this.links.keys()];
  }

  /** What happened on the machine of a fake cell (`FakeJournal`). */
  fakeMachine(cellId: string): string {
    return join(this.directory, cellId, 'machine.jsonl');
  }

  /** Records of a process, in the order of their index. */
  async actuals(processGuid: string): Promise<ActualLRP[]> {
    const { items } = await this.client.listActualLRPs({ processGuid });
    return items.toSorted((a, b) => a.index - b.index);
  }

  /** Waits until exactly `count` instances exist and all of them run. */
  untilRunning(processGuid: string, count: number, timeoutMs?: number): Promise<ActualLRP[]> {
    return this.waitFor(() => this.actuals(processGuid), {
      what: `${processGuid} has ${count} instances, all RUNNING`,
      until: (lrps) =>
        lrps.length === count && lrps.every(({ state, stopping }) => state === 'RUNNING' && !stopping),
      timeoutMs,
    });
  }

  untilCompleted(taskGuid: string, timeoutMs?: number): Promise<Task> {
    return this.waitFor(() => this.client.getTask(taskGuid), {
      what: `task ${taskGuid} is COMPLETED`,
      until: ({ state }) => state === 'COMPLETED',
      timeoutMs,
    });
  }

  /** What the engine has of this cluster, in whatever state. */
  async containers(): Promise<EngineContainer[]> {
    const found = await this.docker.listContainers({ all: true });
    return found
      .filter(({ Labels }) => Labels['rivera.owner']?.startsWith(`${this.id}/`))
      .map(({ Id, State, Labels }) => ({
        id: Id,
        handle: Labels['rivera.handle'] ?? '',
        cellId: Labels['rivera.owner']?.split('/')[1] ?? '',
        state: State,
        labels: Labels,
      }));
  }

  /** The engine's handle on the one container of an instance or task. */
  async container(handle: string | undefined): Promise<Docker.Container> {
    const found = (await this.containers()).filter((container) => container.handle === handle);
    if (found.length !== 1) throw new Error(`The engine has ${found.length} containers of ${handle}.`);
    return this.docker.getContainer(found[0]!.id);
  }

  /** As `waitFor`; on a time-out it also says how the programs are, with the ends of their logs. */
  async waitFor<T>(look: () => T | Promise<T>, options: WaitOptions<T>): Promise<T> {
    return this.saying(waitFor(look, options));
  }

  /** How each program is, and the end of its log. */
  report(lines = 12): string {
    const parts = [...this.programs.values()].map(
      (program) => `--- ${program.name}: ${program.state}\n${program.logTail(lines)}`,
    );
    return [`logs are in ${this.directory}`, ...parts].join('\n');
  }

  /** Ends everything. Containers go too, whether or not their agents still live. */
  async stop(): Promise<void> {
    await Promise.all([...this.programs.values()].map((program) => program.kill9()));
    this.balancer?.stop();
    await Promise.all([...this.links.values()].map((link) => link.close()));
    await this.removeContainers();
    await Promise.all([this.redis?.stop(), this.rootfs?.remove(), this.engine?.stop()]);
    await rm(this.directory, { recursive: true, force: true });
  }

  private async saying<T>(wait: Promise<T>): Promise<T> {
    try {
      return await wait;
    } catch (error) {
      if (!(error instanceof WaitTimeout)) throw error;
      throw new WaitTimeout(`${error.message}\n${this.report()}`, { cause: error });
    }
  }

  private nextCellId(): string {
    this.cellCount += 1;
    return `cell-${this.cellCount}`;
  }

  private async removeContainers(): Promise<void> {
    if (this.options.backend === 'docker' && this.docker !== undefined) {
      const left = await this.containers();
      await Promise.all(left.map(({ id }) => removeFrom(this.docker, id)));
    }
    if (this.options.backend !== 'process') return;
    for (const name of this.cellNames) {
      const { main, env } = this.program(name).options;
      await promisify(execFile)(process.execPath, [main, '--remove-containers'], { env });
    }
  }

  private get bbsPort(): number {
    return this.balancer?.next() ?? Number(new URL(this.api).port);
  }

  /** Returns the port of its near end. */
  private async addLink(name: string, upstream: () => number): Promise<number> {
    const [port = 0] = await stablePorts(1);
    this.links.set(name, await FaultyLink.start(port, upstream));
    return port;
  }

  private async redisUrlOf(name: string): Promise<string> {
    const { redis, options } = this;
    if (!options.links) return redis.url;
    return `redis://127.0.0.1:${await this.addLink(`${name}→redis`, () => redis.port)}`;
  }

  private async apiOf(name: string): Promise<string> {
    if (this.addresses) return this.addresses.join(',');
    if (!this.options.links) return this.api;
    return `http://127.0.0.1:${await this.addLink(`${name}→bbs`, () => this.bbsPort)}`;
  }

  private async addControlPlaneProgram(name: string, app: ControlPlaneProgram, port: number): Promise<void> {
    const { presenceTtlMs = 10_000, leaseTtlMs = 6_000 } = this.options;
    const listen = `127.0.0.1:${port}`;
    const own: Environment =
      app === 'bbs'
        ? {
            BBS_LISTEN: listen,
            JWT_SECRET_FILE: join(this.directory, 'secret'),
            PRESENCE_TTL_MS: `${presenceTtlMs}`,
            ...this.options.bbsEnv,
          }
        : { HEALTH_LISTEN: listen, LEASE_TTL_MS: `${leaseTtlMs}`, PRESENCE_GRACE_MS: `${presenceTtlMs}` };
    this.addProgram(name, app, {
      REDIS_URL: await this.redisUrlOf(name),
      ...own,
      ...this.options.controlPlaneEnv?.[app],
    });
  }

  private addProgram(name: string, app: string, env: Environment): Program {
    const program = new Program({
      name,
      main: join(this.dist, 'apps', app, 'src/main.js'),
      nodeArgs: nodeOf(app).args,
      env: {
        PATH: process.env.PATH ?? '',
        LOG_FORMAT: this.options.logFormat ?? 'text',
        ...nodeOf(app).env,
        ...env,
      },
      readyUrl: `http://${env.BBS_LISTEN ?? env.HEALTH_LISTEN}/readyz`,
      logFile: join(this.directory, `${name}.log`),
      supervised: this.options.supervised,
    });
    this.programs.set(name, program);
    return program;
  }

  private async cellEnvironment(
    cellId: string,
    { name = cellId, ...options }: CellOptions,
  ): Promise<Environment> {
    const zone = options.zone ?? (Number(cellId.split('-')[1]) % 2 === 0 ? 'z2' : 'z1');
    const dataDir = join(this.directory, cellId);
    if (!existsSync(dataDir)) await mkdir(dataDir);
    const [port] = await stablePorts(1);
    return {
      CELL_ID: cellId,
      CELL_OWNER: `${this.id}/${cellId}`,
      CELL_ZONE: zone,
      CELL_BACKEND: this.options.backend ?? 'fake',
      CELL_DATA_DIR: dataDir,
      RIVERA_API: await this.apiOf(name),
      RIVERA_TOKEN: this.token({ sub: name, scope: 'cell', cellId }),
      BUS_REDIS_URL: await this.redisUrlOf(name),
      PRELOADED_ROOTFS: `base=${this.rootfs?.tar ?? 'unused'}`,
      HEALTH_LISTEN: `127.0.0.1:${port}`,
      GRACE_MS: '1000',
      // Its containers would be among those that tests count.
      SELF_CHECK_INTERVAL_MS: '0',
      ...(this.rootfs && { SANDBOX_INIT: this.rootfs.busybox }),
      ...(this.engine && { DOCKER_HOST: this.engine.dockerHost }),
      ...(this.options.fakeMachines && { CELL_FAKE_MACHINE: this.fakeMachine(cellId) }),
      ...this.options.cellEnv,
      ...options.env,
    };
  }

  /** Of a client that may do everything clients may. */
  get clientToken(): string {
    return this.token({ sub: 'test', scope: CLIENT_SCOPES });
  }

  /** Made here, because a client needs nothing of `#rivera/platform` but the secret. */
  token(claims: { sub: string; scope: string; cellId?: string }): string {
    return jwt.sign(claims, createSecretKey(Buffer.from(this.secret)), {
      algorithm: 'HS256',
      issuer: 'rivera',
      audience: 'rivera',
      expiresIn: '4h',
    });
  }
}

/** One that an agent was removing when it was ended is gone soon. */
async function removeFrom(docker: Docker, id: string): Promise<void> {
  await docker
    .getContainer(id)
    .remove({ force: true })
    .catch((error: { statusCode?: number }) => {
      if (error.statusCode !== 404 && error.statusCode !== 409) throw error;
    });
}

async function eachOfAFew<T>(items: readonly T[], start: (item: T) => Promise<unknown>): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await start(item);
  };
  await Promise.all(Array.from({ length: STARTS_AT_A_TIME }, worker));
}

/** A running cluster. What was started is stopped again when the start fails. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const cluster = new Cluster(options);
  try {
    return await cluster.start();
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/**
 * A cluster for the tests of a file or `describe`: started before the first and stopped after the last. When a test
 * fails, the logs of all programs are printed.
 */
export function useCluster(options: ClusterOptions = {}): Cluster {
  const cluster = new Cluster(options);
  beforeAll(() => cluster.start());
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.error(`${task.name} failed.\n${cluster.report(40)}`);
  });
  afterAll(() => cluster.stop());
  return cluster;
}
