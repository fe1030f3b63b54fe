import { defaultMetadataStorage as transformations } from 'class-transformer/cjs/storage.js';
import { getMetadataStorage, type MetadataStorage, ValidationTypes } from 'class-validator';
import { type Ask, learnSchema } from './ask-rule.js';
import { type Components, type JsonSchema, ref } from './json-schema.js';

export type Class = new () => object;
type Metadata = ReturnType<MetadataStorage['getTargetValidationMetadatas']>[number];
type Condition = (owner: object) => boolean;

/** How class-validator's own decorators look as a schema; those of the models are asked. */
const BUILT_IN: Record<string, (constraint: unknown) => JsonSchema> = {
  isArray: () => ({ type: 'array' }),
  arrayMaxSize: (max) => ({ maxItems: max as number }),
};

/**
 * The schemas of request classes, read from what their decorators left: the same rules by which requests are parsed.
 * Classes within classes become components of their own. Rules about several fields that JSON Schema cannot say are
 * told in words by the server when they are broken.
 */
export class ClassSchemas {
  private readonly known = new Map<Class, JsonSchema>();

  constructor(private readonly components: Components) {}

  /** A reference to the schema of the class, which becomes a component when it is first referred to. */
  refTo(type: Class): JsonSchema {
    const schema = this.describe(type);
    const named = this.components.get(type.name);
    if (named !== undefined && named !== schema)
      throw new Error(`Two request classes are called ${type.name}.`);
    this.components.set(type.name, schema);
    return ref(type.name);
  }

  /** The schema of the class itself, for parameters and for records that hold the fields of a request. */
  describe(type: Class): JsonSchema {
    const known = this.known.get(type);
    if (known !== undefined) return known;
    const schema: JsonSchema = { type: 'object' };
    // Known before it is complete, because an action may hold actions.
    this.known.set(type, schema);
    return Object.assign(schema, this.schemaOf(type));
  }

  private schemaOf(type: Class): JsonSchema {
    const fields = fieldsOf(type);
    const entries = Object.entries(fields).filter(([name]) => !isObjectRule(name));
    const objectRules = Object.entries(fields).filter(([name]) => isObjectRule(name));
    const required = entries.filter(([, metadata]) => isRequired(metadata)).map(([name]) => name);
    return {
      properties: Object.fromEntries(
        entries.map(([name, metadata]) => [name, this.field(type, name, metadata)]),
      ),
      ...(required.length > 0 && { required }),
      additionalProperties: false,
      ...merge(objectRules.map(([name, [rule]]) => objectRuleSchema(name, rule!, fields))),
    };
  }

  private field(type: Class, name: string, metadata: Metadata[]): JsonSchema {
    const isNested = metadata.some((each) => each.type === ValidationTypes.NESTED_VALIDATION);
    const rules = metadata.filter((each) => each.type === ValidationTypes.CUSTOM_VALIDATION);
    const learned = merge(rules.map((rule) => ruleSchema(rule)));
    if (!isNested) return learned;
    const part = this.refTo(transformations.findTypeMetadata(type, name).typeFunction() as Class);
    return learned.type === 'array' ? { ...learned, items: part } : part;
  }
}

function fieldsOf(type: Class): Record<string, Metadata[]> {
  const storage = getMetadataStorage();
  return storage.groupByPropertyName(storage.getTargetValidationMetadatas(type, '', false, false));
}

/** The models keep rules about several fields under the name of no field; see their `objectRule`. */
function isObjectRule(name: string): boolean {
  return name.startsWith('*');
}

/** A field that is not validated when the object is empty may be left out. */
function isRequired(metadata: Metadata[]): boolean {
  return conditionsOf(metadata).every((condition) => condition({}));
}

function conditionsOf(metadata: Metadata[]): Condition[] {
  return metadata
    .filter(({ type }) => type === ValidationTypes.CONDITIONAL_VALIDATION)
    .map(
      ({ constraints }) =>
        (owner) =>
          (constraints as [Condition])[0](owner),
    );
}

function ruleSchema(rule: Metadata): JsonSchema {
  const builtIn = BUILT_IN[rule.name ?? ''];
  if (builtIn !== undefined) return builtIn((rule.constraints as unknown[] | undefined)?.[0]);
  return learnSchema((value) => ask(rule, value, {})) ?? {};
}

/** What the rule says, without the name of the field. */
function ask(rule: Metadata, value: unknown, object: object): string | undefined {
  const { propertyName, constraintCls } = rule;
  const args = { value, object, property: propertyName, targetName: '', constraints: [] };
  for (const { instance } of getMetadataStorage().getTargetValidatorConstraints(constraintCls)) {
    if (instance.validate(value, args) === true) continue;
    const [sentence = ''] = (instance.defaultMessage?.(args) ?? rule.name ?? '').split('\n');
    return sentence.replace(propertyName, '').trimStart();
  }
  return undefined;
}

/** Rules about several fields: those that JSON Schema can say. */
function objectRuleSchema(name: string, rule: Metadata, fields: Record<string, Metadata[]>): JsonSchema {
  const askAbout: Ask = (owner) => ask(rule, undefined, owner as object);
  const [, kind, subject = ''] = /^\*(\w+)\((.*)\)$/.exec(name) ?? [];
  if (kind === 'together') {
    const [one = '', other = ''] = subject.split(',');
    return { dependentRequired: { [one]: [other], [other]: [one] } };
  }
  if (kind === 'exactlyOneOf') {
    const [, names = ''] = /^must have exactly one of (.+); it has none$/.exec(askAbout({}) ?? '') ?? [];
    return { oneOf: names.split(', ').map((field) => ({ required: [field] })) };
  }
  return kind === 'fieldsFitType' ? { oneOf: typesOf(fields, askAbout) } : {};
}

/** One schema for each `type` that such an object can have: the fields there must be, and those there may be. */
function typesOf(fields: Record<string, Metadata[]>, askAbout: Ask): JsonSchema[] {
  const { type = [], ...others } = Object.fromEntries(
    Object.entries(fields).filter(([name]) => !isObjectRule(name)),
  );
  const types = merge(type.map(ruleSchema)).enum as string[];
  return types.map((type) => {
    const allowed = Object.keys(others).filter((field) => askAbout({ type, [field]: null }) === undefined);
    const isNeeded = (field: string) =>
      conditionsOf(others[field] ?? []).every((condition) => condition({ type }));
    return {
      title: type,
      properties: { type: { const: type }, ...Object.fromEntries(allowed.map((field) => [field, {}])) },
      required: ['type', ...allowed.filter(isNeeded)],
      additionalProperties: false,
    };
  });
}

function merge(schemas: JsonSchema[]): JsonSchema {
  const { dependentRequired, ...merged } = Object.assign({}, ...schemas) as JsonSchema;
  const all = schemas.map((schema) => schema.dependentRequired ?? {});
  return dependentRequired === undefined
    ? merged
    : { ...merged, dependentRequired: Object.assign({}, ...all) as Record<string, string[]> };
}
