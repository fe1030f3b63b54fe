import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerInspectInfo, ContainerStats } from 'dockerode';
import type { ContainerMetrics } from '../container.js';
import { askingUnless } from './engine-error.js';
import type { Engine } from './engine.js';

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
}

/** Undefined when it does not run. */
export function measured({ Id: id, State }: ContainerInspectInfo): MeasuredContainer | undefined {
  return State.Running ? { id, pid: State.Pid, startedAtMs: Date.parse(State.StartedAt) } : undefined;
}

/**
 * What a running container uses: from its cgroup's files where they can be read (0.1 ms), else from the engine, which
 * takes up to a second for it. Memory is what counts towards the limit: usage without the file cache that can be dropped.
 */
export async function readMetrics(
  engine: Engine,
  { id, pid, startedAtMs }: MeasuredContainer,
): Promise<ContainerMetrics> {
  const ageMs = Math.max(0, Date.now() - startedAtMs);
  const [usage, traffic] = await Promise.all([fromCgroup(pid, id), readTraffic(pid)]);
  // Without a cgroup of ours the process is somebody else's, and so is its network.
  return usage === undefined ? { ...(await fromEngine(engine, id)), ageMs } : { ...usage, ...traffic, ageMs };
}

/** All interfaces of the process's network but the loopback: lines of `name: received … (8 fields) sent …`. */
async function readTraffic(pid: number): Promise<Traffic> {
  const text = await readFile(`/proc/${pid}/net/dev`, 'utf8').catch(() => undefined);
  if (text === undefined) return {};
  const rows = [...text.matchAll(/^\s*(\S+):\s*(.+)$/gm)].filter(([, name]) => name !== 'lo');
  const total = (column: number): number =>
    rows.reduce((sum, [, , fields = '']) => sum + Number(fields.split(/\s+/)[column]), 0);
  return { rxBytes: total(0), txBytes: total(8) };
}

type Traffic = Pick<ContainerMetrics, 'rxBytes' | 'txBytes'>;

async function fromCgroup(pid: number, containerId: string): Promise<ContainerMetrics | undefined> {
  const lines = (await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '')).trim().split('\n');
  // Another process may have the number when the engine runs elsewhere.
  const groups = new Map(
    lines
      .map((line) => line.split(':'))
      .filter(([, , path]) => path?.includes(containerId))
      .flatMap(([, controllers = '', path = '']) =>
        controllers.split(',').map((name) => [name, path] as const),
      ),
  );
  if (groups.size === 0) return undefined;
  const metrics = groups.has('memory') ? await version1(groups) : await version2(groups.get('') ?? '');
  return Object.values(metrics).some((value) => value !== undefined) ? metrics : undefined;
}

async function version1(groups: Map<string, string>): Promise<ContainerMetrics> {
  const read = (controller: string, file: string): Promise<string | undefined> =>
    readCgroupFile(join(CGROUP_ROOT, controller, groups.get(controller) ?? '', file));
  const [memory, memoryStat, cpu, pids] = await Promise.all([
    read('memory', 'memory.usage_in_bytes'),
    read('memory', 'memory.stat'),
    read('cpuacct', 'cpuacct.usage'),
    read('pids', 'pids.current'),
  ]);
  return {
    memoryBytes: withoutCache(number(memory), field(memoryStat, 'total_inactive_file')),
    cpuNanoseconds: number(cpu),
    pids: number(pids),
  };
}

async function version2(path: string): Promise<ContainerMetrics> {
  const read = (file: string): Promise<string | undefined> => readCgroupFile(join(CGROUP_ROOT, path, file));
  const files = ['memory.current', 'memory.stat', 'cpu.stat', 'pids.current'];
  const [memory, memoryStat, cpuStat, pids] = await Promise.all(files.map(read));
  const cpuMicroseconds = field(cpuStat, 'usage_usec');
  return {
    memoryBytes: withoutCache(number(memory), field(memoryStat, 'inactive_file')),
    cpuNanoseconds: cpuMicroseconds === undefined ? undefined : cpuMicroseconds * NANOSECONDS_PER_MICROSECOND,
    pids: number(pids),
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

function readCgroupFile(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
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
