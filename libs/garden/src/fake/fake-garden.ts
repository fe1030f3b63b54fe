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
import { FakeContainer } from './fake-container.js';
import { FakeHost } from './fake-host.js';

export interface FakeGardenOptions {
  owner: string;
  /** Default: a host of its own, whose programs run until they are signalled. */
  host?: FakeHost;
  /** Stacks of `preloaded:`; `docker://` images are all there. */
  stacks?: string[];
  capacity?: Partial<GardenCapacity>;
  capabilities?: Partial<GardenCapabilities>;
}

/**
 * Containers in memory, for simulations with thousands of them and for tests that need a garden to misbehave: see
 * `FakeHost.inject`, and `kill`, `runOutOfMemory` and `vanish` below.
 */
export class FakeGarden implements Garden {
  readonly backend = 'fake';
  readonly capabilities: GardenCapabilities;
  readonly host: FakeHost;

  constructor(private readonly options: FakeGardenOptions) {
    this.host = options.host ?? new FakeHost();
    this.capabilities = {
      networkNamespace: true,
      isolation: true,
      memoryLimit: true,
      pidsLimit: true,
      diskLimit: true,
      cpuShares: true,
      bindMounts: true,
      tmpfs: true,
      readOnlyRootfs: true,
      egress: true,
      terminal: true,
      privileged: false,
      survivesAgent: true,
      ...options.capabilities,
    };
  }

  ping(): Promise<void> {
    return this.host.perform('ping', undefined, () => undefined);
  }

  capacity(): Promise<GardenCapacity> {
    return Promise.resolve({ memoryMb: 16_384, diskMb: 65_536, containers: 250, ...this.options.capacity });
  }

  freeDiskBytes(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  rootfsProviders(): { scheme: string; stacks?: string[] }[] {
    return [{ scheme: 'preloaded', stacks: this.options.stacks ?? ['base'] }, { scheme: 'docker' }];
  }

  create(spec: ContainerSpec): Promise<Container> {
    return this.host.perform('create', spec.handle, () => {
      this.refuseImpossible(spec);
      const existing = this.host.container(this.options.owner, spec.handle);
      if (existing) {
        if (areEqual(existing.spec.properties, spec.properties)) return existing;
        throw new RiveraError(
          'already-exists',
          `The handle ${spec.handle} is already in use: destroy it first.`,
        );
      }
      const container = new FakeContainer(this.options.owner, spec, this.host);
      this.host.add(container);
      return container;
    });
  }

  lookup(handle: string): Promise<Container> {
    return this.host.perform('lookup', handle, () => this.container(handle));
  }

  list(properties: Record<string, string> = {}): Promise<ContainerInfo[]> {
    return this.host.perform('list', undefined, () => {
      const wanted = Object.entries(properties);
      return this.host
        .containersOf(this.options.owner)
        .filter(({ spec }) => wanted.every(([name, value]) => spec.properties[name] === value))
        .map((container) => container.snapshot());
    });
  }

  async bulkMetrics(handles?: readonly string[]): Promise<Map<string, ContainerMetrics>> {
    const wanted = this.host
      .containersOf(this.options.owner)
      .filter((each) => each.snapshot().state === 'running' && (handles?.includes(each.handle) ?? true));
    return new Map(
      await Promise.all(wanted.map(async (each) => [each.handle, await each.metrics()] as const)),
    );
  }

  destroy(handle: string): Promise<void> {
    return this.host.perform('destroy', handle, () => this.vanish(handle));
  }

  discard(handle: string): Promise<boolean> {
    return this.host.perform('destroy', handle, () => {
      const container = this.host.container(this.options.owner, handle);
      if (container !== undefined && container.snapshot().state !== 'created') return false;
      this.vanish(handle);
      return true;
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Ends all processes of a container with SIGKILL. */
  kill(handle: string): void {
    this.container(handle).kill();
  }

  /** Ends all processes of a container as the kernel does when its memory runs out. */
  runOutOfMemory(handle: string): void {
    this.container(handle).kill({ outOfMemory: true });
  }

  /** Removes a container behind the agent's back; one that is not there is success. */
  vanish(handle: string): void {
    this.host.container(this.options.owner, handle)?.kill();
    this.host.remove(this.options.owner, handle);
  }

  private container(handle: string): FakeContainer {
    const container = this.host.container(this.options.owner, handle);
    if (!container) throw notFound('container', handle);
    return container;
  }

  private refuseImpossible(spec: ContainerSpec): void {
    refuseUnsupported(spec, this.capabilities);
    const { rootfs } = spec;
    const [scheme = '', rest = ''] = rootfs.split(':', 2);
    const provider = this.rootfsProviders().find((one) => one.scheme === scheme);
    if (!provider)
      throw new RiveraError(
        'unsupported',
        `The root filesystem ${rootfs} is neither preloaded: nor docker://.`,
      );
    if (provider.stacks && !provider.stacks.includes(rest)) throw notFound('stack on this cell', rest);
  }
}

function areEqual(a: Record<string, string>, b: Record<string, string>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
