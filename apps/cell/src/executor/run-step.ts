import type { ContainerProcess, ProcessOutput, ProcessSpec } from '#rivera/garden';
import type { LineOutput } from './log-streamer.js';
import { CANCELLED, failed, type Step, SUCCEEDED } from './step.js';

/** How long a killed process may take to disappear (Diego executor). */
const AFTER_KILL_MS = 1_000;

export interface RunStepOptions {
  spec: ProcessSpec;
  /** Name of the log stream; it begins the failure message. */
  logSource: string;
  output: LineOutput;
  launch: (spec: ProcessSpec, output: ProcessOutput) => Promise<ContainerProcess>;
  /** Time between SIGTERM and SIGKILL. */
  graceMs: number;
}

/**
 * Runs a process. Interrupted, it gets SIGTERM, after the grace period SIGKILL, and counts as cancelled whatever its
 * exit status (Diego executor, run step).
 */
export function runStep({ spec, logSource, output, launch, graceMs }: RunStepOptions): Step {
  return {
    async perform(signal, onReady) {
      if (signal.aborted) return CANCELLED;
      let process: ContainerProcess;
      try {
        process = await launch(spec, output);
      } catch (error) {
        return failed(`failed-creating-process: ${messageOf(error)}`);
      }
      onReady();
      const exited = process.wait();
      const interrupted = new Promise<'interrupted'>((resolve) => {
        if (signal.aborted) resolve('interrupted');
        signal.addEventListener('abort', () => resolve('interrupted'), { once: true });
      });
      try {
        const first = await Promise.race([exited, interrupted]);
        if (first === 'interrupted') return await endProcess(process, exited, graceMs);
        if (first.status === 0) return SUCCEEDED;
        return failed(
          `${logSource}: Exited with status ${first.status}${first.outOfMemory ? ' (out of memory)' : ''}`,
        );
      } catch (error) {
        return failed(`${logSource}: ${messageOf(error)}`);
      } finally {
        output.flush();
      }
    },
  };
}

async function endProcess(process: ContainerProcess, exited: Promise<unknown>, graceMs: number) {
  await process.signal('SIGTERM');
  if (await endsWithin(exited, graceMs)) return CANCELLED;
  await process.signal('SIGKILL');
  return (await endsWithin(exited, AFTER_KILL_MS)) ? CANCELLED : failed('process did not exit');
}

async function endsWithin(exited: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([exited.then(() => true), expired]);
  } finally {
    clearTimeout(timer);
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
