/** Diego BBS wire reference §1.7, §2: every message as bytes. */
import { fc, test } from '@fast-check/vitest';
import protobuf from 'protobufjs';
import { fileURLToPath } from 'node:url';
import * as wire from '#rivera/diego-wire';
import { type Codec, MalformedMessage, nanosecondsOf, toNumber } from '#rivera/diego-wire';
import { parseProtos } from '../support/typescript-of-proto.js';
import { VECTORS } from './wire-vectors.js';

const root = parseProtos(fileURLToPath(new URL('../../libs/diego-wire/proto', import.meta.url)));
const TYPES = (root.lookup('models') as protobuf.Namespace).nestedArray.filter(
  (each) => each instanceof protobuf.Type,
);
const LATIN = 'a b c d e f';

function codec(name: string): Codec<object> {
  return (wire as unknown as Record<string, Codec<object>>)[name]!;
}

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const text = (value: string) => Buffer.from(value).toString('hex');

/** What was decoded, as the plain object that would be written for it. */
function plain(name: string, message: object): unknown {
  return simplified(message, root.lookupType(`models.${name}`));
}

/** Lists and maps without an entry are no different from none. */
function isThere(message: object, name: string): boolean {
  const value: unknown = Object.hasOwn(message, name) ? Reflect.get(message, name) : undefined;
  const isCollection = Array.isArray(value) || Object.getPrototypeOf(value ?? 0) === Object.prototype;
  return value !== undefined && !(isCollection && Object.keys(value as object).length === 0);
}

function simplified(message: object, type: protobuf.Type): Record<string, unknown> {
  const inner = (value: unknown, field: protobuf.Field): unknown => {
    if (field.resolvedType instanceof protobuf.Type) return simplified(value as object, field.resolvedType);
    if (field.type === 'int64' || field.type === 'uint64') return toNumber(value as number);
    return value instanceof Uint8Array ? Buffer.from(value) : value;
  };
  return Object.fromEntries(
    type.fieldsArray
      .map((field) => field.resolve())
      .filter((field) => isThere(message, field.name))
      .map((field) => {
        const value = (message as Record<string, unknown>)[field.name];
        if (field instanceof protobuf.MapField) {
          const entries = Object.entries(value as object);
          return [field.name, Object.fromEntries(entries.map(([key, each]) => [key, inner(each, field)]))];
        }
        if (field.repeated) return [field.name, (value as unknown[]).map((each) => inner(each, field))];
        return [field.name, inner(value, field)];
      }),
  );
}

describe('2.1–2.9 every message, with every field', () => {
  it.each(VECTORS)('%s is written as these bytes', (name, message, hex) => {
    expect(codec(name).encode(message).toString('hex')).toBe(hex);
  });

  it.each(VECTORS)('%s is read from these bytes', (name, message, hex) => {
    expect(plain(name, codec(name).decode(bytes(hex)))).toEqual(message);
  });

  it('leaves no message and no field out', () => {
    const known = VECTORS.map(([name, message]): [string, string[]] => [
      name,
      Object.keys(message).toSorted(),
    ]);
    const wanted = TYPES.map(({ name, fieldsArray }): [string, string[]] => [
      name,
      fieldsArray.map((field) => field.name).toSorted(),
    ]);
    expect(Object.fromEntries(known)).toEqual(Object.fromEntries(wanted));
  });
});

/** Any message of a type, three levels deep. */
function anyMessage(type: protobuf.Type, depth = 0): fc.Arbitrary<object> {
  const fields = type.fieldsArray
    .map((field) => field.resolve())
    .filter((field) => depth < 3 || !(field.resolvedType instanceof protobuf.Type));
  const entries = fields.map((field): [string, fc.Arbitrary<unknown>] => {
    const one = anyValue(field, depth);
    if (field instanceof protobuf.MapField)
      return [
        field.name,
        fc.dictionary(fc.constantFrom(...LATIN.split(' '), '__proto__'), one, { minKeys: 1, maxKeys: 3 }),
      ];
    return [field.name, field.repeated ? fc.array(one, { minLength: 1, maxLength: 3 }) : one];
  });
  return fc.record(Object.fromEntries(entries), { requiredKeys: [], noNullPrototype: true });
}

const SAFE = Number.MAX_SAFE_INTEGER;

function anyValue({ type, resolvedType }: protobuf.Field, depth: number): fc.Arbitrary<unknown> {
  if (resolvedType instanceof protobuf.Type) return anyMessage(resolvedType, depth + 1);
  if (resolvedType instanceof protobuf.Enum) return fc.constantFrom(...Object.values(resolvedType.values));
  const scalars: Record<string, fc.Arbitrary<unknown>> = {
    string: fc.string({ unit: 'grapheme', maxLength: 20 }),
    bytes: fc.uint8Array({ maxLength: 20 }).map((each) => Buffer.from(each)),
    bool: fc.boolean(),
    int32: fc.integer(),
    uint32: fc.nat(),
    int64: fc.integer({ min: -SAFE, max: SAFE }),
    uint64: fc.integer({ min: 0, max: SAFE }),
  };
  return scalars[type]!;
}

describe('2.1–2.9 round trips', () => {
  describe.each(TYPES.map((type) => [type.name, type] as const))('%s', (name, type) => {
    test.prop([anyMessage(type)], { numRuns: 25 })('reads what it wrote, and writes it again', (message) => {
      const written = codec(name).encode(message);
      const read = codec(name).decode(written);
      expect(plain(name, read)).toEqual(message);
      expect(codec(name).encode(read)).toEqual(written);
    });
  });

  test.prop([fc.constantFrom(...TYPES), fc.uint8Array({ maxLength: 60 })], { numRuns: 2_000 })(
    'anything else is a message or is refused, and nothing else happens',
    (type, input) => {
      try {
        codec(type.name).decode(input);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedMessage);
      }
    },
  );
});

describe('1.7 golden vectors', () => {
  const encoded = <T>(kind: Codec<T>, message: T) => kind.encode(message).toString('hex');

  it('an empty ActualLRP', () => {
    const empty = { actualLrpKey: {}, actualLrpInstanceKey: {}, actualLrpNetInfo: {}, modificationTag: {} };
    expect(encoded(wire.ActualLRP, empty)).toBe('0a0012001a004a00');
  });

  it('an UNCLAIMED ActualLRP', () => {
    const actual: wire.ActualLRP = {
      actualLrpKey: { processGuid: 'pg', domain: 'd' },
      actualLrpInstanceKey: {},
      actualLrpNetInfo: {},
      state: 'UNCLAIMED',
      since: 5,
      modificationTag: { epoch: 'e' },
      routable: false,
    };
    expect(encoded(wire.ActualLRP, actual)).toBe(
      '0a070a0270671a016412001a003209554e434c41494d454440054a030a01656800',
    );
    const event = { actualLrp: actual, traceId: 'tr' };
    expect(wire.ActualLRPInstanceCreatedEvent.encode(event).toString('base64')).toBe(
      'CiEKBwoCcGcaAWQSABoAMglVTkNMQUlNRURABUoDCgFlaAASAnRy',
    );
  });

  it('an update to no instances and no annotation, and one to no routes', () => {
    expect(encoded(wire.DesiredLRPUpdate, { instances: 0, annotation: '' })).toBe('08001a00');
    expect(encoded(wire.DesiredLRPUpdate, { routes: {} })).toBe('1200');
  });

  it('an error', () => {
    const message = 'the requested resource could not be found';
    expect(encoded(wire.Error, { type: wire.ErrorType.ResourceNotFound, message })).toBe(
      '080d122974686520726571756573746564207265736f7572636520636f756c64206e6f7420626520666f756e64',
    );
  });

  it('a DesiredLRP', () => {
    const desired: wire.DesiredLRP = {
      processGuid: 'pg',
      domain: 'd',
      rootFs: 'preloaded:x',
      instances: 1,
      action: { runAction: { path: 'p', resourceLimits: {}, user: 'u' } },
      ports: [8080, 9090],
      routes: { routes: { 'cf-router': Buffer.from('[{"port":8080}]') } },
      modificationTag: { epoch: 'e', index: 1 },
      metricTags: { i: { dynamic: wire.MetricTagValueDynamicValue.INDEX }, source_id: { static: 's' } },
    };
    expect(encoded(wire.DesiredLRP, desired)).toBe(
      '0a0270671201641a0b7072656c6f616465643a7820013a0a1a080a01702a0032017570903f7082477a1e0a1c0a0963662d726f757465' +
        '72120f5b7b22706f7274223a383038307d5daa01050a016510019a02070a0169120210019a02100a09736f757263655f696412030a01' +
        '73',
    );
  });
});

describe('2.1–2.9 what is read', () => {
  it('ports one by one and packed', () => {
    const [single, packed] = ['70 903f 70 8247', '72 04 903f 8247'].map((hex) =>
      wire.DesiredLRP.decode(bytes(hex)),
    );
    expect(single?.ports).toEqual([8080, 9090]);
    expect(packed?.ports).toEqual([8080, 9090]);
  });

  it('fields in any order, of which the last counts', () => {
    const { domain, ttl } = wire.UpsertDomainRequest.decode(
      bytes(`10 05 0a 01 ${text('x')} 0a 01 ${text('d')}`),
    );
    expect({ domain, ttl }).toEqual({ domain: 'd', ttl: 5 });
  });

  it('unknown fields of every wire type are skipped and forgotten, as the original does', () => {
    const unknown = 'a006 7f a106 0000000000000000 a206 02 6869 a506 00000000';
    const read = wire.TaskGuidRequest.decode(bytes(`${unknown} 0a 01 ${text('g')} ${unknown}`));
    expect(read.taskGuid).toBe('g');
    expect(wire.TaskGuidRequest.encode(read).toString('hex')).toBe('0a0167');
  });

  it('a zero that is there, where absence means something else', () => {
    expect(wire.ActualLRPsRequest.decode(bytes('20 00')).index).toBe(0);
    expect(wire.ActualLRPsRequest.decode(bytes('')).index).toBeNull();
    expect(wire.StartActualLRPRequest.decode(bytes('30 00')).routable).toBe(false);
    // Every Go client writes limits that limit nothing.
    const { resourceLimits } = wire.RunAction.decode(bytes('2a 00'));
    expect([resourceLimits?.nofile, resourceLimits?.nproc]).toEqual([null, null]);
    expect(wire.toNumber(wire.ResourceLimits.decode(bytes('08 00')).nofile!)).toBe(0);
  });

  it('null for every optional field that is not there', () => {
    for (const type of TYPES) {
      const decoded = codec(type.name).decode(Buffer.alloc(0)) as Record<string, unknown>;
      for (const { name, options } of type.fieldsArray)
        if (options?.['proto3_optional'])
          expect([type.name, name, decoded[name]]).toEqual([type.name, name, null]);
    }
  });

  it('times to the nanosecond', () => {
    const hex = wire.ActualLRPCrashedEvent.encode({
      actualLrpKey: {},
      actualLrpInstanceKey: {},
      since: nanosecondsOf(1_767_225_600_123),
    }).toString('hex');
    expect(hex).toBe('0a00120028c0a9bbaa9fca9cc318');
  });
});

describe('2.1–2.9 what is refused', () => {
  it.each([
    ['an end in the middle of a tag', '8a'],
    ['an end in the middle of a text', '0a 05 61'],
    ['an end in the middle of a message', '12 10 08 01'],
    ['a message that is longer than the one around it', '0a 03 0a 05 61 61 61 61 61'],
    ['another wire type than the field has', '08 01'],
    ['a field without a number', '00 01'],
    ['a wire type that does not exist', '0e'],
    ['an endless number', 'ff ff ff ff ff ff ff ff ff ff ff ff'],
    ['the end of a group that never began', '0c'],
  ])('%s', (_, hex) => {
    expect(() => wire.DesireLRPRequest.decode(bytes(hex))).toThrow(MalformedMessage);
  });

  it.each([150, 5_000])('messages within messages, %i levels deep', (levels) => {
    let inner = Buffer.alloc(0);
    for (let level = 0; level < levels; level++) {
      // By turns an Action's serial_action and a SerialAction's actions.
      inner = Buffer.concat([Buffer.from([level % 2 === 0 ? 0x42 : 0x0a]), varint(inner.length), inner]);
    }
    expect(() => wire.SerialAction.decode(inner)).toThrow(MalformedMessage);
  });
});

function varint(value: number): Buffer {
  return value < 128
    ? Buffer.from([value])
    : Buffer.concat([Buffer.from([(value & 127) | 128]), varint(value >>> 7)]);
}
