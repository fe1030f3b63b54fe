import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, realpath, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PortMapping } from '#rivera/models';
import { notFound, RiveraError } from '#rivera/models';
import type {
  Container,
  ContainerInfo,
  ContainerMetrics,
  ContainerSpec,
  Garden,
  GardenCapabilities,
  GardenCapacity,
} from '../container.js';
import { refuseUnsupported } from '../unsupported.js';
import { bulkMetrics } from './bulk-metrics.js';
import { ContainerDirectory, recordOf } from './container-directory.js';
import type { ContainerRecord } from './container-directory.js';
import { FreePorts } from './free-ports.js';
import { kill, processesOfSessions, processesWithEnvironment } from './proc.js';
import { readIfThere } from './read-if-there.js';
import { ProcessContainer } from './process-container.js';
import { StackDirectories } from './stack-directories.js';

const DEFAULT_CONTAINERS = 250;
const DEFAULT_ADDRESS = '0.0.0.0';
const MEBIBYTE = 1024 * 1024;
const KILL_ROUNDS = 50;
const KILL_PAUSE_MS = 50;

export interface ProcessGardenOptions {
  owner: string;
  /** Everything is kept below it; the next agent must be given the same. */
  directory: string;
  /** Stack → path of its root filesystem's tar. */
  stacks: Record<string, string>;
  /** What is not given is the machine's. */
  capacity?: Partial<GardenCapacity>;
  /** The address host ports must be free on (default: all). */
  address?: string;
}

/**
 * Containers that are plain processes of this host with a directory each. NOT isolated: they see the host's files,
 * network and processes, no limit of resources holds, and they run as the agent's user unless it is root and the host
 * knows the one they ask for. For development and for hosts without a container engine.
 */
export class ProcessGarden implements Garden {
  readonly backend = 'process';
  readonly capabilities: GardenCapabilities = {
    networkNamespace: false,
    isolation: false,
    memoryLimit: false,
    pidsLimit: false,
    diskLimit: false,
    cpuShares: false,
    bindMounts: false,
    tmpfs: false,
    readOnlyRootfs: false,
    egress: false,
    terminal: false,
    privileged: false,
    survivesAgent: true,
  };

  private readonly closing = new AbortController();
  private readonly stacks: StackDirectories;
  private readonly ports: FreePorts;

  private constructor(
    private readonly options: ProcessGardenOptions,
    private readonly containers: string,
  ) {
    // Each process that is followed listens for the closing.
    setMaxListeners(0, this.closing.signal);
    this.stacks = new StackDirectories(join(options.directory, 'stacks'), options.stacks);
    this.ports = new FreePorts(options.address ?? DEFAULT_ADDRESS);
  }

  static async open(options: ProcessGardenOptions): Promise<ProcessGarden> {
    const owner = createHash('sha256').update(options.owner).digest('hex').slice(0, 12);
    await mkdir(join(options.directory, 'containers', owner), { recursive: true });
    const directory = await realpath(options.directory);
    const garden = new ProcessGarden({ ...options, directory }, join(directory, 'containers', owner));
    for (const { ports } of await garden.records())
      for (const { hostPort } of ports) garden.ports.take(hostPort);
    return garden;
  }

  ping(): Promise<void> {
    return Promise.resolve();
  }

  async capacity(): Promise<GardenCapacity> {
    const { blocks, bsize } = await statfs(this.options.directory);
    return {
      memoryMb: Math.floor(totalmem() / MEBIBYTE),
      diskMb: Math.floor((blocks * bsize) / MEBIBYTE),
      containers: DEFAULT_CONTAINERS,
      ...this.options.capacity,
    };
  }

  async freeDiskBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.options.directory);
    return bavail * bsize;
  }

  rootfsProviders(): { scheme: string; stacks?: string[] }[] {
    return [{ scheme: 'preloaded', stacks: this.stacks.names }];
  }

  async create(spec: ContainerSpec): Promise<Container> {
    refuseUnsupported(spec, this.capabilities);
    const stack = await this.stacks.provide(spec.rootfs);
    const existing = await this.read(spec.handle);
    if (existing) return this.adopt(existing, spec);
    const ports: PortMapping[] = [];
    for (const containerPort of new Set(spec.ports)) {
      ports.push({
        containerPort,
        hostPort: spec.hostPorts?.[containerPort] ?? (await this.ports.allocate()),
      });
    }
    const record = recordOf(spec, { stack, ports });
    if (await this.write(record)) return this.containerOf(record);
    this.ports.release(ports.map(({ hostPort }) => hostPort));
    return this.create(spec);
  }

  async lookup(handle: string): Promise<Container> {
    return this.container(handle);
  }

  async list(properties: Record<string, string> = {}): Promise<ContainerInfo[]> {
    const records = await this.records();
    const wanted = Object.entries(properties);
    const matching = records.filter((record) =>
      wanted.every(([name, value]) => record.properties[name] === value),
    );
    return Promise.all(matching.map((record) => this.containerOf(record).info()));
  }

  async bulkMetrics(handles?: readonly string[]): Promise<Map<string, ContainerMetrics>> {
    const records = await this.records();
    const wanted = records.filter(({ handle }) => handles?.includes(handle) ?? true);
    return bulkMetrics(wanted.map((record) => this.containerOf(record)));
  }

  async destroy(handle: string): Promise<void> {
    const record = await this.read(handle);
    if (!record) return;
    const directory = this.directoryOf(handle);
    await this.killAll(this.containerOf(record), directory);
    await rm(directory.path, { recursive: true, force: true, maxRetries: 5 });
    this.ports.release(record.ports.map(({ hostPort }) => hostPort));
  }

  /** Programs are started by the agent itself, so that nothing is under way once it has ended. */
  async discard(handle: string): Promise<boolean> {
    const record = await this.read(handle);
    if (record && (await this.containerOf(record).info()).state !== 'created') return false;
    await this.destroy(handle);
    return true;
  }

  close(): Promise<void> {
    this.closing.abort(new RiveraError('unavailable', 'The garden was closed; the container goes on.'));
    return Promise.resolve();
  }

  /** Also ends processes that left their session, by the marker in their environment. */
  private async killAll(container: ProcessContainer, directory: ContainerDirectory): Promise<void> {
    const sessions = new Set(await container.sessions());
    for (let round = 0; round < KILL_ROUNDS; round += 1) {
      const marked = await processesWithEnvironment(directory.marker);
      const alive = (await processesOfSessions(sessions)).map(({ pid }) => pid);
      if (alive.length === 0 && marked.length === 0) return;
      for (const pid of [...alive, ...marked]) kill(pid, 'SIGKILL');
      await sleep(KILL_PAUSE_MS);
    }
    throw new RiveraError(
      'unavailable',
      `Processes of ${container.handle} survive SIGKILL; try again later.`,
    );
  }

  private adopt(existing: ContainerRecord, spec: ContainerSpec): Container {
    const names = Object.keys(existing.properties);
    const isSame =
      names.length === Object.keys(spec.properties).length &&
      names.every((name) => existing.properties[name] === spec.properties[name]);
    if (!isSame) {
      throw new RiveraError(
        'already-exists',
        `The handle ${spec.handle} is already in use: destroy it first.`,
      );
    }
    return this.containerOf(existing);
  }

  private async container(handle: string): Promise<ProcessContainer> {
    const record = await this.read(handle);
    if (!record) throw notFound('container', handle);
    return this.containerOf(record);
  }

  private containerOf(record: ContainerRecord): ProcessContainer {
    return new ProcessContainer(this.directoryOf(record.handle), record, this.closing.signal);
  }

  private directoryOf(handle: string): ContainerDirectory {
    return new ContainerDirectory(join(this.containers, encodeURIComponent(handle).replaceAll('.', '%2E')));
  }

  private async records(): Promise<ContainerRecord[]> {
    const names = (await readdir(this.containers)).filter((name) => !name.startsWith('.'));
    const records = await Promise.all(names.map((name) => this.read(decodeURIComponent(name))));
    return records.filter((record) => record !== undefined);
  }

  private async read(handle: string): Promise<ContainerRecord | undefined> {
    const text = await readIfThere(this.directoryOf(handle).recordFile);
    return text === undefined ? undefined : (JSON.parse(text) as ContainerRecord);
  }

  /** Whether the container is new: it appears at once and complete, or not at all. */
  private async write(record: ContainerRecord): Promise<boolean> {
    const unfinished = await mkdtemp(join(this.containers, '.new-'));
    const draft = new ContainerDirectory(unfinished);
    await mkdir(draft.files, { recursive: true });
    // The environment may hold secrets.
    await writeFile(draft.recordFile, JSON.stringify(record), { mode: 0o600 });
    try {
      // Another user's processes work below it.
      await chmod(unfinished, 0o755);
      await rename(unfinished, this.directoryOf(record.handle).path);
      return true;
    } catch (error) {
      await rm(unfinished, { recursive: true, force: true });
      if (['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
      throw error;
    }
  }
}
