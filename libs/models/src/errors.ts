/** Every way Rivera says no. The code is stable; the text may be improved. */
export const ERROR_CODES = [
  'invalid-request',
  'unauthenticated',
  'forbidden',
  'not-found',
  'already-exists',
  'conflict',
  'precondition-failed',
  'invalid-state-transition',
  'running-on-different-cell',
  'cannot-be-claimed',
  'cannot-be-started',
  'cannot-be-crashed',
  'cannot-be-failed',
  'cannot-be-removed',
  'cannot-be-unclaimed',
  'stale-epoch',
  'fenced',
  'payload-too-large',
  'too-many-requests',
  'unsupported',
  'unavailable',
  'cell-unreachable',
  'upgrade-required',
  'internal',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** One complaint about a request: where, which rule, in words. */
export interface FieldError {
  /** Path into the body, e.g. `action.run.path` or `ports[2]`. */
  field: string;
  rule: string;
  message: string;
}

export interface ErrorDetails {
  fields?: FieldError[];
  [key: string]: unknown;
}

/** A domain error: a stable code, a sentence that says what to do next, and whether trying again can help. */
export class RiveraError extends Error {
  override readonly name = 'RiveraError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: ErrorDetails = {},
  ) {
    super(message);
  }

  /** True when the same request may succeed later without being changed. */
  get retryable(): boolean {
    return ['unavailable', 'cell-unreachable', 'too-many-requests', 'conflict'].includes(this.code);
  }
}

/** The record does not exist, e.g. `notFound('desired LRP', 'my-app')`. */
export function notFound(what: string, id: string): RiveraError {
  return new RiveraError('not-found', `There is no ${what} ${JSON.stringify(id)}.`);
}
