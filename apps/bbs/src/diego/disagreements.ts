import { type Error as WireError, ErrorType, MalformedMessage } from '#rivera/diego-wire';
import { type ErrorCode, type ErrorDetails, RiveraError } from '#rivera/models';
import { type Principal, SCOPES } from '#rivera/platform';

/**
 * Everything in which the wire API answers otherwise than the JSON API would, as Diego's clients expect it. What they agree
 * on is in the services and in libs/lifecycle.
 */
export const DISAGREEMENTS = {
  /** Error code → Diego's number, and Diego's text where it has a fixed one. Clients compare the number only. */
  errors: {
    'invalid-request': { type: ErrorType.InvalidRequest },
    unauthenticated: { type: ErrorType.UnknownError },
    forbidden: { type: ErrorType.UnknownError },
    'not-found': { type: ErrorType.ResourceNotFound, text: 'the requested resource could not be found' },
    'already-exists': { type: ErrorType.ResourceExists, text: 'the requested resource already exists' },
    conflict: { type: ErrorType.Deadlock, text: 'the request failed due to deadlock' },
    'precondition-failed': {
      type: ErrorType.ResourceConflict,
      text: 'the requested resource is in a conflicting state',
    },
    'invalid-state-transition': { type: ErrorType.InvalidStateTransition },
    'running-on-different-cell': { type: ErrorType.RunningOnDifferentCell },
    'cannot-be-claimed': { type: ErrorType.ActualLRPCannotBeClaimed, text: 'cannot claim actual LRP' },
    'cannot-be-started': { type: ErrorType.ActualLRPCannotBeStarted, text: 'cannot start actual LRP' },
    'cannot-be-crashed': { type: ErrorType.ActualLRPCannotBeCrashed, text: 'cannot crash actual LRP' },
    'cannot-be-failed': { type: ErrorType.ActualLRPCannotBeFailed, text: 'cannot fail actual LRP' },
    'cannot-be-removed': { type: ErrorType.ActualLRPCannotBeRemoved, text: 'cannot remove actual LRP' },
    'cannot-be-unclaimed': { type: ErrorType.ActualLRPCannotBeUnclaimed, text: 'cannot unclaim actual LRP' },
    'stale-epoch': { type: ErrorType.ResourceConflict },
    fenced: { type: ErrorType.ResourceConflict },
    'payload-too-large': { type: ErrorType.InvalidRequest },
    'too-many-requests': { type: ErrorType.UnknownError },
    unsupported: { type: ErrorType.InvalidRequest },
    unavailable: { type: ErrorType.UnknownError },
    'cell-unreachable': { type: ErrorType.UnknownError },
    'upgrade-required': { type: ErrorType.InvalidRequest },
    internal: { type: ErrorType.UnknownError, text: 'the request failed for an unknown reason' },
  } satisfies Record<ErrorCode, { type: ErrorType; text?: string }> as Record<
    ErrorCode,
    { type: ErrorType; text?: string }
  >,

  /** Rejecting a task that has ended is an invalid request to Diego, not an invalid transition. */
  rejectOfEndedTask: { 'invalid-state-transition': { type: ErrorType.InvalidRequest } },

  /** To Diego only a task whose result somebody is handling may be deleted; Rivera's API deletes any that has ended. */
  deletableTask: 'RESOLVING',

  /** What a cell that leaves does with its container when its request cannot be read. */
  keepContainerOfUnreadable: { claimed: true, running: true, crashed: false, stopped: false },

  /** A start without `routable` comes from a cell of old, whose instances were all routable. */
  routableOfOldCells: true,

  /** Whoever has a certificate of our authority may do everything, in every domain. */
  principal: {
    subject: 'diego-wire',
    scopes: SCOPES.filter((scope) => scope !== 'cell'),
  } satisfies Principal as Principal,
} as const;

/** Error numbers of one route that differ from those of the table. */
export type ErrorOverrides = Partial<Record<ErrorCode, { type: ErrorType; text?: string }>>;

const UNREADABLE = 'the request received is invalid';

/** The error as Diego's clients know it. Undefined: none of ours, and so a fault. */
export function wireErrorOf(error: unknown, overrides: ErrorOverrides = {}): WireError | undefined {
  if (error instanceof MalformedMessage) return { type: ErrorType.InvalidRequest, message: UNREADABLE };
  if (!(error instanceof RiveraError)) return undefined;
  const { type, text } = overrides[error.code] ?? DISAGREEMENTS.errors[error.code];
  return { type: type || undefined, message: text ?? complaints(error.details) ?? error.message };
}

export function faultError(): WireError {
  const { type, text } = DISAGREEMENTS.errors.internal;
  return { type: type || undefined, message: text };
}

/** A request in which this field, by Diego's name, is missing or wrong. */
export function invalidField(field: string, message = 'must not be missing'): RiveraError {
  return new RiveraError('invalid-request', `The request is invalid: ${field} ${message}.`, {
    fields: [{ field, rule: 'wire', message }],
  });
}

/** `Invalid field: process_guid, Invalid field: …` (Diego BBS §1.1). */
function complaints({ fields }: ErrorDetails): string | undefined {
  if (fields === undefined || fields.length === 0) return undefined;
  return fields.map(({ field }) => `Invalid field: ${diegoName(field)}`).join(', ');
}

/** `action.run.resourceLimits` → `resource_limits`; Diego names the last part only. */
function diegoName(path: string): string {
  const last =
    path
      .replaceAll(/\[[^\]]*\]/g, '')
      .split('.')
      .at(-1) ?? path;
  return last.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
