import type { FieldError } from '#rivera/models';
import type { ValidationError } from 'class-validator';

/** class-validator's names where ours are clearer. */
const RULE_NAMES: Readonly<Record<string, string>> = {
  whitelistValidation: 'unknown-field',
  unknownValue: 'unknown-type',
};

/** Flattens class-validator's tree: one entry per broken rule, with paths such as `action.serial.actions[2].run.path`. */
export function toFieldErrors(errors: readonly ValidationError[]): FieldError[] {
  return errors.flatMap((error) => collect(error, error.property));
}

function collect(error: ValidationError, path: string): FieldError[] {
  const own = Object.entries(error.constraints ?? {}).map(([rule, message]) =>
    toFieldError(path, rule, message),
  );
  const isList = Array.isArray(error.value);
  const inner = (error.children ?? []).flatMap((child) => collect(child, pathTo(child, path, isList)));
  return [...own, ...inner];
}

function pathTo({ property }: ValidationError, parent: string, isList: boolean): string {
  // An object of a class without rules is reported as a child without a name.
  if (property === undefined) return parent;
  return isList ? `${parent}[${property}]` : `${parent}.${property}`;
}

function toFieldError(field: string, constraint: string, message: string): FieldError {
  const rule = RULE_NAMES[constraint] ?? kebabCase(constraint);
  return { field, rule, message: rule === 'unknown-field' ? `${field} is not a known field` : message };
}

function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
