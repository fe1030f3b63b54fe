import type { ErrorCode, FieldError } from '#rivera/models';

/** Body of every refusal (RFC 9457, `application/problem+json`). */
export interface Problem {
  /** `urn:rivera:problem:<code>`. */
  type: string;
  title: string;
  /** HTTP status. */
  status: number;
  /** Stable; what programs compare. */
  code: ErrorCode;
  /** A sentence for people. */
  detail: string;
  fields?: FieldError[];
  /** Of the request, as in the log and in the header `x-request-id` (unless the client chose that itself). */
  traceId: string;
  /** Path of the request, without its query. */
  instance: string;
}

export const PROBLEM_CONTENT_TYPE = 'application/problem+json';

/** How each code of `RiveraError` looks in HTTP. */
export const PROBLEM_TABLE: Readonly<Record<ErrorCode, { status: number; title: string }>> = {
  'invalid-request': { status: 400, title: 'Invalid request' },
  unauthenticated: { status: 401, title: 'Not authenticated' },
  forbidden: { status: 403, title: 'Not allowed' },
  'not-found': { status: 404, title: 'Not found' },
  'already-exists': { status: 409, title: 'Already exists' },
  conflict: { status: 409, title: 'Conflict' },
  'precondition-failed': { status: 412, title: 'Precondition failed' },
  'invalid-state-transition': { status: 409, title: 'Invalid state transition' },
  'running-on-different-cell': { status: 409, title: 'Running on a different cell' },
  'cannot-be-claimed': { status: 409, title: 'Cannot be claimed' },
  'cannot-be-started': { status: 409, title: 'Cannot be started' },
  'cannot-be-crashed': { status: 409, title: 'Cannot be crashed' },
  'cannot-be-failed': { status: 409, title: 'Cannot be failed' },
  'cannot-be-removed': { status: 409, title: 'Cannot be removed' },
  'cannot-be-unclaimed': { status: 409, title: 'Cannot be unclaimed' },
  'stale-epoch': { status: 409, title: 'Stale epoch' },
  fenced: { status: 409, title: 'Fenced' },
  'payload-too-large': { status: 413, title: 'Payload too large' },
  unsupported: { status: 422, title: 'Not supported' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'Internal error' },
  unavailable: { status: 503, title: 'Unavailable' },
  'cell-unreachable': { status: 504, title: 'Cell unreachable' },
  'upgrade-required': { status: 426, title: 'Upgrade required' },
};
