import { readdirSync, readFileSync } from 'node:fs';

/** A process of this machine (Linux). */
export interface ProcessEntry {
  pid: number;
  parent: number;
  /** At most 15 characters. */
  name: string;
  commandLine: string;
}

/** All processes that are alive, those that wait to be reaped left out. */
export function processes(): ProcessEntry[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => readEntry(Number(pid)) ?? []);
}

/** The pid in the file of another program; undefined when there is no such file. */
export function pidIn(file: string): number | undefined {
  const text = readOrNothing(file);
  return text === undefined ? undefined : Number(text);
}

/** Ends a process at once; it may be gone already. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function readEntry(pid: number): ProcessEntry | undefined {
  const stat = readOrNothing(`/proc/${pid}/stat`);
  const commandLine = readOrNothing(`/proc/${pid}/cmdline`);
  if (stat === undefined || commandLine === undefined) return undefined;
  const [open, close] = [stat.indexOf('('), stat.lastIndexOf(')')];
  const [state, parent] = stat.slice(close + 2).split(' ');
  if (state === 'Z' || state === 'X') return undefined;
  return { pid, parent: Number(parent), name: stat.slice(open + 1, close), commandLine };
}

function readOrNothing(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Gone in the meantime.
    return undefined;
  }
}
