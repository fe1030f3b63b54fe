// Needed by @Type as soon as a class is declared, so it is loaded here, before any of them.
import 'reflect-metadata';
import { TransformationType } from 'class-transformer';
import { defaultMetadataStorage as transformations } from 'class-transformer/cjs/storage.js';
import { type MetadataStorage, ValidationTypes, getMetadataStorage } from 'class-validator';
import { CheckRule, type RuleCheck, isGiven, OBJECT_RULE_MARK } from './rule.js';

export type Class<T extends object = object> = new () => T;

type Metadata = ReturnType<MetadataStorage['getTargetValidationMetadatas']>[number];

type Condition = (owner: object, value: unknown) => boolean;

/** One field of a class, with everything its decorators say about it. */
export interface FieldPlan {
  readonly name: string;
  /** The class of the value, or of each entry of a list. */
  readonly part?: Class;
  /** The rules hold only when all of these are true. */
  readonly conditions: readonly Condition[];
  readonly rules: readonly RuleCheck[];
  /** Its rules look at the value alone, and at any value that is there. */
  readonly isSimple: boolean;
  /** It is simple, and must not be missing. */
  readonly isDemanded: boolean;
}

/** What class-transformer and class-validator would do with a plain object for this class, and nothing else. */
export interface ClassPlan {
  readonly fields: readonly FieldPlan[];
  readonly fieldOf: ReadonlyMap<string, FieldPlan>;
  readonly demanded: readonly FieldPlan[];
  /** Fields whose rules look at the whole object, and rules of the object itself. */
  readonly dependent: readonly FieldPlan[];
}

/** Thrown, and caught, where a class uses something that a plan cannot say. */
class NotPlannable extends Error {}

/**
 * The plan of a class, read from the metadata that its decorators left. Undefined when the class uses anything that is
 * not known here to be done exactly as the two libraries do it: such a class is parsed by them alone.
 */
export function planOf(type: Class): ClassPlan | undefined {
  try {
    return plan(type);
  } catch (error) {
    if (error instanceof NotPlannable) return undefined;
    throw error;
  }
}

function plan(type: Class): ClassPlan {
  if (
    transformations.getStrategy(type) !== 'none' ||
    transformations.getExposedMetadatas(type).length > 0 ||
    transformations.getExcludedMetadatas(type).length > 0
  )
    throw new NotPlannable();
  const storage = getMetadataStorage();
  const rules = storage.groupByPropertyName(storage.getTargetValidationMetadatas(type, '', false, false));
  const declared = declaredFields(type);
  // A field without any decorator is an unknown field to class-validator; without a single rule everything is refused.
  if (Object.keys(rules).length === 0 || declared.some((name) => rules[name] === undefined))
    throw new NotPlannable();
  const names = [...new Set([...declared, ...Object.keys(rules)])];
  const fields = names.map((name) => fieldPlan(type, name, rules[name] ?? []));
  return {
    fields,
    fieldOf: new Map(fields.map((field) => [field.name, field])),
    demanded: fields.filter(({ isDemanded }) => isDemanded),
    dependent: fields.filter(({ isSimple }) => !isSimple),
  };
}

/** The class fields of a new instance. A value that the constructor sets is beyond a plan. */
function declaredFields(type: Class): string[] {
  const blank = new type();
  return Reflect.ownKeys(blank).map((key) => {
    if (typeof key === 'symbol' || Reflect.get(blank, key) !== undefined) throw new NotPlannable();
    return key;
  });
}

function fieldPlan(type: Class, name: string, metadata: readonly Metadata[]): FieldPlan {
  // Methods and accessors, those of Object.prototype too: class-transformer passes over fields that are named like them.
  const isInherited = name in type.prototype;
  const isTransformed =
    transformations.findTransformMetadatas(type, name, TransformationType.PLAIN_TO_CLASS).length > 0;
  if (isInherited || isTransformed) throw new NotPlannable();
  const kinds = new Map<string, Metadata[]>();
  for (const each of metadata) kinds.set(each.type, [...(kinds.get(each.type) ?? []), each]);
  const take = (kind: string): Metadata[] => {
    const taken = kinds.get(kind) ?? [];
    kinds.delete(kind);
    return taken;
  };

  const conditions = take(ValidationTypes.CONDITIONAL_VALIDATION).map(
    ({ constraints }) => constraints[0] as Condition,
  );
  const rules = [...take(ValidationTypes.IS_DEFINED), ...take(ValidationTypes.CUSTOM_VALIDATION)];
  const isNested = take(ValidationTypes.NESTED_VALIDATION).length > 0;
  take(ValidationTypes.WHITELIST);
  if (kinds.size > 0) throw new NotPlannable();
  const part = partOf(type, name);
  if (isNested !== (part !== undefined)) throw new NotPlannable();
  const isSimple =
    !name.startsWith(OBJECT_RULE_MARK) &&
    conditions.every((condition) => condition === isGiven) &&
    rules.every((each) => plainChecks(each) !== undefined);
  return {
    name,
    part,
    conditions,
    rules: rules.flatMap((each) => rulesOf(type, each)),
    isSimple,
    isDemanded: isSimple && rules.length > 0 && conditions.length === 0,
  };
}

/** The class that `@Type` names. */
function partOf(type: Class, name: string): Class | undefined {
  const metadata = transformations.findTypeMetadata(type, name);
  if (metadata === undefined) return undefined;
  const { typeFunction, reflectedType, options } = metadata;
  // Types that depend on the value, and lists that are not kept in plain arrays.
  const isPlain =
    typeFunction?.length === 0 && options?.discriminator === undefined && !isContainer(reflectedType);
  if (!isPlain) throw new NotPlannable();
  return typeFunction() as Class;
}

function isContainer(reflectedType: unknown): boolean {
  if (typeof reflectedType !== 'function' || reflectedType === Array) return false;
  const prototype: unknown = reflectedType.prototype;
  return (
    reflectedType === Map ||
    reflectedType === Set ||
    prototype instanceof Map ||
    prototype instanceof Set ||
    (typeof prototype === 'object' && prototype !== null && 'push' in prototype)
  );
}

/** The checks of a rule of our own; undefined for any other, and for one that holds only sometimes. */
function plainChecks({ constraintCls, each, validateIf }: Metadata): RuleCheck[] | undefined {
  if (each || validateIf !== undefined) return undefined;
  const constraints = getMetadataStorage().getTargetValidatorConstraints(constraintCls);
  const checks = constraints.map(({ instance }) =>
    instance instanceof CheckRule ? instance.check : undefined,
  );
  return checks.includes(undefined) ? undefined : (checks as RuleCheck[]);
}

function rulesOf(type: Class, metadata: Metadata): RuleCheck[] {
  const { constraintCls, constraints, each, propertyName, validateIf } = metadata;
  const plain = plainChecks(metadata);
  if (plain !== undefined) return plain;
  return getMetadataStorage()
    .getTargetValidatorConstraints(constraintCls)
    .map(({ async, instance }) => {
      if (async) throw new NotPlannable();
      const property = { targetName: type.name, property: propertyName, constraints };
      const holds = (value: unknown, whole: unknown, object: object): boolean =>
        // Whatever is not plainly true, a promise for example, is left to class-validator.
        instance.validate(value, { ...property, object, value: whole }) === true;
      return (value, owner) => {
        if (validateIf !== undefined && !validateIf(owner, value)) return undefined;
        const isKept =
          each && Array.isArray(value)
            ? value.every((entry: unknown) => holds(entry, value, owner))
            : holds(value, value, owner);
        return isKept ? undefined : 'is not certainly fine';
      };
    });
}
