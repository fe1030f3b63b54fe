import { invalidRequest } from './invalid-request.js';
import { LIMITS } from './limits.js';
import { isFitJson } from './plain-json.js';
import { structuralComplaint } from './structure.js';

/**
 * Refuses what no request may hold, whatever it is for: excessive depth or size, and field names such as `__proto__`.
 *
 * @throws RiveraError `invalid-request`
 */
export function requirePlainJson(input: unknown): void {
  const maxValues = LIMITS.jsonBulkValues;
  if (isFitJson(input, 0, { values: 1, maxValues })) return;
  const complaint = structuralComplaint(input, maxValues);
  if (complaint !== undefined) throw invalidRequest([complaint]);
}
