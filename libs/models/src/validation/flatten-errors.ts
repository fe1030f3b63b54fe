import type { ValidationError } from 'class-validator';
import type { FieldError } from '../errors.js';
import { OBJECT_RULE_MARK } from './rule.js';

/** `action` + `run` → `action.run`; `ports` + `2` → `ports[2]`. */
function join(parent: string, property: string): string {
  if (/^\d+$/.test(property)) return `${parent}[${property}]`;
  return parent === '' ? property : `${parent}.${property}`;
}

/** `[2].from`, `["a b"]`: where in the property, at the start of what a rule says. */
const PATH_INTO_PROPERTY = /^(?:\[(?:\d+|"(?:[^"\\]|\\.)*")\]|\.\S+)+/;

function fieldError(rule: string, field: string, statement: string): FieldError {
  const [within = ''] = PATH_INTO_PROPERTY.exec(statement) ?? [];
  const path = `${field}${within}`.replace(/^\./, '');
  return { field: path, rule, message: `${path || 'The body'}${statement.slice(within.length)}.` };
}

function ownErrors(error: ValidationError, parent: string): FieldError[] {
  // Undefined for a value without any rules, whatever the type says.
  const property: string = error.property ?? '';
  const isAboutParent = property === '' || property.startsWith(OBJECT_RULE_MARK);
  const field = isAboutParent ? parent : join(parent, property);
  return Object.entries(error.constraints ?? {}).flatMap(([rule, message]) => {
    if (rule === 'whitelistValidation')
      return fieldError('isKnownField', field, ' is not a field that may be set here; remove it');
    if (rule === 'nestedValidation') return fieldError('isObject', field, ' must be an object');
    return message
      .split('\n')
      .map((line) =>
        fieldError(rule, field, line.startsWith(property) ? line.slice(property.length) : ` ${line}`),
      );
  });
}

function inOrderOfTree(errors: readonly ValidationError[], parent: string): FieldError[] {
  return errors.flatMap((error) => [
    ...ownErrors(error, parent),
    ...inOrderOfTree(
      error.children ?? [],
      error.property === undefined ? parent : join(parent, error.property),
    ),
  ]);
}

/**
 * class-validator's tree of errors as a flat list, in the order of the tree: the path into the body, the rule's stable
 * name, and a sentence.
 */
export function flattenErrors(errors: readonly ValidationError[]): FieldError[] {
  // A value that is no object breaks both the nested validation and the rule that says so.
  const seen = new Set<string>();
  return inOrderOfTree(errors, '').filter(({ field, rule, message }) => {
    const key = `${field}\n${rule}\n${message}`;
    return !seen.has(key) && seen.add(key);
  });
}
