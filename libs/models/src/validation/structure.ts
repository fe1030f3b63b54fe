import type { FieldError } from '../errors.js';
import { LIMITS } from './limits.js';

interface Place {
  value: unknown;
  depth: number;
  key: string | number;
  parent?: Place;
}

function pathOf(place: Place): string {
  const steps: string[] = [];
  for (let at: Place | undefined = place; at?.parent !== undefined; at = at.parent) {
    steps.push(typeof at.key === 'number' ? `[${at.key}]` : `.${at.key.slice(0, 80)}`);
  }
  // A path of a hundred levels helps nobody.
  return steps.toReversed().slice(0, 12).join('').replace(/^\./, '');
}

const complaintAt = (place: Place, rule: string, message: string): FieldError => {
  const field = pathOf(place);
  return { field, rule, message: `${field || 'The body'} ${message}.` };
};

/** What JSON can carry; `undefined` stands for a field that is not there. */
function isScalar(value: unknown): boolean {
  return (
    value === null ||
    value === undefined ||
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && Number.isFinite(value))
  );
}

/** Names that every JavaScript object has already: as field names they confuse or pollute, and no client needs them. */
const isInheritedName = (key: string): boolean => key in Object.prototype;

/**
 * Looks at the mere shape of a request before any rule reads it, without recursion, so that nothing later can be made to
 * run out of stack or time: plain JSON values only, limited depth, number of values and length of lists, and no field
 * names such as `__proto__`. Answers the first complaint.
 */
export function structuralComplaint(
  input: unknown,
  maxValues: number = LIMITS.jsonValues,
): FieldError | undefined {
  const open: Place[] = [{ value: input, depth: 0, key: '' }];
  let values = 0;
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const { value, depth } = place;
    values += 1;
    if (values > maxValues)
      return complaintAt(place, 'jsonValues', `is one of more than ${maxValues} values; send less at once`);
    if (isScalar(value)) continue;
    if (depth >= LIMITS.jsonDepth)
      return complaintAt(place, 'jsonDepth', `is nested more than ${LIMITS.jsonDepth} levels deep`);
    if (Array.isArray(value)) {
      if (value.length > LIMITS.jsonListEntries)
        return complaintAt(place, 'jsonListEntries', `must have at most ${LIMITS.jsonListEntries} entries`);
      for (let index = value.length - 1; index >= 0; index -= 1) {
        open.push({ value: value[index], depth: depth + 1, key: index, parent: place });
      }
      continue;
    }
    if (Object.prototype.toString.call(value) !== '[object Object]')
      return complaintAt(place, 'isJson', 'must be a JSON value');
    const fields = Object.entries(value as object);
    if (fields.length > LIMITS.jsonFields)
      return complaintAt(place, 'jsonFields', `must have at most ${LIMITS.jsonFields} fields`);
    for (const [key, each] of fields) {
      const child: Place = { value: each, depth: depth + 1, key, parent: place };
      if (isInheritedName(key)) return complaintAt(child, 'isFieldName', 'must not be used as a field name');
      open.push(child);
    }
  }
  return undefined;
}
