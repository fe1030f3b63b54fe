import { CANCELLED, failed, type Step, type StepResult, SUCCEEDED } from './step.js';

/** One after the other, until one does not succeed. Ready when the last one is. */
export function serial(steps: Step[]): Step {
  return {
    async perform(signal, onReady) {
      for (const [position, step] of steps.entries()) {
        if (signal.aborted) return CANCELLED;
        const result = await step.perform(signal, position === steps.length - 1 ? onReady : () => {});
        if (result.status !== 'succeeded') return result;
      }
      return SUCCEEDED;
    },
  };
}

/** All at once; waits for all, even after a failure. Ready when all are. */
export function parallel(steps: Step[]): Step {
  return {
    async perform(signal, onReady) {
      return joined(await performAll(steps, signal, onReady));
    },
  };
}

/** All at once; when one ends, even with success, the others are interrupted (Diego executor, codependent action). */
export function codependent(steps: Step[]): Step {
  return {
    async perform(signal, onReady) {
      const others = new AbortController();
      const results = await performAll(steps, AbortSignal.any([signal, others.signal]), onReady, (result) => {
        others.abort();
        return result.status === 'succeeded' ? failed('Codependent step exited') : result;
      });
      return signal.aborted && results.every(({ status }) => status === 'cancelled')
        ? CANCELLED
        : joined(results);
    },
  };
}

/** All at once; the first to end decides and interrupts the others: an instance with its sidecars and health check. */
export function group(steps: Step[]): Step {
  return {
    async perform(signal, onReady) {
      const others = new AbortController();
      let first: StepResult | undefined;
      await performAll(steps, AbortSignal.any([signal, others.signal]), onReady, (result) => {
        first ??= result;
        others.abort();
        return result;
      });
      return first ?? SUCCEEDED;
    },
  };
}

/** Succeeds whatever the step does. */
export function tryStep(step: Step): Step {
  return {
    async perform(signal, onReady) {
      const result = await step.perform(signal, onReady);
      return result.status === 'cancelled' ? result : SUCCEEDED;
    },
  };
}

/** Interrupts the step when it takes too long, waits for its end and says so (Diego executor, timeout action). */
export function timeout(step: Step, timeoutMs: number): Step {
  return {
    async perform(signal, onReady) {
      const deadline = AbortSignal.timeout(timeoutMs);
      const result = await step.perform(AbortSignal.any([signal, deadline]), onReady);
      if (!deadline.aborted || signal.aborted || result.status === 'succeeded') return result;
      const detail = result.status === 'failed' ? `; ${result.message}` : '';
      return failed(`exceeded ${duration(timeoutMs)} timeout${detail}`);
    },
  };
}

export interface ProgressMessages {
  startMessage?: string;
  successMessage?: string;
  failureMessagePrefix?: string;
}

/** Log lines around a step (Diego executor, emit-progress action). */
export function emitProgress(
  step: Step,
  { startMessage, successMessage, failureMessagePrefix }: ProgressMessages,
  log: { out(line: string): void; error(line: string): void },
): Step {
  return {
    async perform(signal, onReady) {
      if (startMessage) log.out(startMessage);
      const result = await step.perform(signal, onReady);
      if (result.status === 'succeeded' && successMessage) log.out(successMessage);
      if (result.status === 'failed' && failureMessagePrefix)
        log.error(`${failureMessagePrefix}: ${result.message}`);
      return result;
    },
  };
}

async function performAll(
  steps: Step[],
  signal: AbortSignal,
  onReady: () => void,
  onEnd: (result: StepResult) => StepResult = (result) => result,
): Promise<StepResult[]> {
  let waitingFor = steps.length;
  const oneReady = () => {
    waitingFor -= 1;
    if (waitingFor === 0) onReady();
  };
  return Promise.all(steps.map(async (step) => onEnd(await step.perform(signal, oneReady))));
}

/** Messages joined by `; `; a cancelled step has nothing to say unless all were. */
function joined(results: StepResult[]): StepResult {
  const messages = results.flatMap((result) => (result.status === 'failed' ? [result.message] : []));
  if (messages.length > 0) return failed(messages.join('; '));
  return results.find(({ status }) => status === 'cancelled') ?? SUCCEEDED;
}

/** 500 → `500ms`, 90000 → `1m30s` (the form Diego prints). */
export function duration(ms: number): string {
  if (ms < 1_000) return `${ms}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = (ms % 60_000) / 1_000;
  return `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${seconds}s`;
}
