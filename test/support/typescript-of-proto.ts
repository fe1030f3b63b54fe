import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import protobuf from 'protobufjs';

const NOTE = '// Made from ../../proto by `npm run wire-messages`. Changes belong there.\n';
const PACKAGE = 'models';
/** Extends the language of the .proto files; holds no message. */
const OPTIONS = 'options.proto';

const SCALARS: Record<string, string> = {
  string: 'string',
  bytes: 'Uint8Array',
  bool: 'boolean',
  int32: 'number',
  uint32: 'number',
  int64: 'Int64',
  uint64: 'Int64',
};

/** All .proto files of a directory as one tree. */
export function parseProtos(directory: string): protobuf.Root {
  const root = new protobuf.Root();
  for (const name of readdirSync(directory).toSorted()) {
    if (name.endsWith('.proto') && name !== OPTIONS)
      protobuf.parse(readFileSync(join(directory, name), 'utf8'), root);
  }
  root.resolveAll();
  return root;
}

/** The tree as a module, so that programs need neither the files nor a parser. */
export async function descriptorModule(root: protobuf.Root): Promise<string> {
  const json = JSON.stringify(root.toJSON());
  return formatted(`${NOTE}\nexport const descriptor: object = ${json};\n`);
}

/** An interface and a codec for each message, an object of numbers for each enumeration. */
export async function messagesModule(root: protobuf.Root): Promise<string> {
  const lines = [NOTE, `import { type Codec, codecOf, type Int64 } from '../codec.js';`, ''];
  for (const type of typesOf(root.lookup(PACKAGE) as protobuf.Namespace)) {
    lines.push(...(type instanceof protobuf.Enum ? enumLines(type) : messageLines(type)), '');
  }
  return formatted(lines.join('\n'));
}

function typesOf(namespace: protobuf.NamespaceBase): (protobuf.Type | protobuf.Enum)[] {
  return namespace.nestedArray.flatMap((each) => {
    if (each instanceof protobuf.Type) return [...typesOf(each), each];
    return each instanceof protobuf.Enum ? [each] : [];
  });
}

function enumLines(type: protobuf.Enum): string[] {
  const name = nameOf(type);
  return [
    `export const ${name} = ${JSON.stringify(type.values)} as const;`,
    `export type ${name} = (typeof ${name})[keyof typeof ${name}];`,
  ];
}

function messageLines(type: protobuf.Type): string[] {
  return [
    `export interface ${type.name} {`,
    ...type.fieldsArray.map((field) => {
      const isRequired = field.options?.['(always_present)'] === true;
      return `  ${field.name}${isRequired ? '' : '?'}: ${typeOf(field)};`;
    }),
    '}',
    `export const ${type.name}: Codec<${type.name}> = codecOf('${type.name}');`,
  ];
}

function typeOf(field: protobuf.Field): string {
  const { resolvedType } = field;
  const type = resolvedType === null ? SCALARS[field.type] : nameOf(resolvedType);
  if (type === undefined) throw new TypeError(`No TypeScript type for ${field.type}.`);
  if (field instanceof protobuf.MapField) return `Record<string, ${type}>`;
  if (field.repeated) return `${type}[]`;
  const isRequired = field.options?.['(always_present)'] === true;
  // Decoded messages say null where there is nothing, but for scalars whose absence is their zero.
  const hasPresence = resolvedType instanceof protobuf.Type || field.options?.['proto3_optional'] === true;
  return hasPresence && !isRequired ? `${type} | null` : type;
}

/** Enumerations within a message carry its name, because several are called the same. */
function nameOf(type: protobuf.ReflectionObject): string {
  return type.parent instanceof protobuf.Type ? `${type.parent.name}${type.name}` : type.name;
}

async function formatted(source: string): Promise<string> {
  return format(source, { ...(await resolveConfig(import.meta.filename)), parser: 'typescript' });
}
