import { ERROR_CODES, RiveraError } from '#rivera/models';
import type { ErrorDetails } from '#rivera/models';
import type { PacketMetadata } from '@nestjs/microservices';

/** What a BullMQ job of a mailbox carries; the job's name is the message's name. Plain text in Redis: no secrets. */
export interface Envelope {
  payload: unknown;
  /** Someone waits for the return value: an error is an answer, not a reason to retry. */
  ask?: true;
  /** Out-of-band values such as a trace id, set with `setOnDispatchHook`. */
  metadata?: PacketMetadata;
}

/** What comes back for an `ask`. */
export interface Reply {
  value?: unknown;
  error?: { code: string; message: string; details: ErrorDetails };
}

export function errorReply(error: unknown): Reply {
  const problem = toError(error);
  return problem instanceof RiveraError
    ? { error: { code: problem.code, message: problem.message, details: problem.details } }
    : { error: { code: 'internal', message: problem.message, details: {} } };
}

/** The value of a reply; throws the RiveraError the actor answered with. */
export function readReply(reply: Reply | null | undefined): unknown {
  if (!reply?.error) return reply?.value;
  const { code, message, details } = reply.error;
  const known = ERROR_CODES.find((candidate) => candidate === code);
  throw new RiveraError(known ?? 'internal', message, details);
}

/** Handlers may throw anything, and Nest's exception filters may turn an error into a plain object. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  const hasMessage = typeof thrown === 'object' && thrown !== null && 'message' in thrown;
  return new Error(String(hasMessage ? thrown.message : thrown));
}
