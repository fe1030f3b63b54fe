/** How a step ended. A cancelled step was interrupted from outside and says nothing about the program. */
export type StepResult =
  { status: 'succeeded' } | { status: 'failed'; message: string } | { status: 'cancelled' };

export const SUCCEEDED: StepResult = { status: 'succeeded' };
export const CANCELLED: StepResult = { status: 'cancelled' };

export function failed(message: string): StepResult {
  return { status: 'failed', message };
}

/**
 * Something a container does. `perform` resolves when it has ended, always: an aborted signal makes it end soon, and
 * whatever goes wrong is a result. It calls `onReady` once when what it started is up.
 */
export interface Step {
  perform(signal: AbortSignal, onReady: () => void): Promise<StepResult>;
}
