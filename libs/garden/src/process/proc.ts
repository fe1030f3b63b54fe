import { readdir, readFile } from 'node:fs/promises';

/** USER_HZ, the unit of processor time in /proc: 100 on every Linux that Node.js runs on. */
const NANOSECONDS_PER_TICK = 10_000_000;
const BYTES_PER_PAGE = 4096;

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
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
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
  const stats = await Promise.all((await allPids()).map(readStat));
  return stats.filter(
    (stat) => stat !== undefined && !stat.isZombie && sessions.has(stat.session),
  ) as ProcessStat[];
}

/** Processes that were started with `entry` in their environment, whatever session they moved to. */
export async function processesWithEnvironment(entry: string): Promise<number[]> {
  const found: number[] = [];
  for (const pid of await allPids()) {
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
    if (environment.split('\0').includes(entry)) found.push(pid);
  }
  return found;
}

/** Sends a signal to a process, or with a negative number to a process group; one that is gone is success. */
export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function allPids(): Promise<number[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
}
