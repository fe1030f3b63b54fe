import { ValidateBy, ValidateIf, registerDecorator } from 'class-validator';

/**
 * What is wrong with a value, as the end of a sentence (`must be an integer`), or nothing. A complaint about a part of
 * the value starts with the path to it: `[2] must be an integer`, `.volumeId is missing`. A list holds several.
 */
export type Complaint = string | string[] | undefined;

/** Decides about one value. Pure: it is called a second time to word the message. */
export type Check = (value: unknown) => Complaint;

/** A check of a value without parts: at most one thing can be wrong. */
export type ScalarCheck = (value: unknown) => string | undefined;

/** Nothing is wrong. */
export const isFine = (complaint: Complaint): boolean =>
  complaint === undefined || (Array.isArray(complaint) && complaint.length === 0);

function sentences(subject: string, complaint: Complaint): string {
  return [complaint ?? []]
    .flat()
    .map((words) => (/^[.[]/.test(words) ? `${subject}${words}` : `${subject} ${words}`))
    .join('\n');
}

/** A property decorator from a check. `name` is what clients see as the rule; it is stable. */
export function propertyRule(
  name: string,
  check: (value: unknown, owner: object) => Complaint,
): PropertyDecorator {
  const complain = (value: unknown, owner: object): Complaint => {
    const complaint = check(value, owner);
    return value === undefined && !isFine(complaint) ? `is missing; it ${[complaint].flat()[0]}` : complaint;
  };
  return ValidateBy({
    name,
    validator: {
      validate: (value, args) => isFine(complain(value, args?.object ?? {})),
      defaultMessage: (args) =>
        args === undefined ? name : sentences(args.property, complain(args.value, args.object)),
    },
  });
}

/** Marks what `objectRule` registers: class-validator knows rules of properties only. */
export const OBJECT_RULE_MARK = '*';

/**
 * A class decorator for rules that look at several fields of one object; they are kept even where the fields themselves
 * are absent. `subject` keeps two rules of the same name apart.
 */
export function objectRule<T extends object>(
  name: string,
  check: (owner: T) => Complaint,
  subject = '',
): (target: new () => T) => void {
  const propertyName = `${OBJECT_RULE_MARK}${name}(${subject})`;
  // A real field of that name would pass as known, so it has to be refused here.
  const complain = (owner: T): Complaint =>
    Object.hasOwn(owner, propertyName) ? `.${propertyName} is not a field` : check(owner);
  return (target) =>
    registerDecorator({
      name,
      target,
      propertyName,
      validator: {
        validate: (_value, args) => args === undefined || isFine(complain(args.object as T)),
        defaultMessage: (args) =>
          args === undefined ? name : sentences(args.property, complain(args.object as T)),
      },
    });
}

/** The field may be left out. `null` is not the same as leaving it out and is refused. */
export function Optional(): PropertyDecorator {
  return ValidateIf((_owner, value) => value !== undefined);
}
