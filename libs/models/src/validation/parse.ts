import { plainToInstance } from 'class-transformer';
import { type ValidatorOptions, validateSync } from 'class-validator';
import { type FieldError, RiveraError } from '../errors.js';
import { isRecord } from './checks.js';
import { fastParse } from './fast-parse.js';
import { flattenErrors } from './flatten-errors.js';
import { rememberRules } from './remember-rules.js';
import { structuralComplaint } from './structure.js';

rememberRules();

/** More faults than this in one request are counted, not listed. */
const MAX_LISTED_FAULTS = 100;

const OPTIONS: ValidatorOptions = {
  whitelist: true,
  forbidNonWhitelisted: true,
  forbidUnknownValues: true,
  validationError: { target: false, value: false },
};

function invalid(faults: FieldError[]): RiveraError {
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
 * Refuses what no request may hold, whatever it is for: excessive depth or size, and field names such as `__proto__`.
 *
 * @throws RiveraError `invalid-request`
 */
export function requirePlainJson(input: unknown): void {
  const complaint = structuralComplaint(input);
  if (complaint !== undefined) throw invalid([complaint]);
}

/**
 * Turns what came from outside into an instance of a request class, or says everything that is wrong with it at once.
 * The input is not changed. Fields that the class does not know are refused; so is `null` where a value may be left out.
 * `transforms`: the class has `@Transform` rules, as query parameters need, which arrive as text.
 *
 * @throws RiveraError `invalid-request` with `details.fields`: path, rule and message of each fault (at most 100;
 *   `details.faults` counts them when there are more). Nothing else is thrown, whatever the input.
 */
export function parse<T extends object>(
  type: new () => T,
  input: unknown,
  { transforms = false }: { transforms?: boolean } = {},
): T {
  const fine = transforms ? undefined : fastParse(type, input);
  if (fine !== undefined) return fine;
  if (!isRecord(input)) {
    throw invalid([{ field: '', rule: 'isObject', message: 'The body must be a JSON object.' }]);
  }
  requirePlainJson(input);
  // Request bodies use only @Type; without the other decorators class-transformer takes half the time.
  const instance = plainToInstance(type, input, { ignoreDecorators: !transforms });
  const errors = validateSync(instance, OPTIONS);
  if (errors.length > 0) throw invalid(flattenErrors(errors));
  stripUndefined(instance);
  return instance;
}
