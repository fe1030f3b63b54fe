import { failed, type Step, type StepResult } from './step.js';

/** Watches something while a step runs; the answer ends the watching. `complain` ends the step with these words. */
export type Guard = (complain: (message: string) => void) => () => void;

/** A step that is interrupted, and has failed with the guard's words, when the guard complains. */
export function guarded(step: Step, guard: Guard): Step {
  return {
    async perform(signal, onReady) {
      const complaint = new AbortController();
      let message: string | undefined;
      const stop = guard((words) => {
        message ??= words;
        complaint.abort();
      });
      try {
        const result: StepResult = await step.perform(AbortSignal.any([signal, complaint.signal]), onReady);
        return message === undefined || signal.aborted ? result : failed(message);
      } finally {
        stop();
      }
    },
  };
}
