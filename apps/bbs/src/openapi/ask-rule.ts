import { LIMITS } from '#rivera/models';
import type { JsonSchema } from './json-schema.js';

/** What a rule says of a value, without its subject (`must be a string`, `[0] must be …`); undefined: it is fine. */
export type Ask = (value: unknown) => string | undefined;

const LONG_TEXT = 'a'.repeat(2 * 1024 * 1024);
/** Longer than any list; it has no entries that take memory or time. */
const LONG_LIST = Object.assign<undefined[], object>([], { length: 4_000_000_000 });
/** More than any object of a request may have. */
const MANY_FIELDS = Object.fromEntries(
  Array.from({ length: LIMITS.jsonFields + 1 }, (_, index) => [`f${index}`, '']),
);

/**
 * The schema of a value, learned by asking its rule. The limits of a rule live in the rule and nowhere else; what it says
 * when they are broken is how it tells them. Undefined for a rule that looks only at what others have let through.
 *
 * @throws Error when the rule says something that is not understood here, so that no rule is left out unnoticed
 */
export function learnSchema(ask: Ask): JsonSchema | undefined {
  const complaint = ask(null);
  if (complaint === undefined) return undefined;
  const [, min, max] = /^must be an integer from (-?\d+) to (\d+)/.exec(complaint) ?? [];
  if (min !== undefined) return { type: 'integer', minimum: Number(min), maximum: Number(max) };
  const [, values] = /^must be one of (.+)$/.exec(complaint) ?? [];
  if (values !== undefined) return choice(ask, values.split(', '), complaint);
  switch (complaint) {
    case 'must be a string':
      return text(ask);
    case 'must be true or false':
      return { type: 'boolean' };
    case 'must be a list':
      return list(ask);
    case 'must be an object':
      return map(ask);
    default:
      throw new Error(`A rule says “${complaint}”, which learnSchema does not understand.`);
  }
}

function choice(ask: Ask, values: string[], sentence: string): JsonSchema {
  const isAnyCase = values.some(
    (value) => ask(value.toUpperCase()) === undefined && !values.includes(value.toUpperCase()),
  );
  return isAnyCase
    ? { type: 'string', description: `${sentence}, in any case`, examples: values }
    : { type: 'string', enum: values };
}

function text(ask: Ask): JsonSchema {
  const schema: JsonSchema = { type: 'string' };
  if (ask('') !== undefined) schema.minLength = 1;
  const [, bytes] = /^must be at most (\d+) bytes long/.exec(ask(LONG_TEXT) ?? '') ?? [];
  // JSON Schema counts characters, none of which takes less than a byte.
  if (bytes !== undefined) schema.maxLength = Number(bytes);
  // One of these breaks each pattern there is.
  const sentence = [' ', '=', '..'].map(ask).find((complaint) => complaint !== undefined);
  return sentence === undefined ? schema : { ...schema, ...pattern(sentence.replace(/, not .*$/, '')) };
}

function pattern(sentence: string): JsonSchema {
  const [, characters] = /^must consist of (.+) only$/.exec(sentence) ?? [];
  const [, values] = /^must be one of (.+)$/.exec(sentence) ?? [];
  if (values !== undefined) return { enum: values.split(', ') };
  if (characters !== undefined) return { pattern: `^[${characterClass(characters)}]+$` };
  return sentence.startsWith('must be a URL')
    ? { format: 'uri', description: sentence }
    : { description: sentence };
}

/** `letters, digits, "_" and "-"` → `a-zA-Z0-9_-`. */
function characterClass(words: string): string {
  const ranges: Record<string, string> = { letters: 'a-zA-Z', digits: '0-9' };
  return words
    .split(/, | and /)
    .map((word) => ranges[word] ?? word.replaceAll('"', '').replace(/[\]\\^]/, '\\$&'))
    .join('');
}

function list(ask: Ask): JsonSchema {
  const items = learnSchema((entry) => ask([entry])?.replace(/^\[0\] ?/, ''));
  const [, max] = /^must have at most (\d+) entries/.exec(ask(LONG_LIST) ?? '') ?? [];
  const [, min] = /^must have at least (\d+) entr/.exec(ask([]) ?? '') ?? [];
  const entry = items?.type === 'integer' ? items.minimum : 'a';
  return {
    type: 'array',
    ...(items !== undefined && { items }),
    ...(min !== undefined && { minItems: Number(min) }),
    ...(max !== undefined && { maxItems: Number(max) }),
    ...(ask([entry, entry]) === 'must not name anything twice' && { uniqueItems: true }),
  };
}

function map(ask: Ask): JsonSchema {
  const entry: Ask = (value) => ask({ a: value })?.replace(/^\["a"\] ?/, '');
  const values = entry(null) === 'must be an object' ? union(entry) : learnSchema(entry);
  const complaint = ask(MANY_FIELDS) ?? '';
  const [, max] = /^must have at most (\d+) entries/.exec(complaint) ?? [];
  return {
    type: 'object',
    additionalProperties: values ?? true,
    ...(max !== undefined && { maxProperties: Number(max) }),
    ...(values === undefined && { description: ask({ a: LONG_TEXT })?.replace(/, not .*$/, '') }),
  };
}

/** An object with exactly one of some fields. */
function union(ask: Ask): JsonSchema {
  const [, names] = /^must have exactly one of (.+)$/.exec(ask({}) ?? '') ?? [];
  if (names === undefined) return { type: 'object' };
  const fields = names.split(' and ');
  const field = (name: string): JsonSchema =>
    learnSchema((value) => ask({ [name]: value })?.replace(`.${name} `, '')) ?? {};
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map((name) => [name, field(name)])),
    additionalProperties: false,
    oneOf: fields.map((name) => ({ required: [name] })),
  };
}
