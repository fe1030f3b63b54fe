import { aDesiredLRP, aRealisticDesiredLRP } from '#test/builders.js';
import { Action, DesiredLRPRequest, type FieldError, RiveraError, TaskRequest, parse } from '../index.js';
import { LIMITS } from './limits.js';

function refusal(type: new () => object, input: unknown): RiveraError {
  try {
    parse(type, input);
  } catch (error) {
    if (error instanceof RiveraError) return error;
    throw error;
  }
  throw new Error('The input was accepted.');
}

const firstFault = (type: new () => object, input: unknown): FieldError | undefined =>
  refusal(type, input).details.fields?.[0];

function nest(levels: number, wrap: (inner: unknown) => unknown, innermost: unknown = {}): unknown {
  let value = innermost;
  for (let level = 0; level < levels; level += 1) value = wrap(value);
  return value;
}

describe('parse', () => {
  it('answers what is fine as it is', () => {
    const sent = aRealisticDesiredLRP();
    expect(parse(DesiredLRPRequest, sent)).toBe(sent);
  });

  it('takes a field that is undefined for one that is absent', () => {
    const request = parse(DesiredLRPRequest, { ...aDesiredLRP(), setup: undefined });
    expect('setup' in request).toBe(false);
  });

  it('takes what it answered', () => {
    const request = parse(DesiredLRPRequest, aRealisticDesiredLRP());
    expect(parse(DesiredLRPRequest, request)).toEqual(request);
  });

  it.each([undefined, null, 1, 'x', [], [{}]])('refuses a body that is no object: %j', (input) => {
    expect(firstFault(TaskRequest, input)).toEqual({
      field: '',
      rule: 'isObject',
      message: 'The body must be a JSON object.',
    });
  });

  it('words its errors as sentences with the path', () => {
    const error = refusal(DesiredLRPRequest, { ...aDesiredLRP(), ports: [1, 70_000], instances: -1 });
    expect(error.message).toBe(
      `The request is invalid: instances must be an integer from 0 to ${LIMITS.instances}, not -1. (and 1 more)`,
    );
    expect(error.details.fields).toContainEqual({
      field: 'ports[1]',
      rule: 'isPortList',
      message: 'ports[1] must be an integer from 1 to 65535, not 70000.',
    });
  });

  it('says that a field is missing', () => {
    expect(firstFault(TaskRequest, { domain: 'd' })?.message).toBe(
      'taskGuid is missing; it must be a string.',
    );
  });

  it('does not repeat secrets', () => {
    const env = [{ name: 'PASSWORD', value: 'hunter2\0' }];
    const error = refusal(DesiredLRPRequest, {
      ...aDesiredLRP(),
      imagePassword: 'hunter2\0',
      environmentVariables: env,
    });
    expect(JSON.stringify([error.message, error.details])).not.toContain('hunter2');
  });

  it('lists at most 100 faults and counts the rest', () => {
    const environmentVariables = Array.from({ length: 101 }, () => ({ name: '', value: '' }));
    const { details } = refusal(DesiredLRPRequest, { ...aDesiredLRP(), environmentVariables });
    expect(details.fields).toHaveLength(100);
    expect(details['faults']).toBe(101);
  });
});

describe('parse, on hostile shapes', () => {
  it('refuses the deepest nesting without running out of stack', () => {
    const list = nest(100_000, (inner) => [inner]);
    const actions = nest(100_000, (action) => ({ try: { action } }));
    expect(firstFault(DesiredLRPRequest, { routes: list })?.rule).toBe('jsonDepth');
    expect(firstFault(Action, actions)?.rule).toBe('jsonDepth');
  });

  it('refuses what refers to itself', () => {
    const loop: Record<string, unknown> = { ...aDesiredLRP() };
    loop['routes'] = loop;
    expect(firstFault(DesiredLRPRequest, loop)?.rule).toBe('jsonDepth');
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', '__defineGetter__'])(
    'refuses the field name %s anywhere',
    (key) => {
      const body: unknown = JSON.parse(`{"${key}": {"polluted": true}}`);
      expect(firstFault(DesiredLRPRequest, body)).toMatchObject({ field: key, rule: 'isFieldName' });
      expect(firstFault(DesiredLRPRequest, { routes: { r: [body] } })).toMatchObject({
        field: `routes.r[0].${key}`,
        rule: 'isFieldName',
      });
      expect('polluted' in {}).toBe(false);
    },
  );

  it('refuses huge lists and many values at once', () => {
    const huge = Array.from({ length: 1_000_000 }, () => 1);
    expect(firstFault(DesiredLRPRequest, { ports: huge })).toMatchObject({
      field: 'ports',
      rule: 'jsonListEntries',
    });
    const routes = Array.from({ length: 20 }, () => huge.slice(0, LIMITS.jsonListEntries));
    expect(firstFault(DesiredLRPRequest, { routes })?.rule).toBe('jsonValues');
    // A list that only claims to be long must not be walked.
    const sparse: unknown[] = [];
    sparse.length = 4_294_967_295;
    expect(firstFault(DesiredLRPRequest, { ports: sparse })?.rule).toBe('jsonListEntries');
  });

  it('refuses objects of too many fields', () => {
    const many = Object.fromEntries(Array.from({ length: LIMITS.jsonFields + 1 }, (_, n) => [`k${n}`, n]));
    expect(firstFault(DesiredLRPRequest, many)?.rule).toBe('jsonFields');
    expect(firstFault(DesiredLRPRequest, { routes: many })).toMatchObject({
      field: 'routes',
      rule: 'jsonFields',
    });
  });

  it.each([new Map(), new Date(0), Number.NaN, 1n, (): void => undefined, Symbol('x'), Promise.resolve()])(
    'refuses what JSON cannot say: %s',
    (value) => {
      expect(firstFault(DesiredLRPRequest, { routes: { r: value } })).toMatchObject({
        field: 'routes.r',
        rule: 'isJson',
      });
    },
  );
});
