import { hostileValue } from './hostile.js';
import type { Random } from './random.js';

/** A part of the OpenAPI document, as it comes over the wire. */
export interface Schema {
  $ref?: string;
  type?: string;
  const?: unknown;
  enum?: unknown[];
  examples?: unknown[];
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  minItems?: number;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  dependentRequired?: Record<string, string[]>;
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
}

/** Few enough that requests meet the same records again and again. */
const GUIDS = 60;
/** Each is a record; the rules allow many more, but this is about requests. */
const MOST_INSTANCES = 4;

/** The server would call somebody, at a time of its own. */
const NEVER: ReadonlySet<string> = new Set(['completionCallbackUrl']);

/** Makes values that fit the schemas of a document, most of which the server should accept. */
export class Sampler {
  constructor(
    private readonly schemas: Record<string, Schema>,
    private readonly random: Random,
  ) {}

  sample(schema: Schema, name = '', depth = 0): unknown {
    const { random } = this;
    const resolved = this.resolve(schema);
    if (resolved.const !== undefined) return resolved.const;
    if (resolved.enum !== undefined) return random.pick(resolved.enum);
    const choices = resolved.oneOf ?? resolved.anyOf;
    if (resolved.type === undefined && choices !== undefined)
      return this.sample(random.pick(choices), name, depth);
    switch (resolved.type) {
      case 'string':
        return this.text(resolved, name);
      case 'integer':
        return this.integer(resolved, name);
      case 'boolean':
        return random.chance(0.5);
      case 'array':
        return this.list(resolved, name, depth);
      case 'object':
        return this.object(resolved, depth);
      default:
        return hostileValue(random);
    }
  }

  guid(): string {
    return `g-${this.random.below(GUIDS)}`;
  }

  /** Follows references, and takes schemas that hold together as one. */
  private resolve(schema: Schema): Schema {
    if (schema.$ref !== undefined)
      return this.resolve(this.schemas[schema.$ref.split('/').pop() ?? ''] ?? {});
    if (schema.allOf === undefined) return schema;
    const parts = schema.allOf.map((part) => this.resolve(part));
    return {
      ...Object.assign({}, ...parts),
      properties: Object.assign({}, ...parts.map((part) => part.properties)),
    } as Schema;
  }

  private text({ format, pattern, examples, minLength = 0 }: Schema, name: string): string {
    if (examples !== undefined) return String(this.random.pick(examples));
    if (format === 'uri')
      return name === 'rootfs' ? 'preloaded:cflinuxfs4' : 'https://files.example.com/a.tgz';
    if (pattern !== undefined || name.endsWith('Guid')) return this.guid();
    if (name === 'destinations') return '10.0.0.0/8';
    return this.random.chance(0.2) && minLength === 0
      ? ''
      : this.random.pick(['a', 'some text', 'z1', '/a/b', 'ä😀']);
  }

  private integer({ minimum = 0, maximum = 100 }: Schema, name: string): number {
    const most = name === 'instances' ? MOST_INSTANCES : maximum;
    return this.random.weighted([
      [1, () => minimum],
      [1, () => most],
      [6, () => minimum + this.random.below(Math.min(5, most - minimum + 1))],
    ]);
  }

  private list({ items = {}, minItems = 0 }: Schema, name: string, depth: number): unknown[] {
    const count = minItems + (depth > 8 ? 0 : this.random.below(3));
    const entries = this.random.times(count, () => this.sample(items, name, depth + 1));
    return entries.every((entry) => typeof entry === 'number') ? [...new Set(entries)] : entries;
  }

  private object(schema: Schema, depth: number): object {
    const { properties = {}, additionalProperties, dependentRequired = {}, oneOf } = schema;
    const chosen = oneOf === undefined ? undefined : this.choose(oneOf, depth);
    const groups = new Set(oneOf?.flatMap(({ required = [] }) => required));
    const wanted = new Set([...(schema.required ?? []), ...(chosen?.required ?? [])]);
    const isOptional = (name: string): boolean =>
      !groups.has(name) && (chosen?.properties === undefined || name in chosen.properties);
    for (const name of Object.keys(properties)) {
      if (!NEVER.has(name) && isOptional(name) && this.random.chance(depth > 4 ? 0.05 : 0.25))
        wanted.add(name);
    }
    for (const name of wanted) for (const other of dependentRequired[name] ?? []) wanted.add(other);
    const entries = [...wanted].map((name) => {
      const part = chosen?.properties?.[name];
      return [
        name,
        this.sample(part?.const === undefined ? (properties[name] ?? {}) : part, name, depth + 1),
      ];
    });
    if (typeof additionalProperties === 'object' || additionalProperties === true) {
      const value = additionalProperties === true ? {} : additionalProperties;
      if (this.random.chance(0.5)) entries.push(['some-name', this.sample(value, '', depth + 1)]);
    }
    return Object.fromEntries(entries) as object;
  }

  /** Deep down only what ends: an action without further actions. */
  private choose(choices: Schema[], depth: number): Schema {
    const endings = choices.filter(({ required }) => required?.[0] === 'run');
    return depth > 5 && endings.length > 0 ? this.random.pick(endings) : this.random.pick(choices);
  }
}
