import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { readFile, statfs } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { notFound, RiveraError } from '#rivera/models';
import type {
  Container,
  ContainerInfo,
  ContainerMetrics,
  ContainerSpec,
  Garden,
  GardenCapabilities,
  GardenCapacity,
  Sandboxes,
} from '../container.js';
import { refuseUnsupported } from '../unsupported.js';
import { BulkMetrics } from './bulk-metrics.js';
import {
  containerName,
  containerOptions,
  hostnameOf,
  LABEL_HANDLE,
  LABEL_OWNER,
  propertiesOf,
  propertyLabels,
} from './container-options.js';
import { containerInfo, DockerContainer, handleInUse, runningInfo } from './docker-container.js';
import type { DockerContainerOptions, ProgramCheck } from './docker-container.js';
import { connectEngine } from './engine.js';
import type { Engine, EngineAddress } from './engine.js';
import { asking, askingUnless, engineError, messageOf, statusOf } from './engine-error.js';
import { hasDiskQuota, type StorageInfo } from './disk-quota.js';
import { requireAllowedSource } from './bind-mounts.js';
import { filterEgress, type HostNamespaces, probeNamespaces, setHostname } from './host-namespaces.js';
import { ImageRecord } from './image-record.js';
import { Images } from './images.js';
import type { PullPolicy } from './images.js';
import { provideNetwork } from './network.js';
import type { HeldSandbox } from './held-sandbox.js';
import { NetworkSandboxes, renameHostFiles } from './network-sandboxes.js';

/** Diego's limit of containers on a cell. */
const DEFAULT_CONTAINERS = 250;
const MEBIBYTE = 1024 * 1024;
const REMOVAL_POLL_MS = 100;
const REMOVAL_DEADLINE_MS = 60_000;
export interface DockerGardenOptions extends EngineAddress {
  owner: string;
  /** Stack → path of its root filesystem's tar on this host. */
  stacks: Record<string, string>;
  /** What is not given is asked of the engine. */
  capacity?: Partial<GardenCapacity>;
  /** A static busybox on this host; it is what containers without a main process idle in. */
  sandboxInit: string;
  /** Default `missing`. */
  pull?: PullPolicy;
  /** Default false: privileged containers are refused, as in Diego. */
  allowPrivileged?: boolean;
  /** Directories of this host that containers may be given parts of; none by default. */
  bindMountSources?: string[];
  /** File of the images that were pulled here; absent: they are forgotten with this object, and stay on the engine. */
  imageRecord?: string;
  /** How full the engine's disk is, in place of what the file system says. */
  usedDiskPercent?: () => Promise<number>;
  /** Name servers of all containers; absent: the engine's. */
  dns?: string[];
}

/**
 * Containers of a Docker Engine. All that is known of them is kept by the engine, in labels, so that an agent that
 * starts again finds them as they are. Disk limits hold only where the engine's storage driver has quotas.
 */
export class DockerGarden implements Garden {
  readonly backend = 'docker';
  private readonly closing = new AbortController();
  private readonly images: Images;
  readonly sandboxes?: Sandboxes;
  private readonly metrics: BulkMetrics;
  private readonly networks: NetworkSandboxes;
  /** Programs that were seen in an image: `<reference> <path>`. */
  private readonly programs = new Set<string>();
  private network?: Promise<string>;
  private busybox?: Promise<Buffer>;

  private constructor(
    private readonly options: DockerGardenOptions,
    private readonly engine: Engine,
    private readonly storage: StorageInfo,
    readonly capabilities: GardenCapabilities,
    /** Undefined: this agent cannot enter those of containers. */
    private readonly namespaces: HostNamespaces | undefined,
    private readonly record: ImageRecord,
  ) {
    // Each process that is followed listens for the closing.
    setMaxListeners(0, this.closing.signal);
    this.metrics = new BulkMetrics(engine, options.owner);
    this.images = new Images(engine, { stacks: options.stacks, pull: options.pull ?? 'missing', record });
    this.networks = new NetworkSandboxes({
      engine,
      owner: options.owner,
      dns: options.dns,
      network: () => this.provideNetwork(),
      image: async () => this.images.ofProgram('busybox', await this.sandboxBusybox()),
    });
    if (namespaces !== undefined) this.sandboxes = this.networks;
  }

  /** Rejects with `unavailable` when the engine does not answer and `unsupported` when it is too old. */
  static async connect(options: DockerGardenOptions): Promise<DockerGarden> {
    const engine = await connectEngine(options);
    const info = (await asking('The Docker Engine could not describe itself', () =>
      engine.api.info(),
    )) as EngineInfo;
    const namespaces = engine.isLocal ? await probeNamespaces() : undefined;
    const capabilities: GardenCapabilities = {
      networkNamespace: true,
      isolation: true,
      memoryLimit: info.MemoryLimit ?? false,
      pidsLimit: info.PidsLimit ?? false,
      cpuShares: info.CPUShares ?? false,
      diskLimit: await hasDiskQuota(info),
      bindMounts: true,
      tmpfs: true,
      readOnlyRootfs: true,
      egress: namespaces?.canFilter ?? false,
      terminal: true,
      privileged: options.allowPrivileged ?? false,
      survivesAgent: true,
    };
    const record = await ImageRecord.open(options.imageRecord);
    return new DockerGarden(options, engine, info, capabilities, namespaces, record);
  }

  async ping(): Promise<void> {
    try {
      await this.engine.probe.ping();
    } catch (error) {
      throw new RiveraError('unavailable', `The Docker Engine does not answer: ${messageOf(error)}.`);
    }
  }

  async capacity(): Promise<GardenCapacity> {
    const info = (await asking('The Docker Engine could not be asked for its capacity', () =>
      this.engine.api.info(),
    )) as EngineInfo;
    const given = this.options.capacity;
    return {
      memoryMb: given?.memoryMb ?? Math.floor(info.MemTotal / MEBIBYTE),
      diskMb: given?.diskMb ?? (await diskSizeMb(info.DockerRootDir)),
      containers: given?.containers ?? DEFAULT_CONTAINERS,
    };
  }

  async freeDiskBytes(): Promise<number | undefined> {
    const found = await statfs(this.storage.DockerRootDir).catch(() => undefined);
    return found && found.bavail * found.bsize;
  }

  async collectImages({
    fromPercent,
    toPercent,
  }: {
    fromPercent: number;
    toPercent: number;
  }): Promise<string[]> {
    const used = (): Promise<number> => this.usedDiskPercent();
    if ((await used()) < fromPercent) {
      await this.record.save();
      return [];
    }
    return this.images.collect(async () => (await used()) > toPercent);
  }

  /** 0 when the engine's disk cannot be seen from here. */
  private async usedDiskPercent(): Promise<number> {
    if (this.options.usedDiskPercent !== undefined) return this.options.usedDiskPercent();
    const found = await statfs(this.storage.DockerRootDir).catch(() => undefined);
    return found === undefined ? 0 : (100 * (found.blocks - found.bavail)) / found.blocks;
  }

  rootfsProviders(): { scheme: string; stacks?: string[] }[] {
    return [{ scheme: 'preloaded', stacks: this.images.stacks }, { scheme: 'docker' }];
  }

  async create(spec: ContainerSpec, onProgress?: (text: string) => void): Promise<Container> {
    refuseUnsupported(spec, this.capabilities);
    for (const { source } of spec.bindMounts ?? []) {
      await requireAllowedSource(source, this.options.bindMountSources ?? []);
    }
    const what = `The container ${spec.handle} could not be created`;
    try {
      return await this.createFresh(spec, onProgress);
    } catch (error) {
      await this.networks.release(spec.handle);
      // The create before may have succeeded although its answer was lost.
      if (statusOf(error) === 409) return this.adopt(spec);
      throw engineError(error, what);
    }
  }

  async lookup(handle: string): Promise<Container> {
    const name = containerName(this.options.owner, handle);
    const info = await askingUnless([404], `The container ${handle} could not be looked up`, () =>
      this.engine.api.getContainer(name).inspect(),
    );
    if (!info) throw notFound('container', handle);
    return this.container(info.Id, handle);
  }

  async list(properties: Record<string, string> = {}): Promise<ContainerInfo[]> {
    const labels = Object.entries({ ...propertyLabels(properties), [LABEL_OWNER]: this.options.owner });
    const found = await asking('The containers could not be listed', () =>
      this.engine.api.listContainers({
        all: true,
        filters: { label: labels.map(([label, value]) => `${label}=${value}`) },
      }),
    );
    // The list tells all of one that runs. One that goes away while the list is gone through is not there.
    const infos = await Promise.all(
      found.map(async (summary) => {
        if (summary.State === 'running') return runningInfo(summary);
        const info = await askingUnless([404], `The container ${summary.Id} could not be inspected`, () =>
          this.engine.api.getContainer(summary.Id).inspect(),
        );
        return info && containerInfo(info);
      }),
    );
    const all = infos.filter((info) => info !== undefined);
    for (const { handle, sandbox } of all) if (sandbox !== undefined) this.networks.hold(handle, sandbox);
    return all;
  }

  bulkMetrics(handles?: readonly string[]): Promise<Map<string, ContainerMetrics>> {
    return this.metrics.read(handles);
  }

  /** With its sandbox. One that was neither made nor listed here is looked up first, so that it is known to have one. */
  async destroy(handle: string): Promise<void> {
    await this.removeContainer(handle, { force: true });
  }

  /** Without force the engine removes nothing that runs, and a start comes either before the removal or too late. */
  discard(handle: string): Promise<boolean> {
    return this.removeContainer(handle, { force: false });
  }

  /** False: it has been started, and nobody forces it. */
  private async removeContainer(handle: string, { force }: { force: boolean }): Promise<boolean> {
    const container = this.engine.api.getContainer(containerName(this.options.owner, handle));
    const what = `The container ${handle} could not be destroyed`;
    const inspect = () => askingUnless([404], what, () => container.inspect());
    const deadline = performance.now() + REMOVAL_DEADLINE_MS;
    if (!force || !this.networks.knows(handle)) {
      const found = await inspect();
      const { sandbox, state } = found === undefined ? {} : containerInfo(found);
      if (!force && state !== undefined && state !== 'created') return false;
      if (sandbox !== undefined) this.networks.hold(handle, sandbox);
    }
    for (;;) {
      // v: volumes of the image would be left behind. 409: it runs, or somebody else is removing it.
      const removed = await askingUnless([404, 409], what, async () => {
        await container.remove({ force, v: true });
        return true;
      });
      if (removed) break;
      const left = await inspect();
      if (left === undefined) break;
      if (!force && containerInfo(left).state !== 'created') return false;
      if (performance.now() > deadline) {
        throw new RiveraError('unavailable', `${what}: the engine has not removed it; try again later.`);
      }
      await sleep(REMOVAL_POLL_MS);
    }
    await this.networks.release(handle);
    return true;
  }

  async close(): Promise<void> {
    this.closing.abort(new RiveraError('unavailable', 'The garden was closed; the container goes on.'));
    await this.record.save();
  }

  /** An image that was removed meanwhile is provided once more. */
  private async createFresh(spec: ContainerSpec, onProgress?: (text: string) => void): Promise<Container> {
    const { owner, dns } = this.options;
    const { capabilities, networks } = this;
    const [provided, network, sandbox] = await all(
      this.images.provide(spec, onProgress),
      this.provideNetwork(),
      this.sandboxFor(spec),
    );
    networks.note(spec.handle, sandbox);
    const create = async (image: string): Promise<DockerContainer> => {
      const wanted = containerOptions({ owner, spec, image, network, dns, sandbox, capabilities });
      const { id } = await this.engine.api.createContainer(wanted);
      return this.container(id, spec.handle, {
        fresh: { main: spec.main, hasProgram: this.programCheck(spec, image) },
        ...(sandbox !== undefined && { afterStart: (container) => this.nameHost(container, spec, sandbox) }),
      });
    };
    try {
      return await create(provided);
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
      this.images.forget(spec);
      this.programs.clear();
      return create(await this.images.provide(spec, onProgress));
    }
  }

  /**
   * The sandbox it is to be in, with its rules in place before anything of the container can run: one that was made
   * ahead, or, when there are rules or its address is wanted already, one of its own.
   */
  private async sandboxFor(spec: ContainerSpec): Promise<HeldSandbox | undefined> {
    const { handle, egress } = spec;
    const given = spec.sandbox === undefined ? undefined : await this.networks.take(spec.sandbox, handle);
    const needsOne = egress !== undefined || (spec.addressAhead === true && this.sandboxes !== undefined);
    const sandbox = given ?? (needsOne ? await this.ownSandbox(spec) : undefined);
    if (sandbox === undefined || this.namespaces === undefined) return sandbox;
    if (egress !== undefined) await filterEgress(sandbox, egress, this.namespaces);
    if (given !== undefined) await renameHostFiles(sandbox, hostnameOf(handle));
    return sandbox;
  }

  private async ownSandbox({ handle, ports, hostPorts }: ContainerSpec): Promise<HeldSandbox> {
    const name = randomUUID();
    const hostname = hostnameOf(handle);
    const mappings = [...new Set(ports)].map((containerPort) => ({
      containerPort,
      hostPort: hostPorts?.[containerPort] ?? 0,
    }));
    this.networks.hold(handle, name);
    await this.networks.create({ name, ports: mappings, hostname });
    const held = await this.networks.take(name, handle);
    if (held === undefined)
      throw new RiveraError('internal', `The network of container ${handle} has ended.`);
    return held;
  }

  /** The kernel's name for the host, which the engine took from a sandbox that was made ahead. */
  private async nameHost(
    container: Docker.Container,
    { handle }: ContainerSpec,
    sandbox: HeldSandbox,
  ): Promise<void> {
    const hostname = hostnameOf(handle);
    if (sandbox.hostname === hostname) return;
    const what = `The host of container ${handle} could not be named`;
    const { Id: containerId, State } = await asking(what, () => container.inspect());
    await setHostname({ containerId, pid: State.Pid }, hostname, this.options.sandboxInit);
  }

  /** Whether its program is there is looked up once for each image, unless mounts may hide it. */
  private programCheck({ main, bindMounts = [], tmpfs = [] }: ContainerSpec, image: string): ProgramCheck {
    const key = `${image} ${main?.dir} ${main?.path}`;
    if (bindMounts.length > 0 || tmpfs.length > 0) return { isKnown: false, found: () => undefined };
    return { isKnown: this.programs.has(key), found: () => void this.programs.add(key) };
  }

  private async adopt(spec: ContainerSpec): Promise<Container> {
    const name = containerName(this.options.owner, spec.handle);
    const info = await asking(`The container ${spec.handle} could not be looked up`, () =>
      this.engine.api.getContainer(name).inspect(),
    );
    const { Id, Config } = info;
    const isOurs =
      Config.Labels[LABEL_OWNER] === this.options.owner && Config.Labels[LABEL_HANDLE] === spec.handle;
    const { sandbox, state, ports } = containerInfo(info);
    const isTheSame =
      isOurs &&
      state === 'created' &&
      areEqual(propertiesOf(Config.Labels), spec.properties) &&
      ports.every(
        ({ containerPort, hostPort }) => (spec.hostPorts?.[containerPort] ?? hostPort) === hostPort,
      );
    if (!isTheSame) throw handleInUse(spec.handle);
    if (sandbox !== undefined) this.networks.hold(spec.handle, sandbox);
    return this.container(Id, spec.handle);
  }

  private container(
    id: string,
    handle: string,
    more: Pick<DockerContainerOptions, 'fresh' | 'afterStart'> = {},
  ): DockerContainer {
    return new DockerContainer({
      engine: this.engine,
      id,
      handle,
      sandboxBusybox: () => this.sandboxBusybox(),
      closed: this.closing.signal,
      ...more,
    });
  }

  private sandboxBusybox(): Promise<Buffer> {
    return (this.busybox ??= readFile(this.options.sandboxInit));
  }

  private provideNetwork(): Promise<string> {
    this.network ??= provideNetwork(this.engine).catch((error: unknown) => {
      this.network = undefined;
      throw error;
    });
    return this.network;
  }
}

/** The fields of the engine's description that are used here. */
interface EngineInfo extends StorageInfo {
  MemTotal: number;
  MemoryLimit?: boolean;
  PidsLimit?: boolean;
  CPUShares?: boolean;
}

/** The engine's file system; 0 (nothing can be placed) when the engine is elsewhere and the capacity was not given. */
async function diskSizeMb(directory: string): Promise<number> {
  const { blocks, bsize } = await statfs(directory).catch(() => ({ blocks: 0, bsize: 0 }));
  return Math.floor((blocks * bsize) / MEBIBYTE);
}

/** Like `Promise.all`, but nothing is still under way when it rejects. */
async function all<A, B, C>(...promises: [Promise<A>, Promise<B>, Promise<C>]): Promise<[A, B, C]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}

function areEqual(a: Record<string, string>, b: Record<string, string>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
