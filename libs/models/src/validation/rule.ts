import {
  type ValidationArguments,
  ValidateIf,
  ValidatorConstraint,
  type ValidatorConstraintInterface,
  registerDecorator,
} from 'class-validator';
import { countFault } from './fault-budget.js';

/**
 * What is wrong with a value, as the end of a sentence (`must be an integer`), or nothing. A complaint about a part of
 * the value starts with the path to it: `[2] must be an integer`, `.volumeId is missing`. A list holds several.
 */
export type Complaint = string | string[] | undefined;

/** Decides about one value. Pure: it is called a second time to word the message. */
export type Check = (value: unknown) => Complaint;

/** A check of a value without parts: at most one thing can be wrong. */
export type ScalarCheck = (value: unknown) => string | undefined;

/** A `Check` that may look at the whole object. */
export type RuleCheck = (value: unknown, owner: object) => Complaint;

/** Nothing is wrong. */
export const isFine = (complaint: Complaint): boolean =>
  complaint === undefined || (typeof complaint === 'object' && complaint.length === 0);

function sentences(subject: string, complaint: Complaint): string {
  return [complaint ?? []]
    .flat()
    .map((words) => (/^[.[]/.test(words) ? `${subject}${words}` : `${subject} ${words}`))
    .join('\n');
}

/** A rule as class-validator knows it. Where nobody needs words, `check` alone says whether it is kept. */
export abstract class CheckRule implements ValidatorConstraintInterface {
  abstract readonly check: RuleCheck;

  validate(value: unknown, args?: ValidationArguments): boolean {
    return isFine(this.check(value, args?.object ?? {}));
  }

  /** Asked once for each fault that class-validator finds. */
  defaultMessage(args: ValidationArguments): string {
    countFault();
    const complaint = this.check(args.value, args.object);
    const isMissing = args.value === undefined && !args.property.startsWith(OBJECT_RULE_MARK);
    return sentences(args.property, isMissing ? `is missing; it ${[complaint].flat()[0]}` : complaint);
  }
}

/** class-validator wants a class for each rule, and makes the one object of it. */
function register(rule: { name: string; check: RuleCheck }, target: Function, propertyName: string): void {
  class Rule extends CheckRule {
    readonly check = rule.check;
  }
  ValidatorConstraint({ name: rule.name })(Rule);
  registerDecorator({ name: rule.name, target, propertyName, validator: Rule });
}

/** A property decorator from a check. `name` is what clients see as the rule; it is stable. */
export function propertyRule(name: string, check: Check): PropertyDecorator {
  return (target, property) => register({ name, check }, target.constructor, String(property));
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
  const checkOwner: RuleCheck = (_value, owner) =>
    Object.hasOwn(owner, propertyName) ? `.${propertyName} is not a field` : check(owner as T);
  return (target) => register({ name, check: checkOwner }, target, propertyName);
}

/** One function for all fields, so that whoever reads the decorators knows it again. */
export const isGiven = (_owner: unknown, value: unknown): boolean => value !== undefined;

/** The field may be left out. `null` is not the same as leaving it out and is refused. */
export function Optional(): PropertyDecorator {
  return ValidateIf(isGiven);
}
