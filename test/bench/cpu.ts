import { readFile } from 'node:fs/promises';

/** Linux reports processor time in hundredths of a second. */
const US_PER_TICK = 10_000;

/** Processor time that processes have used so far, in microseconds, as the kernel counts it. */
export async function cpuUs(pids: readonly number[]): Promise<number> {
  const times = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
      // The second field, the name, may hold spaces; the counters come after its closing bracket.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return (Number(fields[11]) + Number(fields[12])) * US_PER_TICK;
    }),
  );
  return times.reduce((sum, time) => sum + time, 0);
}
