import protobuf from 'protobufjs/light.js';
import { descriptor } from './generated/descriptor.js';
import { requireWireTypes } from './wire-types.js';

/** A 64-bit integer as the library hands it over; `toNumber` and `nanosecondsOf` convert. */
export type Int64 = number | { readonly low: number; readonly high: number; readonly unsigned: boolean };

/** Reads and writes one kind of message. Proto3: a field that is left out, and one with the zero of its type, are the same. */
export interface Codec<T> {
  readonly name: string;
  /** Fields in the order of their numbers; whoever wants a zero left out, as Diego does, leaves it out of the message. */
  encode(message: T): Buffer;
  /**
   * Unknown fields are skipped and forgotten, as in Diego. Absent fields read as the zero of their type.
   *
   * @throws MalformedMessage
   */
  decode(bytes: Uint8Array): T;
}

/** The bytes are no message of this kind. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage';
}

const root = protobuf.Root.fromJSON(descriptor);

/** The codec of a message of our .proto files. It is compiled when it is first used. */
export function codecOf<T extends object>(name: string): Codec<T> {
  let compiled: protobuf.Type | undefined;
  const type = () => (compiled ??= compile(name));
  return {
    name,
    encode: (message) => type().encode(message).finish() as Buffer,
    decode: (bytes) => {
      try {
        requireWireTypes(type(), bytes);
        return type().decode(bytes) as unknown as T;
      } catch (error) {
        throw new MalformedMessage(`The bytes are no ${name}.`, { cause: error });
      }
    },
  };
}

/** A message of our .proto files. */
export function typeNamed(name: string): protobuf.Type {
  return root.lookupType(`models.${name}`);
}

function compile(name: string): protobuf.Type {
  const type = typeNamed(name);
  prepare(type);
  return type.setup();
}

const prepared = new WeakSet<protobuf.Type>();

/** Puts right what absent fields of decoded messages read as, in this kind of message and in all that it may hold. */
function prepare(type: protobuf.Type): void {
  if (prepared.has(type)) return;
  prepared.add(type);
  const defaults = type.ctor.prototype as Record<string, unknown>;
  for (const { name, options, resolvedType } of type.fieldsArray.map((field) => field.resolve())) {
    // What is always written is never absent, also when somebody else did leave it out.
    if (options?.['(always_present)'] === true) defaults[name] = Object.freeze({});
    // The library has null for absent optional fields, but for 64-bit integers it has zero.
    if (options?.['proto3_optional'] === true) defaults[name] = null;
    if (resolvedType instanceof protobuf.Type) prepare(resolvedType);
  }
}

/** Exact up to 2⁵³; what is beyond no field of Diego means. */
export function toNumber(value: Int64 | undefined): number {
  if (value === undefined || typeof value === 'number') return value ?? 0;
  const low = value.low >>> 0;
  const high = value.unsigned ? value.high >>> 0 : value.high;
  return high * 2 ** 32 + low;
}

/** Diego's times are nanoseconds since the Unix epoch, which no JavaScript number holds exactly; ours are milliseconds. */
export function nanosecondsOf(milliseconds: number): Int64 {
  const nanoseconds = BigInt(Math.round(milliseconds)) * 1_000_000n;
  return {
    low: Number(BigInt.asIntN(32, nanoseconds)),
    high: Number(nanoseconds >> 32n),
    unsigned: false,
  };
}
