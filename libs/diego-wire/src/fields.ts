import protobuf from 'protobufjs/light.js';
import { typeNamed } from './codec.js';

/** One field of a message, for whoever maps messages to records of another form. */
export interface WireField {
  readonly name: string;
  readonly number: number;
  /** How a value is written: whole numbers, flags and enumerations as varints, texts, messages. */
  readonly type: 'varint' | 'text' | 'bytes' | 'message';
  readonly shape: 'one' | 'list' | 'map';
  /** Its absence is not its zero. */
  readonly hasPresence: boolean;
  /** Of an enumeration: name → number. */
  readonly numbers?: Readonly<Record<string, number>>;
  /** Of an enumeration: number → name. */
  readonly names?: Readonly<Record<number, string>>;
  /** Of a message: its name. */
  readonly message?: string;
}

const known = new Map<string, readonly WireField[]>();

/** The fields of a message in the order of their numbers. */
export function fieldsOf(message: string): readonly WireField[] {
  let fields = known.get(message);
  if (fields === undefined) {
    fields = typeNamed(message)
      .fieldsArray.toSorted((a, b) => a.id - b.id)
      .map((field) => fieldOf(field.resolve()));
    known.set(message, fields);
  }
  return fields;
}

function typeOf({ type, resolvedType }: protobuf.Field): WireField['type'] {
  if (resolvedType instanceof protobuf.Type) return 'message';
  if (type === 'string') return 'text';
  if (type === 'bytes') return 'bytes';
  // None of Diego's fields is a float or of fixed length.
  if (resolvedType === null || resolvedType instanceof protobuf.Enum) return 'varint';
  throw new TypeError(`A field of type ${type} cannot be written.`);
}

function fieldOf(field: protobuf.Field): WireField {
  const { resolvedType } = field;
  const isMessage = resolvedType instanceof protobuf.Type;
  const shape = field instanceof protobuf.MapField ? 'map' : field.repeated ? 'list' : 'one';
  return {
    name: field.name,
    number: field.id,
    type: typeOf(field),
    shape,
    hasPresence: isMessage || field.options?.['proto3_optional'] === true,
    ...(resolvedType instanceof protobuf.Enum && {
      numbers: resolvedType.values,
      names: resolvedType.valuesById,
    }),
    ...(isMessage && { message: resolvedType.name }),
  };
}
