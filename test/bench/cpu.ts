import { readFile } from 'node:fs/promises';

/** Linux reports processor time in hundredths of a second. */
const US_PER_TICK = 10_000;

/** Processor time that processes have used so far, in microseconds, as the kernel counts it. */
export async function cpuUs(pids: readonly number[]): Promise<number> {
  const times = await Promise.all(pids.map(timesOf));
  return times.reduce((sum, { own }) => sum + own, 0);
}

/** The same of a process, of its children, and of those of its children that have ended. */
export async function cpuUsOfFamily(pid: number): Promise<number> {
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ').filter(Boolean);
  // One that has ended since is counted by its parent, which is therefore asked last.
  const ofChildren = await Promise.all(children.map((child) => cpuUs([Number(child)]).catch(() => 0)));
  const { own, ended } = await timesOf(pid);
  return ofChildren.reduce((sum, time) => sum + time, own + ended);
}

/** Of the process, and of its children that have ended. */
async function timesOf(pid: number): Promise<{ own: number; ended: number }> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The second field, the name, may hold spaces; the counters come after its closing bracket.
  const ticks = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15)
    .map(Number);
  const [user = NaN, system = NaN, endedUser = NaN, endedSystem = NaN] = ticks;
  return { own: (user + system) * US_PER_TICK, ended: (endedUser + endedSystem) * US_PER_TICK };
}
