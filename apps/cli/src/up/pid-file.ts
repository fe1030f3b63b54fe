import { spawnSync } from 'node:child_process';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/**
 * Which process a pid means: pids are used again, so a pid alone proves nothing. Undefined when there is none or it is
 * only waiting to be reaped.
 */
export function identityOf(pid: number): string | undefined {
  if (process.platform !== 'linux') {
    return (
      spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim() || undefined
    );
  }
  const stat = readIfThere(`/proc/${pid}/stat`);
  // The program's name, in brackets, may hold blanks and brackets itself.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields === undefined || fields[0] === 'Z' || fields[0] === 'X') return undefined;
  const startTime = 19;
  return fields[startTime];
}

export function writePidFile(file: string, pid: number): void {
  writeFileSync(file, `${pid} ${identityOf(pid) ?? ''}\n`);
}

/** The pid in the file when that very process is alive. */
export function readPidFile(file: string): number | undefined {
  const [pid, ...identity] = readIfThere(file)?.trim().split(' ') ?? [];
  if (pid === undefined || identity.length === 0) return undefined;
  return identityOf(Number(pid)) === identity.join(' ') ? Number(pid) : undefined;
}

/**
 * Takes a pid file as a lock for this process.
 *
 * @returns undefined, or the pid of the process that holds it
 */
export function takeLock(file: string): number | undefined {
  const mine = `${file}.${process.pid}`;
  writePidFile(mine, process.pid);
  try {
    for (;;) {
      const holder = readPidFile(file);
      if (holder !== undefined) return holder;
      rmSync(file, { force: true });
      try {
        // Unlike a rename, a link does not replace the lock of somebody who was faster.
        linkSync(mine, file);
        return undefined;
      } catch (error) {
        if (!isErrno(error, 'EEXIST')) throw error;
      }
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    // ESRCH: the process ended while it was being read.
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH')) return undefined;
    throw error;
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code;
}
