import protobuf from 'protobufjs/light.js';
import { typeNamed } from './codec.js';

/** One field of a message, for whoever maps messages to records of another form. */
export interface WireField {
  readonly name: string;
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

function fieldOf(field: protobuf.Field): WireField {
  const { resolvedType } = field;
  const isMessage = resolvedType instanceof protobuf.Type;
  const shape = field instanceof protobuf.MapField ? 'map' : field.repeated ? 'list' : 'one';
  return {
    name: field.name,
    shape,
    hasPresence: isMessage || field.options?.['proto3_optional'] === true,
    ...(resolvedType instanceof protobuf.Enum && {
      numbers: resolvedType.values,
      names: resolvedType.valuesById,
    }),
    ...(isMessage && { message: resolvedType.name }),
  };
}
