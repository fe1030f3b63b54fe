import type { RiveraError } from '#rivera/models';

/** Connection errors after which the server certainly has not seen the request. */
const UNSENT_CODES = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

export interface AttemptOutcome {
  /** The server may have seen the request. */
  sent: boolean;
  /** The same request may fare better in a moment. */
  transient: boolean;
  /** The server is away or cannot do its work, which another one might. */
  isOfServer?: boolean;
  /** The server's own wish. */
  retryAfterMs?: number;
}

/** Why one attempt failed and what that allows; never leaves this lib (callers see `error`). */
export class FailedAttempt extends Error {
  override readonly name = 'FailedAttempt';
  readonly sent: boolean;
  readonly transient: boolean;
  readonly isOfServer: boolean;
  readonly retryAfterMs?: number;

  constructor(
    readonly error: RiveraError,
    outcome: AttemptOutcome,
  ) {
    super(error.message);
    this.sent = outcome.sent;
    this.transient = outcome.transient;
    this.isOfServer = outcome.isOfServer ?? false;
    this.retryAfterMs = outcome.retryAfterMs;
  }
}

/** Whether it failed before there was a connection. */
export function isUnsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && UNSENT_CODES.has(String(error.code));
}

/** A Retry-After header in milliseconds: it holds seconds or a date (RFC 9110, 10.2.3). */
export function retryAfterMs(header: string | undefined, now = Date.now()): number | undefined {
  if (header === undefined || header.trim() === '') return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
