import { readdir } from 'node:fs/promises';
import { readIfThere } from './read-if-there.js';
import { SharedLook } from './shared-look.js';

/** USER_HZ, the unit of processor time in /proc: 100 on every Linux that Node.js runs on. */
const NANOSECONDS_PER_TICK = 10_000_000;
const BYTES_PER_PAGE = 4096;
/** Files of /proc that are open at the same time, however many processes there are and whoever asks. */
const OPEN_AT_ONCE = 16;

/** What /proc tells about one process. */
export interface ProcessStat {
  pid: number;
  session: number;
  isZombie: boolean;
  /** In ticks since the machine started: tells a process from a later one with its number. */
  startTime: string;
  cpuNanoseconds: number;
  memoryBytes: number;
}

/** Undefined when there is no such process. */
export async function readStat(pid: number): Promise<ProcessStat | undefined> {
  const text = (await readIfThere(`/proc/${pid}/stat`)) ?? '';
  // The second field is the name in parentheses and may contain anything, so counting begins after it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields.length < 22) return undefined;
  const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
  return {
    pid,
    session: Number(fields[3]),
    isZombie: fields[0] === 'Z' || fields[0] === 'X',
    startTime: fields[19]!,
    cpuNanoseconds: ticks * NANOSECONDS_PER_TICK,
    memoryBytes: Number(fields[21]) * BYTES_PER_PAGE,
  };
}

/** Whether the process that began at `startTime` is still there. */
export async function isAlive(pid: number, startTime: string): Promise<boolean> {
  const stat = await readStat(pid);
  return stat !== undefined && !stat.isZombie && stat.startTime === startTime;
}

/** All processes of the given sessions. */
export async function processesOfSessions(sessions: Set<number>): Promise<ProcessStat[]> {
  if (sessions.size === 0) return [];
  const stats = await allStats.ask();
  return stats.filter(({ isZombie, session }) => !isZombie && sessions.has(session));
}

/** Processes that were started with `entry` in their environment, whatever session they moved to. */
export async function processesWithEnvironment(entry: string): Promise<number[]> {
  const environments = await allEnvironments.ask();
  return environments.filter(({ entries }) => entries.includes(entry)).map(({ pid }) => pid);
}

/** Sends a signal to a process, or with a negative number to a process group; one that is gone is success. */
export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

const allStats = new SharedLook(async () => {
  const stats = await ofAllPids(readStat);
  return stats.filter((stat) => stat !== undefined);
});

const allEnvironments = new SharedLook(() =>
  ofAllPids(async (pid) => {
    const text = (await readIfThere(`/proc/${pid}/environ`, 'latin1')) ?? '';
    return { pid, entries: text.split('\0') };
  }),
);

async function ofAllPids<T>(read: (pid: number) => Promise<T>): Promise<T[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found: T[] = [];
  const worker = async (): Promise<void> => {
    for (let pid = pids.pop(); pid !== undefined; pid = pids.pop()) found.push(await read(pid));
  };
  await Promise.all(Array.from({ length: OPEN_AT_ONCE }, worker));
  return found;
}
