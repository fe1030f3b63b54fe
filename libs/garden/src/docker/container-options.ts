import { createHash } from 'node:crypto';
import type { ContainerCreateOptions, HostConfig } from 'dockerode';
import type { PortMapping } from '#rivera/models';
import type { ContainerLimits, ContainerSpec, GardenCapabilities } from '../container.js';
import { mergeEnvironment, withUser } from '../environment.js';
import type { HeldSandbox } from './held-sandbox.js';

export const LABEL_OWNER = 'rivera.owner';
export const LABEL_HANDLE = 'rivera.handle';
/** Present when the container was made for a main process. */
export const LABEL_MAIN = 'rivera.main';
/** The container ports in the order they were asked for, which the engine does not keep. */
const LABEL_PORTS = 'rivera.ports';
/** Host ports in the same order, and the address: of containers in a sandbox, whose network the engine calls another's. */
const LABEL_HOST_PORTS = 'rivera.hostPorts';
const LABEL_ADDRESS = 'rivera.address';
/** Of sandboxes: whose it is, its name (also on the container that is in it), its ports, its name servers. */
export const LABEL_SANDBOX = {
  owner: 'rivera.sandbox.owner',
  name: 'rivera.sandbox',
  ports: 'rivera.sandbox.ports',
  dns: 'rivera.sandbox.dns',
} as const;
const PROPERTY_PREFIX = 'rivera.property.';

/** Where the busybox of containers without a main process is put. */
export const SANDBOX_BUSYBOX = '/.rivera/busybox';

/**
 * What root may do in a container: own its files, become another user, listen on low ports and end its processes.
 * Left out of the engine's default set: raw sockets, device nodes, chroot, file capabilities and the audit log. Other
 * users have no capabilities at all, and with no-new-privileges no way to any.
 */
const CAPABILITIES = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'NET_BIND_SERVICE',
  'SETGID',
  'SETUID',
];

const MEBIBYTE = 1024 * 1024;
/** The engine refuses less. */
const MINIMUM_MEMORY_MB = 6;
/** Room for the threads of the engine's own start: with too few it fails every now and then. */
const SANDBOX_PIDS = 64;
const MINIMUM_CPU_SHARES = 2;
const MAXIMUM_CPU_SHARES = 262_144;
const CPU_PERIOD_US = 100_000;
/** The kernel takes no smaller quota (guardian). */
const MINIMUM_CPU_QUOTA_US = 1_000;
/** Open files of a process that does not say how many (Cloud Foundry's default). */
const DEFAULT_NOFILE = 16_384;

/** The container's name on the engine: readable, and the same for each try to create it. */
export function containerName(owner: string, handle: string): string {
  const digest = createHash('sha256').update(`${owner}\0${handle}`).digest('hex').slice(0, 8);
  return `rivera-${handle.replace(/[^a-zA-Z0-9_.-]/g, '_')}-${digest}`;
}

export function propertyLabels(properties: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [PROPERTY_PREFIX + name, value]),
  );
}

export function propertiesOf(labels: Record<string, string>): Record<string, string> {
  const entries = Object.entries(labels).filter(([label]) => label.startsWith(PROPERTY_PREFIX));
  return Object.fromEntries(entries.map(([label, value]) => [label.slice(PROPERTY_PREFIX.length), value]));
}

export function portsOfLabel(labels: Record<string, string>): number[] {
  return (labels[LABEL_PORTS] ?? '').split(',').filter(Boolean).map(Number);
}

/** What a container in a sandbox is reached by; undefined for one with a network of its own. */
export function sandboxNetworkOf(
  labels: Record<string, string>,
): { sandbox: string; address: string; ports: PortMapping[] } | undefined {
  const { [LABEL_SANDBOX.name]: sandbox, [LABEL_ADDRESS]: address = '' } = labels;
  if (sandbox === undefined) return undefined;
  const hostPorts = (labels[LABEL_HOST_PORTS] ?? '').split(',').map(Number);
  const ports = portsOfLabel(labels).map((containerPort, at) => ({
    containerPort,
    hostPort: hostPorts[at] ?? 0,
  }));
  return { sandbox, address, ports };
}

/** What the host is called in a container (Garden: the end of the handle). */
export function hostnameOf(handle: string): string {
  const name = handle.slice(-49).replace(/[^a-zA-Z0-9-]/g, '-');
  return name.replace(/^-+|-+$/g, '');
}

/** `root` exists in every container, whether or not its passwd file says so. */
export function engineUser(user: string): string {
  return user === 'root' || user === '' ? '0' : user;
}

/** Turns a container spec into what the engine is asked for. */
export function containerOptions(options: {
  owner: string;
  spec: ContainerSpec;
  image: string;
  network: string;
  dns?: string[];
  /** The sandbox it is in, in place of the network. */
  sandbox?: HeldSandbox;
  capabilities: GardenCapabilities;
}): ContainerCreateOptions {
  const { owner, spec, image, sandbox } = options;
  const { main } = spec;
  const ports = [...new Set(spec.ports)];
  const command = main ? [main.path, ...main.args] : [SANDBOX_BUSYBOX, 'sleep', '2147483647'];
  const hostname = hostnameOf(spec.handle);
  // In a sandbox the engine would give the sandbox's name.
  const own = sandbox === undefined ? spec.env : mergeEnvironment([`HOSTNAME=${hostname}`], spec.env);
  const env = mergeEnvironment(own, main?.env ?? []);
  return {
    name: containerName(owner, spec.handle),
    Image: image,
    // Both are given, because an image's own entry point would swallow the command.
    Entrypoint: command.slice(0, 1),
    Cmd: command.slice(1),
    Env: main ? withUser(env, main.user) : env,
    User: main ? engineUser(main.user) : '0',
    WorkingDir: main?.dir,
    Tty: main?.tty ?? false,
    Hostname: sandbox === undefined ? hostname || undefined : undefined,
    Labels: {
      ...propertyLabels(spec.properties),
      [LABEL_OWNER]: owner,
      [LABEL_HANDLE]: spec.handle,
      ...(main && { [LABEL_MAIN]: main.tty ? 'tty' : 'plain' }),
      ...(ports.length > 0 && { [LABEL_PORTS]: ports.join(',') }),
      ...(sandbox && {
        [LABEL_SANDBOX.name]: sandbox.name,
        [LABEL_ADDRESS]: sandbox.address,
        [LABEL_HOST_PORTS]: ports.map((port) => spec.hostPorts?.[port] ?? 0).join(','),
      }),
    },
    ExposedPorts: sandbox === undefined ? exposedPorts(ports) : undefined,
    HostConfig: hostConfig(options, ports),
  };
}

/** The name of a sandbox's container on the engine. */
export function sandboxContainerName(owner: string, name: string): string {
  return containerName(owner, `network-${name}`);
}

/** What the engine is asked for to have a network that waits: a process that sleeps, may do nothing, and needs nothing. */
export function sandboxOptions(options: {
  owner: string;
  name: string;
  ports: readonly PortMapping[];
  hostname?: string;
  image: string;
  network: string;
  dns?: string[];
}): ContainerCreateOptions {
  const { owner, name, ports, hostname, image, network, dns } = options;
  return {
    name: sandboxContainerName(owner, name),
    Image: image,
    Entrypoint: ['/busybox'],
    Cmd: ['sleep', '2147483647'],
    User: '65534:65534',
    Hostname: hostname || hostnameOf(name),
    Labels: {
      [LABEL_SANDBOX.owner]: owner,
      [LABEL_SANDBOX.name]: name,
      [LABEL_SANDBOX.dns]: dnsLabel(dns),
      [LABEL_SANDBOX.ports]: ports
        .map(({ containerPort, hostPort }) => `${containerPort}:${hostPort}`)
        .join(','),
    },
    ExposedPorts: exposedPorts(ports.map(({ containerPort }) => containerPort)),
    HostConfig: {
      PortBindings: portBindings(ports),
      NetworkMode: network,
      Dns: dns,
      Memory: MINIMUM_MEMORY_MB * MEBIBYTE,
      MemorySwap: MINIMUM_MEMORY_MB * MEBIBYTE,
      PidsLimit: SANDBOX_PIDS,
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      LogConfig: { Type: 'none', Config: {} },
      RestartPolicy: { Name: 'no' },
    },
  };
}

export function dnsLabel(dns: readonly string[] = []): string {
  return dns.join(',');
}

function exposedPorts(ports: readonly number[]): Record<string, object> {
  return Object.fromEntries(ports.map((port) => [`${port}/tcp`, {}]));
}

/** Only IPv4, because the engine may choose another host port for IPv6. */
function portBindings(
  ports: readonly { containerPort: number; hostPort?: number }[],
): HostConfig['PortBindings'] {
  return Object.fromEntries(
    ports.map(({ containerPort, hostPort }) => [
      `${containerPort}/tcp`,
      [{ HostIp: '0.0.0.0', HostPort: `${hostPort ?? ''}` }],
    ]),
  );
}

function hostConfig(
  { spec, network, dns, sandbox, capabilities }: Parameters<typeof containerOptions>[0],
  ports: number[],
): HostConfig {
  const { limits } = spec;
  const nofile = spec.main?.nofile ?? DEFAULT_NOFILE;
  return {
    ...(sandbox === undefined
      ? {
          PortBindings: portBindings(
            ports.map((containerPort) => ({ containerPort, hostPort: spec.hostPorts?.[containerPort] })),
          ),
          NetworkMode: network,
          Dns: dns,
        }
      : { NetworkMode: `container:${sandbox.containerId}` }),
    ...memoryAndCpu(limits),
    PidsLimit: limits.pids > 0 ? limits.pids : undefined,
    StorageOpt: capabilities.diskLimit && limits.diskMb > 0 ? { size: `${limits.diskMb}M` } : undefined,
    Ulimits: [
      { Name: 'nofile', Soft: nofile, Hard: nofile },
      // A dump of its memory would be written to its disk.
      { Name: 'core', Soft: 0, Hard: 0 },
    ],
    ReadonlyRootfs: spec.readOnlyRootfs ?? false,
    // As `Mounts` and never as `Binds`, which make a source that is not there.
    Mounts: [
      ...(spec.bindMounts ?? []).map(({ source, target, readOnly }) => ({
        Type: 'bind' as const,
        Source: source,
        Target: target,
        ReadOnly: readOnly,
        BindOptions: { Propagation: 'rprivate' as const },
      })),
      ...(spec.tmpfs ?? []).map(({ target, sizeMb }) => ({
        Type: 'tmpfs' as const,
        Source: '',
        Target: target,
        TmpfsOptions: { SizeBytes: sizeMb * MEBIBYTE, Mode: 0o1777 },
      })),
    ],
    // A program that is process 1 would ignore SIGTERM and collect zombies.
    Init: true,
    LogConfig: { Type: 'local', Config: { 'max-size': '10m', 'max-file': '2' } },
    RestartPolicy: { Name: 'no' },
    // Without a seccomp option the engine's own profile applies.
    ...(spec.privileged
      ? { Privileged: true }
      : { CapDrop: ['ALL'], CapAdd: CAPABILITIES, SecurityOpt: ['no-new-privileges'] }),
  };
}

function memoryAndCpu({ memoryMb, cpuShares, cpuQuotaUs }: ContainerLimits): Partial<HostConfig> {
  const memory = memoryMb > 0 ? Math.max(memoryMb, MINIMUM_MEMORY_MB) * MEBIBYTE : 0;
  return {
    Memory: memory,
    // Equal to Memory: no swap.
    MemorySwap: memory,
    CpuShares: cpuShares && Math.min(MAXIMUM_CPU_SHARES, Math.max(MINIMUM_CPU_SHARES, Math.round(cpuShares))),
    ...(cpuQuotaUs === undefined
      ? {}
      : { CpuPeriod: CPU_PERIOD_US, CpuQuota: Math.max(MINIMUM_CPU_QUOTA_US, Math.round(cpuQuotaUs)) }),
  };
}
