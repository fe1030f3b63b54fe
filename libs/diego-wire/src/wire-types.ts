import protobuf from 'protobufjs/light.js';

const { Reader } = protobuf;
const basicTypes: Record<string, number | undefined> = protobuf.types.basic;
const packedTypes: Record<string, number | undefined> = protobuf.types.packed;
const LENGTH_DELIMITED = 2;

/** How a field may stand on the wire. */
interface FieldShape {
  wireType: number;
  /** Repeated numbers may come one by one or packed. */
  isPackable: boolean;
  /** The shapes of a message within. */
  inner?: () => MessageShape;
}
type MessageShape = readonly (FieldShape | undefined)[];

const shapes = new WeakMap<protobuf.Type, MessageShape>();

/**
 * Refuses a known field of another wire type than its own, which the library would misread as something else, and messages
 * within messages beyond its limit.
 *
 * @throws Error
 */
export function requireWireTypes(type: protobuf.Type, bytes: Uint8Array): void {
  const reader = Reader.create(bytes);
  check(shapeOf(type), reader, reader.len, 0);
}

function check(shape: MessageShape, reader: protobuf.Reader, end: number, depth: number): void {
  if (depth > Reader.recursionLimit) throw new RangeError('too deep');
  while (reader.pos < end) {
    const tag = reader.uint32();
    const wireType = tag & 7;
    const field = shape[tag >>> 3];
    if (tag >>> 3 === 0) throw new RangeError('a field without a number');
    if (field === undefined) {
      reader.skipType(wireType);
      continue;
    }
    if (wireType !== field.wireType && !(field.isPackable && wireType === LENGTH_DELIMITED)) {
      throw new RangeError(`field ${tag >>> 3} of wire type ${wireType}`);
    }
    if (field.inner === undefined) {
      reader.skipType(wireType);
      continue;
    }
    const innerEnd = reader.uint32() + reader.pos;
    if (innerEnd > end) throw new RangeError('beyond the end');
    check(field.inner(), reader, innerEnd, depth + 1);
  }
  if (reader.pos !== end) throw new RangeError('beyond the end');
}

function shapeOf(type: protobuf.Type): MessageShape {
  const known = shapes.get(type);
  if (known !== undefined) return known;
  const shape: (FieldShape | undefined)[] = [];
  for (const field of type.fieldsArray) shape[field.id] = fieldShape(field.resolve());
  shapes.set(type, shape);
  return shape;
}

function fieldShape(field: protobuf.Field): FieldShape {
  const { resolvedType } = field;
  const isMessage = resolvedType instanceof protobuf.Type;
  const basic = resolvedType instanceof protobuf.Enum ? 'int32' : field.type;
  const valueType = isMessage ? LENGTH_DELIMITED : basicTypes[basic]!;
  if (field instanceof protobuf.MapField) {
    const entry: MessageShape = [
      undefined,
      { wireType: basicTypes[field.keyType]!, isPackable: false },
      { wireType: valueType, isPackable: false, inner: isMessage ? () => shapeOf(resolvedType) : undefined },
    ];
    return { wireType: LENGTH_DELIMITED, isPackable: false, inner: () => entry };
  }
  return {
    wireType: valueType,
    isPackable: field.repeated && packedTypes[basic] !== undefined,
    inner: isMessage ? () => shapeOf(resolvedType) : undefined,
  };
}
