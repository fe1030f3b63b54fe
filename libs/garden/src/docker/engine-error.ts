import { RiveraError } from '#rivera/models';
import type { ErrorCode } from '#rivera/models';

const CONNECTION_LOST = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EACCES',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
]);

/** The HTTP status the engine answered with; undefined when it did not answer. */
export function statusOf(error: unknown): number | undefined {
  const status = (error as { statusCode?: unknown } | undefined)?.statusCode;
  return typeof status === 'number' ? status : undefined;
}

/** What the engine said, without the client's decoration. */
export function messageOf(error: unknown): string {
  const body = (error as { json?: { message?: unknown } } | undefined)?.json;
  if (typeof body?.message === 'string') return body.message;
  return error instanceof Error ? error.message.trim() : String(error);
}

/** Whether the engine could not be reached or went away during the call. */
export function isConnectionLost(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return statusOf(error) === undefined && typeof code === 'string' && CONNECTION_LOST.has(code);
}

/** Whether a stream of the engine broke off, rather than ended. */
export function isStreamBroken(error: unknown): boolean {
  return isConnectionLost(error) || (error as { code?: string }).code === 'ERR_STREAM_PREMATURE_CLOSE';
}

/** A `RiveraError` for a failed call; `what` is the beginning of its sentence. */
export function engineError(error: unknown, what: string): RiveraError {
  if (error instanceof RiveraError) return error;
  return new RiveraError(codeOf(error), `${what}: ${messageOf(error)}.`.replace(/\.+$/, '.'));
}

/** Runs a call of the client and gives its failure the shape of this project. */
export async function asking<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw engineError(error, what);
  }
}

/** The same, with some statuses of the engine taken as the outcome `undefined`. */
export async function askingUnless<T>(
  statuses: number[],
  what: string,
  call: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (statuses.includes(statusOf(error) ?? 0)) return undefined;
    throw engineError(error, what);
  }
}

function codeOf(error: unknown): ErrorCode {
  if (isConnectionLost(error) || statusOf(error) === 503) return 'unavailable';
  if (statusOf(error) === 404) return 'not-found';
  if (/no such file or directory|executable file not found|no such executable/.test(messageOf(error)))
    return 'not-found';
  if (/storage-opt is supported only/.test(messageOf(error))) return 'unsupported';
  return 'internal';
}
