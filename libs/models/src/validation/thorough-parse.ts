import { plainToInstance } from 'class-transformer';
import { type ValidatorOptions, validateSync } from 'class-validator';
import { isRecord } from './checks.js';
import type { Class } from './class-plan.js';
import { withFaultBudget } from './fault-budget.js';
import { flattenErrors } from './flatten-errors.js';
import { invalidRequest } from './invalid-request.js';
import { rememberRules } from './remember-rules.js';
import { structuralComplaint } from './structure.js';

rememberRules();

const OPTIONS: ValidatorOptions = {
  whitelist: true,
  forbidNonWhitelisted: true,
  forbidUnknownValues: true,
  validationError: { target: false, value: false },
};

/**
 * Removes fields that are declared but not set: with the class fields of today's JavaScript they would be properties
 * of their own with the value `undefined`.
 */
function stripUndefined(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    value.forEach(stripUndefined);
    return;
  }
  const record = value as Record<string, unknown>;
  for (const key of Object.keys(record)) {
    if (record[key] === undefined) delete record[key];
    else stripUndefined(record[key]);
  }
}

/**
 * `parse` by class-transformer and class-validator themselves: the reference for what is accepted, and the only place
 * where faults get their words.
 */
export function thoroughParse<T extends object>(
  type: Class<T>,
  input: unknown,
  { transforms = false }: { transforms?: boolean } = {},
): T {
  if (!isRecord(input)) {
    throw invalidRequest([{ field: '', rule: 'isObject', message: 'The body must be a JSON object.' }]);
  }
  const complaint = structuralComplaint(input, (type as { maxJsonValues?: number }).maxJsonValues);
  if (complaint !== undefined) throw invalidRequest([complaint]);
  // Request bodies use only @Type; without the other decorators class-transformer takes half the time.
  const instance = plainToInstance(type, input, { ignoreDecorators: !transforms });
  const errors = withFaultBudget(() => validateSync(instance, OPTIONS));
  if (errors.length > 0) throw invalidRequest(flattenErrors(errors));
  stripUndefined(instance);
  return instance;
}
