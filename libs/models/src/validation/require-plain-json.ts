import { invalidRequest } from './invalid-request.js';
import { LIMITS } from './limits.js';
import { structuralComplaint } from './structure.js';

/**
 * Refuses what no request may hold, whatever it is for: excessive depth or size, and field names such as `__proto__`.
 *
 * @throws RiveraError `invalid-request`
 */
export function requirePlainJson(input: unknown): void {
  const complaint = structuralComplaint(input, LIMITS.jsonBulkValues);
  if (complaint !== undefined) throw invalidRequest([complaint]);
}
