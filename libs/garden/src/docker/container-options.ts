import { createHash } from 'node:crypto';
import type { ContainerCreateOptions } from 'dockerode';
import type { ContainerSpec, GardenCapabilities } from '../container.js';
import { mergeEnvironment, withUser } from '../environment.js';

export const LABEL_OWNER = 'rivera.owner';
export const LABEL_HANDLE = 'rivera.handle';
/** Present when the container was made for a main process. */
export const LABEL_MAIN = 'rivera.main';
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
/** The share of a container of full weight (Diego: cpu weight is a percentage of 1024 shares). */
const FULL_CPU_SHARES = 1024;
const MINIMUM_CPU_SHARES = 2;

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
  capabilities: GardenCapabilities;
}): ContainerCreateOptions {
  const { owner, spec, image, network, capabilities } = options;
  const { main, limits } = spec;
  const ports = [...new Set(spec.ports)].map((port) => `${port}/tcp`);
  const memory = limits.memoryMb > 0 ? Math.max(limits.memoryMb, MINIMUM_MEMORY_MB) * MEBIBYTE : 0;
  const command = main ? [main.path, ...main.args] : [SANDBOX_BUSYBOX, 'sleep', '2147483647'];
  const env = mergeEnvironment(spec.env, main?.env ?? []);
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
    Hostname:
      spec.handle
        .slice(-49)
        .replace(/[^a-zA-Z0-9-]/g, '-')
        .replace(/^-+|-+$/g, '') || undefined,
    Labels: {
      ...propertyLabels(spec.properties),
      [LABEL_OWNER]: owner,
      [LABEL_HANDLE]: spec.handle,
      ...(main && { [LABEL_MAIN]: main.tty ? 'tty' : 'plain' }),
    },
    ExposedPorts: Object.fromEntries(ports.map((port) => [port, {}])),
    HostConfig: {
      // Only IPv4, because the engine may choose another host port for IPv6.
      PortBindings: Object.fromEntries(ports.map((port) => [port, [{ HostIp: '0.0.0.0', HostPort: '' }]])),
      NetworkMode: network,
      Memory: memory,
      // Equal to Memory: no swap.
      MemorySwap: memory,
      CpuShares: Math.max(MINIMUM_CPU_SHARES, Math.round((FULL_CPU_SHARES * limits.cpuWeight) / 100)),
      PidsLimit: limits.pids > 0 ? limits.pids : undefined,
      StorageOpt: capabilities.diskLimit && limits.diskMb > 0 ? { size: `${limits.diskMb}M` } : undefined,
      Ulimits: main?.nofile ? [{ Name: 'nofile', Soft: main.nofile, Hard: main.nofile }] : undefined,
      // A program that is process 1 would ignore SIGTERM and collect zombies.
      Init: true,
      LogConfig: { Type: 'local', Config: { 'max-size': '10m', 'max-file': '2' } },
      RestartPolicy: { Name: 'no' },
      ...(spec.privileged
        ? { Privileged: true }
        : { CapDrop: ['ALL'], CapAdd: CAPABILITIES, SecurityOpt: ['no-new-privileges'] }),
    },
  };
}
