import { setMaxListeners } from 'node:events';
import { readFile, statfs } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
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
import { BulkMetrics } from './bulk-metrics.js';
import {
  containerName,
  containerOptions,
  LABEL_HANDLE,
  LABEL_OWNER,
  propertiesOf,
  propertyLabels,
} from './container-options.js';
import { containerInfo, DockerContainer, handleInUse } from './docker-container.js';
import { connectEngine } from './engine.js';
import type { Engine, EngineAddress } from './engine.js';
import { asking, askingUnless, engineError, messageOf, statusOf } from './engine-error.js';
import { hasDiskQuota, type StorageInfo } from './disk-quota.js';
import { requireAllowedSource } from './bind-mounts.js';
import { Images } from './images.js';
import type { PullPolicy } from './images.js';
import { provideNetwork } from './network.js';

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
  private readonly metrics: BulkMetrics;
  private network?: Promise<string>;
  private busybox?: Promise<Buffer>;

  private constructor(
    private readonly options: DockerGardenOptions,
    private readonly engine: Engine,
    private readonly storage: StorageInfo,
    readonly capabilities: GardenCapabilities,
  ) {
    // Each process that is followed listens for the closing.
    setMaxListeners(0, this.closing.signal);
    this.metrics = new BulkMetrics(engine, options.owner);
    this.images = new Images(engine, { stacks: options.stacks, pull: options.pull ?? 'missing' });
  }

  /** Rejects with `unavailable` when the engine does not answer and `unsupported` when it is too old. */
  static async connect(options: DockerGardenOptions): Promise<DockerGarden> {
    const engine = await connectEngine(options);
    const info = (await asking('The Docker Engine could not describe itself', () =>
      engine.api.info(),
    )) as EngineInfo;
    return new DockerGarden(options, engine, info, {
      networkNamespace: true,
      isolation: true,
      memoryLimit: info.MemoryLimit ?? false,
      pidsLimit: info.PidsLimit ?? false,
      cpuShares: info.CPUShares ?? false,
      diskLimit: await hasDiskQuota(info),
      bindMounts: true,
      tmpfs: true,
      readOnlyRootfs: true,
      egress: false,
      terminal: true,
      privileged: options.allowPrivileged ?? false,
      survivesAgent: true,
    });
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

  rootfsProviders(): { scheme: string; stacks?: string[] }[] {
    return [{ scheme: 'preloaded', stacks: this.images.stacks }, { scheme: 'docker' }];
  }

  async create(spec: ContainerSpec): Promise<Container> {
    refuseUnsupported(spec, this.capabilities);
    for (const { source } of spec.bindMounts ?? []) {
      await requireAllowedSource(source, this.options.bindMountSources ?? []);
    }
    const name = containerName(this.options.owner, spec.handle);
    try {
      return this.container(await this.createFresh(spec), spec.handle);
    } catch (error) {
      // The create before may have succeeded although its answer was lost.
      if (statusOf(error) === 409) return this.adopt(name, spec);
      throw engineError(error, `The container ${spec.handle} could not be created`);
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
    // One that goes away while the list is gone through is not there.
    const infos = await Promise.all(
      found.map(({ Id }) =>
        askingUnless([404], `The container ${Id} could not be inspected`, () =>
          this.engine.api.getContainer(Id).inspect(),
        ),
      ),
    );
    return infos.filter((info) => info !== undefined).map(containerInfo);
  }

  bulkMetrics(handles?: readonly string[]): Promise<Map<string, ContainerMetrics>> {
    return this.metrics.read(handles);
  }

  async destroy(handle: string): Promise<void> {
    const container = this.engine.api.getContainer(containerName(this.options.owner, handle));
    const what = `The container ${handle} could not be destroyed`;
    const deadline = performance.now() + REMOVAL_DEADLINE_MS;
    for (;;) {
      // v: volumes of the image would be left behind. 409: somebody else is removing it.
      await askingUnless([404, 409], what, () => container.remove({ force: true, v: true }));
      if (!(await askingUnless([404], what, () => container.inspect()))) return;
      if (performance.now() > deadline) {
        throw new RiveraError('unavailable', `${what}: the engine has not removed it; try again later.`);
      }
      await sleep(REMOVAL_POLL_MS);
    }
  }

  close(): Promise<void> {
    this.closing.abort(new RiveraError('unavailable', 'The garden was closed; the container goes on.'));
    return Promise.resolve();
  }

  /** The id of a new container. An image that was removed meanwhile is provided once more. */
  private async createFresh(spec: ContainerSpec): Promise<string> {
    const [image, network] = await Promise.all([this.images.provide(spec), this.provideNetwork()]);
    const { owner, dns } = this.options;
    const create = async (): Promise<string> => {
      const options = containerOptions({ owner, spec, image, network, dns, capabilities: this.capabilities });
      return (await this.engine.api.createContainer(options)).id;
    };
    try {
      return await create();
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
      await this.images.provide(spec);
      return create();
    }
  }

  private async adopt(name: string, spec: ContainerSpec): Promise<Container> {
    const { Id, Config } = await asking(`The container ${spec.handle} could not be looked up`, () =>
      this.engine.api.getContainer(name).inspect(),
    );
    const isOurs =
      Config.Labels[LABEL_OWNER] === this.options.owner && Config.Labels[LABEL_HANDLE] === spec.handle;
    if (!isOurs || !areEqual(propertiesOf(Config.Labels), spec.properties)) throw handleInUse(spec.handle);
    return this.container(Id, spec.handle);
  }

  private container(id: string, handle: string): DockerContainer {
    const sandboxBusybox = (): Promise<Buffer> => (this.busybox ??= readFile(this.options.sandboxInit));
    return new DockerContainer({
      engine: this.engine,
      id,
      handle,
      sandboxBusybox,
      closed: this.closing.signal,
    });
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

function areEqual(a: Record<string, string>, b: Record<string, string>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
