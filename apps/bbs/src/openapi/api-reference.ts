import type { JsonSchema } from './json-schema.js';
import type { OpenApiDocument, Parameter, PathOperation } from './openapi-document.js';

/** The document as a page for people: every route by resource, then every schema with its fields and limits. */
export function apiReference({ info, tags, paths, components }: OpenApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      title: `${method.toUpperCase()} ${path}`,
      operation,
    })),
  );
  const resources = tags.map(({ name }) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(name));
    return [`## ${name}`, ...own.map(({ title, operation }) => operationText(title, operation))].join('\n\n');
  });
  const schemas = Object.entries(components.schemas).map(([name, schema]) => schemaText(name, schema));
  return (
    [
      '# API reference',
      '<!-- Made by `npm run docs` from the code; do not edit. -->',
      info.description,
      'A worked example of each resource is in the [API guide](api.md).',
      ...resources,
      '## Schemas',
      ...schemas,
    ].join('\n\n') + '\n'
  );
}

function operationText(
  title: string,
  { summary, security, parameters, requestBody, responses }: PathOperation,
): string {
  const scopes = security.flatMap(({ token = [] }) => token);
  const token =
    security.length === 0
      ? 'needs no token'
      : scopes.length === 0
        ? 'any token'
        : scopes.map(code).join(', ');
  const body = requestBody?.content['application/json']?.schema;
  const answers = Object.entries(responses)
    .filter(([status]) => status !== 'default')
    .map(([status, { content = {} }]) => {
      const [answer] = Object.entries(content);
      return answer === undefined ? status : `${status} ${typeText(answer[1].schema)} (${answer[0]})`;
    });
  return [
    `### ${title}`,
    `${summary}.`,
    [
      `- Scope: ${token}`,
      ...(body === undefined ? [] : [`- Body: ${typeText(body)}`]),
      `- Answer: ${answers.join('; ')}`,
    ].join('\n'),
    ...(parameters.length === 0 ? [] : [parameterTable(parameters)]),
  ].join('\n\n');
}

function parameterTable(parameters: readonly Parameter[]): string {
  return table(
    ['parameter', 'in', 'type', 'about'],
    parameters.map(({ name, in: from, required, description, schema }) => [
      code(name) + (required ? '' : '?'),
      from,
      typeText(schema),
      [description, limitsOf(schema)].filter(Boolean).join('; '),
    ]),
  );
}

function schemaText(name: string, schema: JsonSchema): string {
  const { properties, required = [], description } = schema;
  const fields = Object.entries(properties ?? {}).map(([field, type]) => [
    code(field) + (required.includes(field) ? '' : '?'),
    typeText(type),
    [type.description, limitsOf(type)].filter(Boolean).join('; '),
  ]);
  return [
    `### ${name}`,
    ...(description === undefined ? [] : [description]),
    properties === undefined
      ? typeText(schema)
      : fields.length === 0
        ? 'No fields.'
        : table(['field', 'type', 'about'], fields),
  ].join('\n\n');
}

/** A type in a few words: `text`, `list of [Task](#task)`, `one of A, B`. */
function typeText(schema: JsonSchema): string {
  const name = schema.$ref?.split('/').at(-1);
  if (name !== undefined) return `[${name}](#${name.toLowerCase()})`;
  const several = schema.oneOf ?? schema.anyOf;
  if (several !== undefined) return several.map(typeText).join(' or ');
  if (schema.allOf !== undefined) return schema.allOf.map(typeText).join(' with ');
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.enum !== undefined) return schema.enum.map((value) => code(String(value))).join(', ');
  if (schema.items !== undefined) return `list of ${typeText(schema.items)}`;
  if (schema.properties !== undefined) {
    const fields = Object.entries(schema.properties).map(
      ([field, type]) => `${code(field)}: ${typeText(type)}`,
    );
    return `object with ${fields.join(', ')}`;
  }
  if (typeof schema.additionalProperties === 'object')
    return `map of ${typeText(schema.additionalProperties)}`;
  return [schema.type ?? 'anything'].flat().join(' or ').replace('string', 'text');
}

function limitsOf(schema: JsonSchema): string {
  const { minLength, maxLength, minimum, maximum, minItems, maxItems, maxProperties, pattern, uniqueItems } =
    schema;
  const range = (what: string, from: number | undefined, to: number | undefined): string[] => {
    if (from === undefined && to === undefined) return [];
    return [
      to === undefined
        ? `${what} from ${from}`
        : from === undefined
          ? `${what} to ${to}`
          : `${what} ${from} to ${to}`,
    ];
  };
  return [
    ...range('length', minLength, maxLength),
    ...range('', minimum, maximum).map((text) => text.trim()),
    ...range('entries', minItems, maxItems),
    ...range('fields', undefined, maxProperties),
    ...(uniqueItems === true ? ['each once'] : []),
    ...(pattern === undefined ? [] : [`matches ${code(pattern)}`]),
  ].join('; ');
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function code(text: string): string {
  return text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``;
}
