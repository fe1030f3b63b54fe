import { type FieldError, RiveraError } from '../errors.js';

/** More faults than this in one request are counted, not listed. */
const MAX_LISTED_FAULTS = 100;

/** The error that lists what is wrong with a request; its message is that of the first fault. */
export function invalidRequest(faults: readonly FieldError[]): RiveraError {
  const [first] = faults;
  const rest = faults.length === 1 ? '' : ` (and ${faults.length - 1} more)`;
  return new RiveraError(
    'invalid-request',
    `The request is invalid: ${first?.message ?? 'it breaks a rule.'}${rest}`,
    {
      fields: faults.slice(0, MAX_LISTED_FAULTS),
      ...(faults.length > MAX_LISTED_FAULTS && { faults: faults.length }),
    },
  );
}
