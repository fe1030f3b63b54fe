import { duration } from './duration.js';
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

/**
 * The parts of an instance, all at once: action, sidecars, health check (Diego executor). A failure interrupts the
 * others; an end without one does only when `endTogether` says so.
 */
export function group(steps: Step[], { endTogether }: { endTogether: boolean }): Step {
  return {
    async perform(signal, onReady) {
      const others = new AbortController();
      const results = await performAll(steps, AbortSignal.any([signal, others.signal]), onReady, (result) => {
        if (endTogether || result.status === 'failed') others.abort();
        return result;
      });
      const whole = joined(results);
      return whole.status === 'cancelled' && !signal.aborted ? SUCCEEDED : whole;
    },
  };
}

/** Succeeds whatever the step does, also when it is interrupted (Diego executor, try action). */
export function tryStep(step: Step): Step {
  return {
    async perform(signal, onReady) {
      await step.perform(signal, onReady);
      return SUCCEEDED;
    },
  };
}

/**
 * Interrupts the step when it takes too long, waits for its end and says so, however it ended (Diego executor, timeout
 * action).
 */
export function timeout(step: Step, timeoutMs: number): Step {
  return {
    async perform(signal, onReady) {
      const deadline = new AbortController();
      const timer = setTimeout(() => deadline.abort(), timeoutMs);
      const result = await step.perform(AbortSignal.any([signal, deadline.signal]), onReady);
      clearTimeout(timer);
      if (!deadline.signal.aborted || signal.aborted) return result;
      const detail = result.status === 'failed' && result.isUserFacing ? `; ${result.message}` : '';
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
      if (result.status !== 'succeeded' && failureMessagePrefix) {
        const detail = result.status === 'failed' && result.isUserFacing ? `: ${result.message}` : '';
        log.error(`${failureMessagePrefix}${detail}`);
      }
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

/** Messages joined by `; `; a cancelled step has nothing to say unless no other has. */
function joined(results: StepResult[]): StepResult {
  const failures = results.filter((result) => result.status === 'failed');
  if (failures.length > 0) {
    const message = failures.map((failure) => failure.message).join('; ');
    return { status: 'failed', message, isUserFacing: failures.some(({ isUserFacing }) => isUserFacing) };
  }
  const cancelled = results.filter((result) => result.status === 'cancelled');
  return cancelled.find(({ wasKilled }) => wasKilled) ?? cancelled[0] ?? SUCCEEDED;
}
