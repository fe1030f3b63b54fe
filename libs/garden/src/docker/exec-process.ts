import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { RiveraError } from '#rivera/models';
import type {
  ContainerProcess,
  ProcessExit,
  ProcessOutput,
  ProcessSignal,
  ProcessSpec,
  WindowSize,
} from '../container.js';
import { withUser } from '../environment.js';
import { ProcessInput, refuseResize } from '../process-input.js';
import { engineUser, SANDBOX_BUSYBOX } from './container-options.js';
import { demultiplex } from './demultiplexer.js';
import { asking, askingUnless, engineError, isStreamBroken } from './engine-error.js';
import type { Engine } from './engine.js';
import { EXEC_SCRIPT } from './exec-script.js';
import { wasOutOfMemory } from './out-of-memory.js';
import { persistently } from './persistently.js';
import { StartGate } from './start-gate.js';

const FIRST_POLL_MS = 10;
/** Of a process whose output was lost sight of and that goes on. */
const LONGEST_POLL_MS = 500;

export interface ExecOptions {
  engine: Engine;
  containerId: string;
  handle: string;
  spec: ProcessSpec;
  output: ProcessOutput;
  /** Aborted when the garden is closed: following ends, the process goes on. */
  closed: AbortSignal;
}

/** A process added to a running container, which must have the sandbox's busybox. */
export class ExecProcess implements ContainerProcess {
  private hasEnded = false;
  private readonly exit: Promise<ProcessExit>;

  private constructor(
    private readonly options: ExecOptions,
    private readonly exec: Docker.Exec,
    private readonly pid: number,
    private readonly input: ProcessInput,
    ended: Promise<ProcessExit>,
  ) {
    this.exit = ended.finally(() => {
      this.hasEnded = true;
      options.engine.execs.delete(exec.id);
    });
    this.exit.catch(() => undefined);
  }

  get id(): string {
    return this.exec.id;
  }

  /** Resolves when the program runs; rejects with the engine's or the shell's words when it could not be started. */
  static async start(options: ExecOptions): Promise<ExecProcess> {
    const { engine, spec, output } = options;
    const token = randomUUID();
    const startedAtMs = Date.now();
    const what = `The process ${spec.path} could not be started in container ${options.handle}`;
    const exec = await asking(what, () => createExec(options, token));
    engine.execs.add(exec.id);
    const stream = await asking(what, () =>
      engine.streams
        .getExec(exec.id)
        .start({ hijack: true, stdin: spec.stdin ?? false, Tty: spec.tty ?? false }),
    );
    const input = new ProcessInput(spec.stdin ? stream : undefined);
    const gate = new StartGate(token, output, { tty: spec.tty ?? false });
    const delivered = demultiplex(stream, gate, { raw: spec.tty }).catch((error: unknown) => {
      // What it writes from here on cannot be had again; how it ends can.
      if (gate.hasOpened && isStreamBroken(error)) return;
      throw engineError(error, `The process ${spec.path} of container ${options.handle} was lost sight of`);
    });
    const pid = await Promise.race([gate.opened, delivered.then(() => undefined)]);
    if (pid === undefined && !gate.hasOpened) throw failedStart(what, gate.held);
    const ended = delivered.then(() => exitOf({ ...options, exec, startedAtMs }));
    const process = new ExecProcess(options, exec, pid ?? (await gate.opened), input, ended);
    if (spec.tty && spec.windowSize) await process.resize(spec.windowSize);
    return process;
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

  async resize({ columns, rows }: WindowSize): Promise<void> {
    if (!this.options.spec.tty) return refuseResize();
    // 404, 409, 500: it has just ended, and the engine is not of one mind about how to say so.
    await askingUnless([404, 409, 500], `The terminal of process ${this.id} could not be resized`, () =>
      this.exec.resize({ w: columns, h: rows }),
    );
  }

  /** SIGKILL takes the whole session, so that nothing that holds the output open stays behind. */
  async signal(signal: ProcessSignal): Promise<void> {
    if (this.hasEnded) {
      // Its number on the host may be somebody else's by now; inside, it is its session's as long as that has members.
      if (signal === 'SIGKILL') await this.signalInside(-this.pid, signal);
      return;
    }
    const sign = signal === 'SIGKILL' ? -1 : 1;
    const state = await askingUnless([404], `The process ${this.id} could not be looked up`, () =>
      this.exec.inspect(),
    );
    if (!state) return;
    if (await signalOnHost(state.Pid * sign, this.options.containerId, signal)) return;
    await this.signalInside(this.pid * sign, signal);
  }

  /** Through the container, for an engine on another host or in another process namespace. */
  private async signalInside(pid: number, signal: string): Promise<void> {
    const { engine, containerId } = this.options;
    const what = `The signal ${signal} could not be sent to process ${this.id}`;
    await askingUnless([404, 409], what, async () => {
      const kill = await engine.api.getContainer(containerId).exec({
        Cmd: [SANDBOX_BUSYBOX, 'kill', `-${signal.slice('SIG'.length)}`, `${pid}`],
        User: '0',
        AttachStdout: true,
        AttachStderr: true,
      });
      // "No such process" is the expected failure: it has already ended.
      for await (const chunk of await kill.start({ hijack: true, stdin: false })) void chunk;
    });
  }
}

/**
 * Ends what an earlier agent has added to a container and can no longer follow: a check or a session goes on without its
 * client. What cannot be reached from here is left.
 */
export async function endForgottenExecs(
  engine: Engine,
  containerId: string,
  execIds: readonly string[],
): Promise<void> {
  const forgotten = execIds.filter((id) => !engine.execs.has(id));
  for (const id of forgotten) {
    const state = await askingUnless([404], `The process ${id} could not be looked up`, () =>
      engine.api.getExec(id).inspect(),
    );
    if (state?.Running) await signalOnHost(-state.Pid, containerId, 'SIGKILL');
  }
}

function createExec({ engine, containerId, spec }: ExecOptions, token: string): Promise<Docker.Exec> {
  const { path, args, dir = '', nofile = '' } = spec;
  return engine.api.getContainer(containerId).exec({
    Cmd: [SANDBOX_BUSYBOX, 'sh', '-c', EXEC_SCRIPT, 'rivera', token, dir, `${nofile}`, path, ...args],
    Env: withUser(spec.env, spec.user || 'root'),
    User: engineUser(spec.user),
    Tty: spec.tty ?? false,
    AttachStdin: spec.stdin ?? false,
    AttachStdout: true,
    AttachStderr: true,
  });
}

/** The code counts only once the engine says that the process is over: it may do so later than its output ends. */
async function exitOf(
  options: ExecOptions & { exec: Docker.Exec; startedAtMs: number },
): Promise<ProcessExit> {
  const { exec, engine, containerId, startedAtMs, closed } = options;
  const what = `The exit status of process ${exec.id} could not be read`;
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 2, LONGEST_POLL_MS)) {
    const state = await persistently(what, closed, () => exec.inspect());
    if (!state.Running && state.ExitCode !== null) {
      const wasKilled = state.ExitCode === 137;
      const outOfMemory =
        state.ExitCode !== 0 &&
        (await wasOutOfMemory({ engine, containerId, sinceMs: startedAtMs, wasKilled }));
      return { status: state.ExitCode, outOfMemory };
    }
    await sleep(pollMs);
  }
}

/** Whether the signal could be sent from here: the engine's process ids must be ours, which its cgroup proves. */
async function signalOnHost(pid: number, containerId: string, signal: string): Promise<boolean> {
  const cgroup = await readFile(`/proc/${Math.abs(pid)}/cgroup`, 'utf8').catch(() => '');
  if (pid === 0 || !cgroup.includes(containerId)) return false;
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

function failedStart(what: string, words: string): RiveraError {
  const code = /no such executable|no such file|unable to find user/i.test(words) ? 'not-found' : 'internal';
  return new RiveraError(code, `${what}: ${words || 'the container ended'}.`);
}
