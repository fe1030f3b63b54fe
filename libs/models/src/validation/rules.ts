// Needed by @Type as soon as a class is declared, so it is loaded here, before any of them.
import 'reflect-metadata';
import { Type } from 'class-transformer';
import { ValidateNested } from 'class-validator';
import * as checks from './checks.js';
import type { ListOptions, TextOptions } from './checks.js';
import { LIMITS } from './limits.js';
import { objectRule, propertyRule } from './rule.js';
import type { Complaint } from './rule.js';

type ClassOf = () => new () => object;

export const IsGuid = (): PropertyDecorator => propertyRule('isGuid', checks.guid);
export const IsCellId = (): PropertyDecorator => propertyRule('isCellId', checks.cellId);
export const IsDomainName = (): PropertyDecorator => propertyRule('isDomainName', checks.domainName);
export const IsFlag = (): PropertyDecorator => propertyRule('isFlag', checks.flag);
export const IsPort = (): PropertyDecorator => propertyRule('isPort', checks.port);
export const IsRootfs = (): PropertyDecorator => propertyRule('isRootfs', checks.rootfs);

/** Text of a given size that can be handed to the operating system. */
export const IsText = (options: TextOptions): PropertyDecorator =>
  propertyRule('isText', checks.text(options));

/** A short text without a meaning of its own to Rivera; may be empty. */
export const IsLabel = (): PropertyDecorator => IsText({ max: LIMITS.nameBytes });

/** A name that must not be empty. */
export const IsName = (): PropertyDecorator => IsText({ min: 1, max: LIMITS.nameBytes });

/** A path inside a container. */
export const IsPath = (): PropertyDecorator => IsText({ min: 1, max: LIMITS.pathBytes });

export const IsInteger = (limits: { min: number; max?: number }): PropertyDecorator =>
  propertyRule('isInteger', checks.integer(limits));

export const IsOneOf = (values: readonly string[]): PropertyDecorator =>
  propertyRule('isOneOf', checks.oneOf(values));

export const IsUrl = (schemes?: readonly string[]): PropertyDecorator =>
  propertyRule('isUrl', checks.url(schemes === undefined ? {} : { schemes }));

export const IsTextList = (entry: TextOptions, list: ListOptions): PropertyDecorator =>
  propertyRule('isTextList', checks.listOf(checks.text(entry), list));

export const IsNameList = (list: ListOptions): PropertyDecorator =>
  IsTextList({ min: 1, max: LIMITS.nameBytes }, list);

export const IsPortList = (list: ListOptions): PropertyDecorator =>
  propertyRule('isPortList', checks.listOf(checks.port, list));

export const IsTextMap = (entry: TextOptions, map: { max: number }): PropertyDecorator =>
  propertyRule('isTextMap', checks.mapOf(checks.text(entry), map));

/** Checksum algorithms of Diego's downloader, in any case. */
export const IsChecksumAlgorithm = (): PropertyDecorator =>
  propertyRule('isChecksumAlgorithm', (value) =>
    checksumAlgorithm(typeof value === 'string' ? value.toLowerCase() : value),
  );

/** class-validator says what is wrong with the entries of a list, but would look through a list within the list. */
const isNoList = (value: unknown): Complaint => (Array.isArray(value) ? 'must be an object' : undefined);

const checksumAlgorithm = checks.oneOf(['md5', 'sha1', 'sha256']);

/** One object of the given class, validated by its own rules. */
export function IsPart(classOf: ClassOf): PropertyDecorator {
  return all(
    Type(classOf),
    ValidateNested(),
    // class-validator would take a list for the object itself.
    propertyRule('isObject', (value) => (checks.isRecord(value) ? undefined : 'must be an object')),
  );
}

/** A list of objects of the given class, each validated by its own rules. */
export function IsPartList(classOf: ClassOf, options: ListOptions): PropertyDecorator {
  return all(Type(classOf), ValidateNested(), propertyRule('isList', checks.listOf(isNoList, options)));
}

/** Exactly one of these fields is set. */
export function ExactlyOneOf<T extends object>(
  ...fields: (keyof T & string)[]
): (target: new () => T) => void {
  return objectRule<T>('exactlyOneOf', (owner) => {
    const given = fields.filter((field) => owner[field] !== undefined);
    if (given.length === 1) return undefined;
    return `must have exactly one of ${fields.join(', ')}; it has ${given.length === 0 ? 'none' : given.join(', ')}`;
  });
}

/** These two fields make sense only together. */
export function Together<T extends object>(
  one: keyof T & string,
  other: keyof T & string,
): (target: new () => T) => void {
  const check = (owner: T): Complaint => {
    if ((owner[one] === undefined) === (owner[other] === undefined)) return undefined;
    const [absent, present] = owner[one] === undefined ? [one, other] : [other, one];
    return `.${absent} is missing; it comes together with ${present}`;
  };
  return objectRule<T>('together', check, `${one},${other}`);
}

/** The first number is not above the second, where both are given. */
export function InOrder<T extends object>(
  lower: keyof T & string,
  upper: keyof T & string,
): (target: new () => T) => void {
  const check = (owner: T): Complaint => {
    const [from, to]: unknown[] = [owner[lower], owner[upper]];
    const isWrong = typeof from === 'number' && typeof to === 'number' && from > to;
    return isWrong ? `.${lower} must not be above ${upper}, but ${from} is above ${to}` : undefined;
  };
  return objectRule<T>('inOrder', check, `${lower},${upper}`);
}

function all(...decorators: PropertyDecorator[]): PropertyDecorator {
  return (target, property) => decorators.forEach((decorate) => decorate(target, property));
}
