import type { ContainerMetrics } from '../container.js';
import { type ProcessStat, processesOfSessions } from './proc.js';

/** What must be known of a container to measure it. */
interface Measurable {
  readonly handle: string;
  /** The sessions of its processes. */
  sessions(): Promise<number[]>;
  startedAtMs(): Promise<number | undefined>;
}

/** What those containers use that were started, from one look through /proc. */
export async function bulkMetrics(containers: readonly Measurable[]): Promise<Map<string, ContainerMetrics>> {
  const startedAtMs = new Map<string, number>();
  const handles = new Map<number, string>();
  await Promise.all(
    containers.map(async (container) => {
      const [started, sessions] = await Promise.all([container.startedAtMs(), container.sessions()]);
      if (started === undefined) return;
      startedAtMs.set(container.handle, started);
      for (const session of sessions) handles.set(session, container.handle);
    }),
  );
  const processes = new Map<string, ProcessStat[]>();
  for (const process of await processesOfSessions(new Set(handles.keys()))) {
    const handle = handles.get(process.session) ?? '';
    processes.set(handle, [...(processes.get(handle) ?? []), process]);
  }
  const entries = [...startedAtMs].map(
    ([handle, started]) => [handle, usageOf(processes.get(handle) ?? [], started)] as const,
  );
  return new Map(entries);
}

function usageOf(processes: ProcessStat[], startedAtMs: number): ContainerMetrics {
  const sum = (field: 'memoryBytes' | 'cpuNanoseconds'): number =>
    processes.reduce((total, process) => total + process[field], 0);
  return {
    memoryBytes: sum('memoryBytes'),
    cpuNanoseconds: sum('cpuNanoseconds'),
    pids: processes.length,
    ageMs: Math.max(0, Date.now() - startedAtMs),
  };
}
