import { spawn } from 'node:child_process';
import { closeSync, openSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { sizeOf } from './output.js';
import { readPidFile, writePidFile } from './pid-file.js';
import type { Exit, Program, RunningProcess } from './supervisor.js';

const MAX_LOG_BYTES = 16 * 1024 * 1024;

/**
 * Starts a program with its output appended to its log file and its pid in `<runFolder>/<name>.pid`. It gets a session
 * of its own, so that Ctrl-C reaches only the launcher, which ends its programs in order.
 */
export function spawnProgram(runFolder: string, program: Program): RunningProcess {
  const pidFile = join(runFolder, `${program.name}.pid`);
  keepShort(program.logFile);
  program.beforeStart?.();
  const log = openSync(program.logFile, 'a');
  const child = spawn(program.command, program.args, {
    env: program.env,
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  const { pid } = child;
  if (pid !== undefined) writePidFile(pidFile, pid);
  const exited = new Promise<Exit>((resolve) => {
    child.once('error', (error) => resolve({ error: error.message }));
    child.once('exit', (code, signal) => resolve(signal === null ? { code: code ?? 0 } : { signal }));
  }).finally(() => rmSync(pidFile, { force: true }));
  return { exited, kill: (signal) => pid !== undefined && send(pid, signal) };
}

/**
 * Ends a program that a launcher which was killed left behind.
 *
 * @returns whether there was one
 */
export async function stopLeftover(pidFile: string, withinMs: number): Promise<boolean> {
  const pid = readPidFile(pidFile);
  if (pid !== undefined) {
    send(pid, 'SIGTERM');
    if (!(await isGone(pidFile, withinMs))) send(pid, 'SIGKILL');
    if (!(await isGone(pidFile, 5_000))) throw new Error(`Process ${pid} cannot be ended; see ${pidFile}.`);
  }
  rmSync(pidFile, { force: true });
  return pid !== undefined;
}

/** Waits until the process of a pid file has ended. */
export async function isGone(pidFile: string, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (readPidFile(pidFile) !== undefined) {
    if (performance.now() > deadline) return false;
    await sleep(50);
  }
  return true;
}

/** SIGTERM goes to the program, which knows best what to do with its children; SIGKILL to its whole group. */
function send(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(signal === 'SIGKILL' ? -pid : pid, signal);
  } catch (error) {
    // It ended by itself in the meantime.
    if (!(error instanceof Error) || (error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** One older log is kept, so that a program that talks much does not fill the disk over many starts. */
function keepShort(logFile: string): void {
  if (sizeOf(logFile) > MAX_LOG_BYTES) renameSync(logFile, `${logFile}.1`);
}
