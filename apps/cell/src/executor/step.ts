/** How a step ended. A cancelled step was interrupted from outside and says nothing about the program. */
export type StepResult =
  | { status: 'succeeded' }
  | {
      status: 'failed';
      message: string;
      /** For the client's eyes: an action around this one may quote it. */
      isUserFacing: boolean;
    }
  | {
      status: 'cancelled';
      /** Its process did not heed SIGTERM. */
      wasKilled?: boolean;
    };

export const SUCCEEDED: StepResult = { status: 'succeeded' };
export const CANCELLED: StepResult = { status: 'cancelled' };
export const KILLED: StepResult = { status: 'cancelled', wasKilled: true };

export function failed(message: string): StepResult {
  return { status: 'failed', message, isUserFacing: true };
}

/** A failure whose words are for the crash or failure reason only, not for the client's log. */
export function failedInternally(message: string): StepResult {
  return { status: 'failed', message, isUserFacing: false };
}

/**
 * Something a container does. `perform` resolves when it has ended, always: an aborted signal makes it end soon, and
 * whatever goes wrong is a result. It calls `onReady` once when what it started is up.
 */
export interface Step {
  perform(signal: AbortSignal, onReady: () => void): Promise<StepResult>;
}

/** Where a step says what it does. */
export interface StepLog {
  out(line: string): void;
  error(line: string): void;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
