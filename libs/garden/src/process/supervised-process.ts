import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, open, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { RiveraError } from '#rivera/models';
import type { ContainerProcess, ProcessExit, ProcessOutput, ProcessSignal } from '../container.js';
import { ProcessInput, refuseResize } from '../process-input.js';
import type { HostUser } from './host-user.js';
import { OutputFollower } from './output-follower.js';
import { readPipes } from './piped-output.js';
import { isAlive, kill, processesOfSessions, processesWithEnvironment, readStat } from './proc.js';
import { readIfThere } from './read-if-there.js';

const ADOPTED_POLL_MS = 100;
const KILLED = 128 + 9;

/**
 * The parent of each process: it writes the exit status to a file, so that it is known even when no agent was there.
 * It handles the signals its process group gets, to outlive its child; what the child does about them is untouched.
 * The shell's own stderr is closed because it would comment on how its child ended.
 *
 * Arguments: the file for the status, the limit of open files or '', the program, its arguments.
 */
const SUPERVISOR = `
trap : TERM INT HUP
status_file=$1 nofile=$2
shift 2
[ -z "$nofile" ] || ulimit -n "$nofile" || exit 126
exec 3>&2 2>/dev/null
"$@" 2>&3 3>&-
echo $? >"$status_file.new"
exec mv "$status_file.new" "$status_file"
`;

export interface LaunchOptions {
  /** Made for this process; holds `stdout`, `stderr`, `pid`, `exit` and `cursor`. */
  directory: string;
  program: string;
  args: string[];
  env: string[];
  cwd: string;
  nofile?: number;
  stdin?: boolean;
  user: HostUser;
  /** An entry of the environment of all processes of its container. */
  marker: string;
  /** Aborted when the garden is closed: following ends, the process goes on. */
  closed: AbortSignal;
}

/**
 * A process in its own session that goes on without the agent. All that must be known of it is in its directory. A
 * signal goes to its process group.
 */
export class SupervisedProcess implements ContainerProcess {
  readonly id: string;
  private readonly exit: Promise<ProcessExit>;

  private constructor(
    private readonly options: { directory: string; pid: number; startTime: string; marker: string },
    private readonly input: ProcessInput,
    ended: Promise<ProcessExit>,
  ) {
    this.id = basename(options.directory);
    this.exit = ended;
    this.exit.catch(() => undefined);
  }

  /** Starts a process; rejects with `internal` when the operating system refuses. */
  static async launch(options: LaunchOptions, output: ProcessOutput): Promise<SupervisedProcess> {
    const { directory, user } = options;
    await mkdir(directory, { recursive: true });
    if (user.uid !== undefined) await chown(directory, user.uid, user.gid ?? user.uid);
    const [stdout, stderr] = await Promise.all(
      ['stdout', 'stderr'].map((name) => open(join(directory, name), 'a')),
    );
    // Files outlive the agent; pipes make the process wait for whoever reads.
    const isPiped = output.ready !== undefined;
    const child = spawn(
      '/bin/sh',
      [
        '-c',
        SUPERVISOR,
        'rivera',
        join(directory, 'exit'),
        `${options.nofile ?? ''}`,
        options.program,
        ...options.args,
      ],
      {
        detached: true,
        cwd: options.cwd,
        env: Object.fromEntries(options.env.map(splitEntry)),
        stdio: [
          options.stdin ? 'pipe' : 'ignore',
          ...(isPiped ? (['pipe', 'pipe'] as const) : [stdout!.fd, stderr!.fd]),
        ],
        ...user,
      },
    );
    // At once: what nobody reads of a child that has ended is thrown away.
    const piped = isPiped ? readPipes(child, output) : undefined;
    piped?.catch(() => undefined);
    const ended = once(child, 'exit').then(() => undefined);
    ended.catch(() => undefined);
    try {
      await once(child, 'spawn');
    } catch (error) {
      throw new RiveraError(
        'internal',
        `The process ${options.program} could not be started: ${String(error)}.`,
      );
    } finally {
      await Promise.all([stdout?.close(), stderr?.close()]);
    }
    child.unref();
    const pid = child.pid!;
    // A child that has ended is in /proc until its exit was collected, which may have happened already.
    const startTime = (await readStat(pid))?.startTime ?? '';
    await writeFile(join(directory, 'pid'), `${pid} ${startTime}`);
    return SupervisedProcess.follow({
      directory,
      pid,
      startTime,
      output,
      from: 'beginning',
      marker: options.marker,
      closed: options.closed,
      ended,
      input: child.stdin ?? undefined,
      piped,
    });
  }

  /** A process that was started earlier, perhaps by another agent, and may have ended. Undefined when there is none. */
  static async adopt(options: {
    directory: string;
    marker: string;
    output: ProcessOutput;
    from: 'beginning' | 'cursor';
    closed: AbortSignal;
  }): Promise<SupervisedProcess | undefined> {
    const identity = await readIdentity(options.directory);
    return identity && SupervisedProcess.follow({ ...options, ...identity });
  }

  private static async follow(options: {
    directory: string;
    marker: string;
    pid: number;
    startTime: string;
    output: ProcessOutput;
    from: 'beginning' | 'cursor';
    closed: AbortSignal;
    /** Resolves when our own child ended; the end of any other process is looked for. */
    ended?: Promise<void>;
    input?: Writable;
    /** Resolves when the output was read from pipes; absent: it is in files. */
    piped?: Promise<void>;
  }): Promise<SupervisedProcess> {
    const { directory, marker, pid, startTime, closed, piped } = options;
    const follower = piped ? { finish: () => piped } : await OutputFollower.start(options);
    piped?.catch(() => undefined);
    const waitForEnd = async (): Promise<ProcessExit> => {
      if (options.ended) await Promise.race([options.ended, aborted(closed)]);
      else
        // Whoever cannot look does not know that it has ended.
        while (!closed.aborted && (await isRunning(directory, pid, startTime).catch(() => true)))
          await sleep(ADOPTED_POLL_MS);
      await follower.finish();
      closed.throwIfAborted();
      return exitOf(directory);
    };
    return new SupervisedProcess(
      { directory, pid, startTime, marker },
      new ProcessInput(options.input),
      waitForEnd(),
    );
  }

  wait(): Promise<ProcessExit> {
    return this.exit;
  }

  write(chunk: Buffer): Promise<void> {
    return this.input.write(chunk);
  }

  closeInput(): void {
    this.input.close();
  }

  resize(): Promise<void> {
    return refuseResize();
  }

  async signal(signal: ProcessSignal): Promise<void> {
    const { directory, pid, startTime } = this.options;
    if (await isRunning(directory, pid, startTime)) kill(-pid, signal);
    else if (signal === 'SIGKILL') await this.killSession();
  }

  /** Its number may be somebody else's by now, so that what is left of its session is told by its container's marker. */
  private async killSession(): Promise<void> {
    const left = await processesOfSessions(new Set([this.options.pid]));
    if (left.length === 0) return;
    const ours = new Set(await processesWithEnvironment(this.options.marker));
    for (const { pid } of left) if (ours.has(pid)) kill(pid, 'SIGKILL');
  }
}

/** How the process of a directory is: not begun, running, or ended. */
export async function processState(directory: string): Promise<ProcessExit | 'running' | undefined> {
  const identity = await readIdentity(directory);
  if (!identity) return undefined;
  return (await isRunning(directory, identity.pid, identity.startTime)) ? 'running' : exitOf(directory);
}

export async function readIdentity(
  directory: string,
): Promise<{ pid: number; startTime: string } | undefined> {
  const text = await readIfThere(join(directory, 'pid'));
  if (!text) return undefined;
  const [pid, startTime] = text.split(' ');
  return { pid: Number(pid), startTime: startTime ?? '' };
}

async function isRunning(directory: string, pid: number, startTime: string): Promise<boolean> {
  return (await readStatus(directory)) === undefined && isAlive(pid, startTime);
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

/** Without a status the supervisor was killed with its group. */
async function exitOf(directory: string): Promise<ProcessExit> {
  return { status: (await readStatus(directory)) ?? KILLED, outOfMemory: false };
}

async function readStatus(directory: string): Promise<number | undefined> {
  const text = (await readIfThere(join(directory, 'exit'))) ?? '';
  return text === '' ? undefined : Number(text);
}

function splitEntry(entry: string): [string, string] {
  const end = entry.indexOf('=');
  return end < 0 ? [entry, ''] : [entry.slice(0, end), entry.slice(end + 1)];
}
