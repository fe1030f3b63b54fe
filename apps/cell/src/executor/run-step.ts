import type { ContainerProcess, ProcessOutput, ProcessSignal } from '#rivera/garden';
import { duration } from './duration.js';
import type { LineOutput } from './log-streamer.js';
import {
  CANCELLED,
  failed,
  failedInternally,
  KILLED,
  messageOf,
  type Step,
  type StepResult,
  SUCCEEDED,
} from './step.js';

/** How long a killed process may take to disappear (Diego executor). */
const AFTER_KILL_MS = 1_000;

export interface RunStepOptions {
  /** Name of the log stream; it begins the failure message. */
  logSource: string;
  output: LineOutput;
  launch: (output: ProcessOutput) => Promise<ContainerProcess>;
  /** Time between SIGTERM and SIGKILL. */
  graceMs: number;
  /** Says nothing of its own: neither how it ended nor that it could not begin. */
  isQuiet?: boolean;
}

/**
 * Runs a process. Interrupted, it gets SIGTERM, after the grace period SIGKILL, and counts as cancelled whatever its
 * exit status; what it leaves behind is killed (Diego executor, run step).
 */
export function runStep(options: RunStepOptions): Step {
  return { perform: (signal, onReady) => new Run(options, signal).perform(onReady) };
}

class Run {
  private readonly interrupted: Promise<'interrupted'>;
  private interrupt: () => void = () => undefined;

  constructor(
    private readonly options: RunStepOptions,
    private readonly signal: AbortSignal,
  ) {
    this.interrupted = new Promise((resolve) => (this.interrupt = () => resolve('interrupted')));
    signal.addEventListener('abort', this.interrupt, { once: true });
  }

  async perform(onReady: () => void): Promise<StepResult> {
    const { output, launch } = this.options;
    if (this.signal.aborted) return CANCELLED;
    const launching = launch(output);
    try {
      const process = await Promise.race([launching, this.interrupted]);
      if (process === 'interrupted') {
        this.abandon(launching);
        return CANCELLED;
      }
      onReady();
      return await this.follow(process);
    } catch (error) {
      const message = messageOf(error);
      this.say(`failed-creating-process: ${message}`);
      return failedInternally(message);
    } finally {
      output.flush();
      this.signal.removeEventListener('abort', this.interrupt);
    }
  }

  /** Whoever interrupts does not wait for a start that hangs; a process that comes of it all the same must go. */
  private abandon(launching: Promise<ContainerProcess>): void {
    launching.then((process) => process.signal('SIGKILL')).catch(() => undefined);
  }

  private async follow(process: ContainerProcess): Promise<StepResult> {
    const { logSource } = this.options;
    const exited = process.wait();
    exited.catch(() => undefined);
    try {
      if (this.signal.aborted || (await Promise.race([exited, this.interrupted])) === 'interrupted') {
        return await this.end(process, exited);
      }
      const { status, outOfMemory } = await exited;
      const suffix = outOfMemory && status !== 0 ? ' (out of memory)' : '';
      this.say(`Exit status ${status}${suffix}`);
      return status === 0 ? SUCCEEDED : failed(`${logSource}: Exited with status ${status}${suffix}`);
    } catch (error) {
      return failed(`${logSource}: ${messageOf(error)}`);
    }
  }

  private async end(process: ContainerProcess, exited: Promise<{ status: number }>): Promise<StepResult> {
    const { graceMs } = this.options;
    await send(process, 'SIGTERM');
    const inTime = await within(exited, graceMs);
    // Also after an end in time: children of its may have stayed.
    await send(process, 'SIGKILL');
    if (inTime !== undefined) {
      this.say(`Exit status ${inTime.status}`);
      return CANCELLED;
    }
    const late = await within(exited, AFTER_KILL_MS);
    if (late === undefined) return failedInternally('process did not exit');
    this.say(`Exit status ${late.status} (exceeded ${duration(graceMs)} graceful shutdown interval)`);
    return KILLED;
  }

  private say(line: string): void {
    if (this.options.isQuiet) return;
    this.options.output.flush();
    this.options.output.stdout(Buffer.from(`${line}\n`));
  }
}

/** A signal that could not be sent is no reason to give up: the process may end by itself, or by the next signal. */
async function send(process: ContainerProcess, signal: ProcessSignal): Promise<void> {
  await process.signal(signal).catch(() => undefined);
}

async function within<T>(exited: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([exited, expired]);
  } finally {
    clearTimeout(timer);
  }
}
