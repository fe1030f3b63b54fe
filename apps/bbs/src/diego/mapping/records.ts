import { BackwardWriter, fieldsOf, type Int64, toNumber, type WireField } from '#rivera/diego-wire';
import { invalidField } from '../disagreements.js';

const MS_PER_S = 1_000;
const NS_PER_MS = 1_000_000;

/** A record as the JSON API has it. */
export type Plain = Record<string, unknown>;

/** Wire name → Rivera's name, where they differ. */
const RENAMED: Readonly<Record<string, string>> = {
  rootFs: 'rootfs',
  downloadAction: 'download',
  uploadAction: 'upload',
  runAction: 'run',
  timeoutAction: 'timeout',
  emitProgressAction: 'emitProgress',
  tryAction: 'try',
  parallelAction: 'parallel',
  serialAction: 'serial',
  codependentAction: 'codependent',
};

/** Fields whose zero says something: without a presence of their own they are always there. Any other zero is absence. */
const ZERO_COUNTS = new Set([
  'DesiredLRP.instances',
  'DesiredLRP.memoryMb',
  'DesiredLRP.diskMb',
  'TaskDefinition.memoryMb',
  'TaskDefinition.diskMb',
  'EnvironmentVariable.value',
  'File.content',
  'ICMPInfo.type',
  'ICMPInfo.code',
  'LogRateLimit.bytesPerSecond',
]);

/** A field of a message and its name in Rivera's record. */
interface MappedField extends WireField {
  record: string;
  isZeroKept: boolean;
  /** Of a message: its fields, once somebody has asked for them. */
  inner?: readonly MappedField[];
}
const mapped = new Map<string, readonly MappedField[]>();

function mappedFields(message: string): readonly MappedField[] {
  let fields = mapped.get(message);
  if (fields === undefined) {
    fields = fieldsOf(message).map((field) => ({
      ...field,
      record: RENAMED[field.name] ?? field.name,
      isZeroKept: field.hasPresence || ZERO_COUNTS.has(`${message}.${field.name}`),
    }));
    mapped.set(message, fields);
  }
  return fields;
}

/** A message as the record that a client of the JSON API would send. What is wrong with it is for `parse` to say. */
export function recordOf(message: string, source: object): Plain {
  return FROM_WIRE[message]?.(source as Plain) ?? fieldsOfRecord(message, source);
}

function fieldsOfRecord(message: string, source: object): Plain {
  const record: Plain = {};
  for (const field of mappedFields(message)) {
    const value = (source as Plain)[field.name];
    if (value === undefined || value === null || (isZero(value) && !field.isZeroKept)) continue;
    const converted = eachOf(field, value, (each) => fromWire(field, each));
    if (converted !== undefined) record[field.record] = converted;
  }
  return record;
}

/** A record as a message. What the wire has no field for is left out. */
export function messageOf(message: string, source: object): Plain {
  return TO_WIRE[message]?.(source as Plain) ?? fieldsOfMessage(message, source);
}

function fieldsOfMessage(message: string, source: object): Plain {
  const result: Plain = {};
  for (const field of mappedFields(message)) {
    const value = (source as Plain)[field.record];
    if (value === undefined || value === null || (isZero(value) && !field.hasPresence)) continue;
    const converted = eachOf(field, value, (each) => toWire(field, each));
    if (converted !== undefined) result[field.name] = converted;
  }
  return result;
}

const writer = new BackwardWriter();
const LENGTH_DELIMITED = 2;

/**
 * The bytes of `messageOf(message, record)`, without making the message: a desired LRP has some hundred fields.
 *
 * @param sources a record, or the parts of one; the first that has a field has the say
 */
export function encodedRecord(message: string, ...sources: object[]): Buffer {
  try {
    writeRecord(message, mappedFields(message), sources as Plain[]);
    return writer.finish();
  } finally {
    // A record that cannot be written must not spoil the next one.
    writer.reset();
  }
}

/** Fields are written from the last to the first. */
function writeRecord(message: string, fields: readonly MappedField[], sources: readonly Plain[]): void {
  if (message === 'ProtoRoutes') return writeRoutes(sources[0]!);
  const [only] = sources;
  const isWhole = sources.length === 1;
  for (let i = fields.length - 1; i >= 0; i -= 1) {
    const field = fields[i]!;
    const value = isWhole ? only![field.record] : firstOf(sources, field.record);
    if (value === undefined || value === null) continue;
    if (field.shape === 'one') {
      if (field.hasPresence || !isZero(value)) writeField(field, field.number, value);
    } else if (field.shape === 'list') {
      const list = value as unknown[];
      for (let at = list.length - 1; at >= 0; at -= 1) writeField(field, field.number, list[at]);
    } else {
      for (const [key, each] of fromLastKey(value as Plain)) {
        const end = writer.length;
        writeField(field, 2, each);
        writeText(1, key);
        writeHead(field.number, end);
      }
    }
  }
}

function firstOf(sources: readonly Plain[], name: string): unknown {
  for (const source of sources) if (source[name] !== undefined) return source[name];
  return undefined;
}

function writeField(field: MappedField, number: number, value: unknown): void {
  switch (field.type) {
    case 'message': {
      const end = writer.length;
      field.inner ??= mappedFields(field.message!);
      writeRecord(field.message!, field.inner, [value as Plain]);
      return writeHead(number, end);
    }
    case 'text':
      return writeText(number, value as string);
    case 'bytes':
      return writeBytes(number, value as Uint8Array);
    case 'varint':
      writer.varint(Number(field.numbers === undefined ? value : (field.numbers[value as string] ?? 0)));
      return writer.varint(number << 3);
  }
}

/** Routers read whole documents. */
function writeRoutes(routes: Plain): void {
  for (const [router, route] of fromLastKey(routes)) {
    const end = writer.length;
    writeText(2, JSON.stringify(route));
    writeText(1, router);
    writeHead(1, end);
  }
}

function writeText(number: number, value: string): void {
  const end = writer.length;
  writer.text(value);
  writeHead(number, end);
}

function writeBytes(number: number, value: Uint8Array): void {
  const end = writer.length;
  writer.bytes(value);
  writeHead(number, end);
}

/** The head of what was written since. */
function writeHead(number: number, end: number): void {
  writer.varint(writer.length - end);
  writer.varint((number << 3) | LENGTH_DELIMITED);
}

/** The entries of a map as a writer needs them that goes backwards. */
function fromLastKey(map: Plain): [string, unknown][] {
  return Object.entries(map).toSorted(([a], [b]) => (a < b ? 1 : -1));
}

/** Go writes the entries of a map in the order of their keys. */
export function sortedMap<T>(map: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function eachOf({ shape }: MappedField, value: unknown, convert: (each: unknown) => unknown): unknown {
  if (shape === 'one') return convert(value);
  if (shape === 'list') {
    const list = value as unknown[];
    return list.length === 0 ? undefined : list.map(convert);
  }
  const entries = Object.entries(value as Plain);
  if (entries.length === 0) return undefined;
  return sortedMap(Object.fromEntries(entries.map(([key, each]) => [key, convert(each)])));
}

function fromWire({ message, names }: MappedField, value: unknown): unknown {
  if (message !== undefined) return recordOf(message, value as object);
  // A number without a name stays a number, which no rule accepts.
  if (names !== undefined) return names[value as number] ?? value;
  return typeof value === 'object' ? toNumber(value as Int64) : value;
}

function toWire({ message, numbers }: MappedField, value: unknown): unknown {
  if (message !== undefined) return messageOf(message, value as object);
  return numbers === undefined ? value : numbers[value as string];
}

function isZero(value: unknown): boolean {
  return (
    value === '' ||
    value === 0 ||
    value === false ||
    (typeof value === 'object' && isZeroInt64(value as { low?: number; high?: number }))
  );
}

function isZeroInt64({ low, high }: { low?: number; high?: number }): boolean {
  return low === 0 && high === 0;
}

/** Messages that are no mere list of fields. */
const FROM_WIRE: Record<string, ((source: Plain) => Plain) | undefined> = {
  ProtoRoutes: ({ routes }) =>
    Object.fromEntries(
      Object.entries(routes as Record<string, Uint8Array>).map(([router, json]) => [
        router,
        parsedRoute(json),
      ]),
    ),
  // The first member counts, whatever else is set.
  Action: (action) => {
    const member = mappedFields('Action').find(
      ({ name }) => action[name] !== undefined && action[name] !== null,
    );
    return member === undefined ? {} : { [member.record]: fromWire(member, action[member.name]) };
  },
  // Old clients give times in other units, in fields of their own.
  TimeoutAction: (action) => {
    const { deprecatedTimeoutNs, ...record } = fieldsOfRecord('TimeoutAction', action);
    if (deprecatedTimeoutNs !== undefined)
      record['timeoutMs'] ??= Math.round((deprecatedTimeoutNs as number) / NS_PER_MS);
    return record;
  },
  DesiredLRP: (desired) => {
    const {
      deprecatedStartTimeoutS,
      modificationTag: _ofTheServer,
      ...record
    } = fieldsOfRecord('DesiredLRP', desired);
    if (deprecatedStartTimeoutS !== undefined)
      record['startTimeoutMs'] ??= (deprecatedStartTimeoutS as number) * MS_PER_S;
    return record;
  },
};

const TO_WIRE: Record<string, ((source: Plain) => Plain) | undefined> = {
  ProtoRoutes: (routes) => ({
    routes: sortedMap(
      Object.fromEntries(
        Object.entries(routes).map(([router, route]) => [router, Buffer.from(JSON.stringify(route))]),
      ),
    ),
  }),
};

function parsedRoute(json: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(json).toString());
  } catch {
    throw invalidField('routes', 'must be JSON documents, one for each router');
  }
}
