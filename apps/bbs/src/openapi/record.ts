import { type JsonSchema, listOf } from './json-schema.js';

/** A field that a record may be without. */
interface Maybe {
  maybe: JsonSchema;
}

/** A schema for each field of `T`, marked where the field may be absent: anything else does not compile. */
export type Fields<T> = { [F in keyof T]-?: object extends Pick<T, F> ? Maybe : JsonSchema };

export function maybe(schema: JsonSchema): Maybe {
  return { maybe: schema };
}

/**
 * What an answer looks like. Unlike a request it may have more fields than are described here: clients pass over those
 * they do not know.
 */
export function record<T>(fields: Fields<T>, description?: string): JsonSchema {
  const entries = Object.entries<JsonSchema | Maybe>(fields);
  const isMaybe = (field: JsonSchema | Maybe): field is Maybe => 'maybe' in field;
  const required = entries.filter(([, field]) => !isMaybe(field)).map(([name]) => name);
  return {
    type: 'object',
    ...(description !== undefined && { description }),
    properties: Object.fromEntries(
      entries.map(([name, field]) => [name, isMaybe(field) ? field.maybe : field]),
    ),
    ...(required.length > 0 && { required }),
  };
}

/** A record that has all fields of one schema and of another. */
export function extended(base: JsonSchema, more: JsonSchema): JsonSchema {
  return {
    type: 'object',
    ...(more.description !== undefined && { description: more.description }),
    properties: { ...base.properties, ...more.properties },
    required: [...(base.required ?? []), ...(more.required ?? [])],
  };
}

/** A record without some fields of another, or with some of its fields only. */
export function narrowed(base: JsonSchema, isKept: (field: string) => boolean): JsonSchema {
  const properties = Object.entries(base.properties ?? {}).filter(([field]) => isKept(field));
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    required: base.required?.filter(isKept),
  };
}

export const text: JsonSchema = { type: 'string' };
export const texts = listOf(text);
export const flag: JsonSchema = { type: 'boolean' };
export const count: JsonSchema = { type: 'integer', minimum: 0 };
export const time: JsonSchema = { type: 'integer', description: 'milliseconds since the Unix epoch' };
export const textMap: JsonSchema = { type: 'object', additionalProperties: text };
