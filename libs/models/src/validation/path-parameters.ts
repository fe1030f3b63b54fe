import type { FieldError } from '../errors.js';
import { cellId, domainName, guid } from './checks.js';
import { invalidRequest } from './invalid-request.js';
import type { ScalarCheck } from './rule.js';

type Requirement = (value: unknown, field: string) => string;

function requirement(rule: string, check: ScalarCheck): Requirement {
  return (value, field) => {
    const complaint = check(value);
    if (complaint === undefined) return value as string;
    const fault: FieldError = { field, rule, message: `${field} ${complaint}.` };
    throw invalidRequest([fault]);
  };
}

/**
 * Checks of what stands in the path of a request, by the rules that the same names have in a body. Each answers the value,
 * and throws RiveraError `invalid-request` with `field` (the name of the path parameter) and the rule in `details.fields`.
 */
export const requireGuid = requirement('isGuid', guid);
export const requireCellId = requirement('isCellId', cellId);
export const requireDomainName = requirement('isDomainName', domainName);
