import { join } from 'node:path';
import type { ContainerInspectInfo, ContainerStats } from 'dockerode';
import type { ContainerMetrics } from '../container.js';
import { askingUnless } from './engine-error.js';
import type { Engine } from './engine.js';
import { readKernelFile } from './kernel-file.js';

const CGROUP_ROOT = '/sys/fs/cgroup';
const NANOSECONDS_PER_MICROSECOND = 1000;

/** What must be known of a running container to measure it; it stays the same while it runs. */
export interface MeasuredContainer {
  /** The engine's id. */
  id: string;
  /** Of its first process, on the engine's host. */
  pid: number;
  /** Milliseconds since the Unix epoch. */
  startedAtMs: number;
  /** Controller → path of its cgroup, once that was found. */
  groups?: ReadonlyMap<string, string>;
}

/** Undefined when it does not run. */
export function measured({ Id: id, State }: ContainerInspectInfo): MeasuredContainer | undefined {
  return State.Running ? { id, pid: State.Pid, startedAtMs: Date.parse(State.StartedAt) } : undefined;
}

/**
 * What a running container uses: from its cgroup's files where they can be read (0.1 ms), else from the engine, which
 * takes up to a second for it. Memory is what counts towards the limit: usage without the file cache that can be dropped.
 */
export async function readMetrics(engine: Engine, container: MeasuredContainer): Promise<ContainerMetrics> {
  const { id, pid, startedAtMs } = container;
  const ageMs = Math.max(0, Date.now() - startedAtMs);
  container.groups ??= groupsOf(pid, id);
  const usage = container.groups && fromCgroup(container.groups);
  // Without a cgroup of ours the process is somebody else's, and so is its network.
  if (usage === undefined) return { ...(await fromEngine(engine, id)), ageMs };
  return { ...usage, ...readTraffic(pid), ageMs };
}

/** All interfaces of the process's network but the loopback: lines of `name: received … (8 fields) sent …`. */
function readTraffic(pid: number): Traffic {
  const text = readKernelFile(`/proc/${pid}/net/dev`);
  if (text === undefined) return {};
  const rows = [...text.matchAll(/^\s*(\S+):\s*(.+)$/gm)].filter(([, name]) => name !== 'lo');
  const total = (column: number): number =>
    rows.reduce((sum, [, , fields = '']) => sum + Number(fields.split(/\s+/)[column]), 0);
  return { rxBytes: total(0), txBytes: total(8) };
}

type Traffic = Pick<ContainerMetrics, 'rxBytes' | 'txBytes'>;

/** Undefined when they are not those of this container: another process may have the number when the engine runs elsewhere. */
function groupsOf(pid: number, containerId: string): ReadonlyMap<string, string> | undefined {
  const lines = (readKernelFile(`/proc/${pid}/cgroup`) ?? '').trim().split('\n');
  const groups = new Map(
    lines
      .map((line) => line.split(':'))
      .filter(([, , path]) => path?.includes(containerId))
      .flatMap(([, controllers = '', path = '']) =>
        controllers.split(',').map((name) => [name, path] as const),
      ),
  );
  return groups.size === 0 ? undefined : groups;
}

function fromCgroup(groups: ReadonlyMap<string, string>): ContainerMetrics | undefined {
  const metrics = groups.has('memory') ? version1(groups) : version2(groups.get('') ?? '');
  return Object.values(metrics).some((value) => value !== undefined) ? metrics : undefined;
}

function version1(groups: ReadonlyMap<string, string>): ContainerMetrics {
  const read = (controller: string, file: string): string | undefined =>
    readKernelFile(join(CGROUP_ROOT, controller, groups.get(controller) ?? '', file));
  return {
    memoryBytes: withoutCache(
      number(read('memory', 'memory.usage_in_bytes')),
      field(read('memory', 'memory.stat'), 'total_inactive_file'),
    ),
    cpuNanoseconds: number(read('cpuacct', 'cpuacct.usage')),
    pids: number(read('pids', 'pids.current')),
  };
}

function version2(path: string): ContainerMetrics {
  const read = (file: string): string | undefined => readKernelFile(join(CGROUP_ROOT, path, file));
  const cpuMicroseconds = field(read('cpu.stat'), 'usage_usec');
  return {
    memoryBytes: withoutCache(number(read('memory.current')), field(read('memory.stat'), 'inactive_file')),
    cpuNanoseconds: cpuMicroseconds === undefined ? undefined : cpuMicroseconds * NANOSECONDS_PER_MICROSECOND,
    pids: number(read('pids.current')),
  };
}

/** An engine without a controller leaves its fields out, whatever the type says. */
type SparseStats = { [K in keyof ContainerStats]?: Partial<ContainerStats[K]> };

async function fromEngine(engine: Engine, containerId: string): Promise<ContainerMetrics> {
  const stats: SparseStats | undefined = await askingUnless(
    [404, 409],
    `The metrics of container ${containerId} could not be read`,
    () => engine.api.getContainer(containerId).stats({ stream: false, 'one-shot': true }),
  );
  const memory = stats?.memory_stats;
  const details = memory?.stats as Record<string, number> | undefined;
  return {
    memoryBytes: withoutCache(memory?.usage, details?.total_inactive_file ?? details?.inactive_file),
    cpuNanoseconds: stats?.cpu_stats?.cpu_usage?.total_usage,
    pids: stats?.pids_stats?.current,
    ...trafficOf(stats),
  };
}

function trafficOf(stats: SparseStats | undefined): Traffic {
  const interfaces = Object.values((stats?.networks ?? {}) as ContainerStats['networks']);
  if (interfaces.length === 0) return {};
  const total = (field: 'rx_bytes' | 'tx_bytes'): number =>
    interfaces.reduce((sum, each) => sum + each[field], 0);
  return { rxBytes: total('rx_bytes'), txBytes: total('tx_bytes') };
}

function withoutCache(usage: number | undefined, cache: number | undefined): number | undefined {
  return usage === undefined ? undefined : Math.max(0, usage - (cache ?? 0));
}

function number(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function field(text: string | undefined, name: string): number | undefined {
  const value = new RegExp(`^${name} (\\d+)$`, 'm').exec(text ?? '')?.[1];
  return value === undefined ? undefined : Number(value);
}
