import { LIMITS } from '#rivera/models';
import { PROBLEM_CONTENT_TYPE } from '#rivera/platform';
import { type Class, ClassSchemas } from './class-schemas.js';
import { type Components, type JsonSchema, ref } from './json-schema.js';
import { type Operation, OPERATIONS, type Operations } from './operations.js';
import { recordSchemas } from './record-schemas.js';
import type { Argument, Route } from './routes.js';

type Content = Record<string, { schema: JsonSchema }>;

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  description?: string;
  schema: JsonSchema;
}

export interface PathOperation {
  operationId: string;
  tags: string[];
  summary: string;
  security: Record<string, string[]>[];
  parameters: Parameter[];
  requestBody?: { required: true; content: Content };
  responses: Record<string, { description: string; headers?: object; content?: Content }>;
}

/** The parts of an OpenAPI 3.1 document that ours has. */
export interface OpenApiDocument {
  openapi: '3.1.1';
  info: { title: string; version: string; description: string };
  tags: { name: string }[];
  paths: Record<string, Record<string, PathOperation>>;
  components: { schemas: Record<string, JsonSchema>; securitySchemes: object };
}

const BUILT_IN: ReadonlySet<unknown> = new Set([String, Number, Object]);

const HEADERS: Record<string, string> = {
  'idempotency-key': 'Names this request: the same request again is answered, not refused.',
  'if-match': 'The ETag of the record as it was read; 412 when it has changed since.',
  'last-event-id': 'Where to resume: the id of the last event that was seen.',
  etag: 'The modification tag of the record, for If-Match.',
};

const DESCRIPTION = `What should run, what runs, and where. Sizes of texts count bytes of UTF-8. Texts hold no NUL characters \
and no half surrogate pairs, but for reasons and results of tasks. A request has at most ${LIMITS.jsonValues} values, \
${LIMITS.jsonDepth} levels deep. Every refusal is a problem document (RFC 9457) with a stable code.`;

/**
 * The API as OpenAPI 3.1: paths from the routes, requests from the classes that parse them.
 *
 * @throws Error when a route has no entry in `OPERATIONS`, or an entry no route
 */
export function buildOpenApiDocument(routes: readonly Route[]): OpenApiDocument {
  const components: Components = new Map();
  const classes = new ClassSchemas(components);
  const records = recordSchemas(classes);
  const paths: OpenApiDocument['paths'] = {};
  const described = new Set<Operation>();
  for (const route of routes) {
    const { tag, operation } = entryOf(route);
    described.add(operation);
    (paths[route.path] ??= {})[route.method] = pathOperation(route, { tag, operation, classes });
  }
  for (const { controller, handlers } of OPERATIONS) {
    const idle = Object.entries(handlers).find(([, operation]) => !described.has(operation));
    if (idle !== undefined)
      throw new Error(`operations.ts describes ${controller.name}.${idle[0]}, which is no route.`);
  }
  return {
    openapi: '3.1.1',
    info: { title: 'Rivera', version: '1', description: DESCRIPTION },
    tags: [...new Set(OPERATIONS.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: Object.fromEntries(
        [...components, ...Object.entries(records)].toSorted(([a], [b]) => (a < b ? -1 : 1)),
      ),
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
}

function entryOf({ controller, handler, method, path }: Route): { tag: string; operation: Operation } {
  const found: Operations | undefined = OPERATIONS.find((each) => each.controller === controller);
  const operation = found?.handlers[handler];
  if (found === undefined || operation === undefined) {
    throw new Error(
      `${method} ${path} (${controller.name}.${handler}) is not described; add it to operations.ts.`,
    );
  }
  return { tag: found.tag, operation };
}

interface Described {
  tag: string;
  operation: Operation;
  classes: ClassSchemas;
}

function pathOperation(route: Route, { tag, operation, classes }: Described): PathOperation {
  const body = route.arguments.find(({ from }) => from === 'body');
  return {
    operationId: `${route.controller.name.replace(/Controller$/, '')}.${route.handler}`,
    tags: [tag],
    summary: operation.summary,
    security: route.scopes === undefined ? [] : [{ token: [...route.scopes] }],
    parameters: parametersOf(route, classes),
    ...(body !== undefined && {
      requestBody: { required: true, content: json(bodySchema(body.type, operation, classes)) },
    }),
    responses: {
      [route.status]: answer(operation),
      default: { description: 'Refused.', content: { [PROBLEM_CONTENT_TYPE]: { schema: ref('Problem') } } },
    },
  };
}

function bodySchema(type: Class, { body }: Operation, classes: ClassSchemas): JsonSchema {
  const schema = classes.refTo(type);
  return body === undefined ? schema : { allOf: [schema, body] };
}

function answer({
  answer: schema,
  contentType = 'application/json',
  headers = [],
}: Operation): PathOperation['responses'][string] {
  const described = headers.map((name) => [name, { description: HEADERS[name], schema: { type: 'string' } }]);
  return {
    description: schema === undefined ? 'Done.' : 'The answer.',
    ...(headers.length > 0 && { headers: Object.fromEntries(described) as object }),
    ...(schema !== undefined && { content: { [contentType]: { schema } } }),
  };
}

function json(schema: JsonSchema): Content {
  return { 'application/json': { schema } };
}

function parametersOf(route: Route, classes: ClassSchemas): Parameter[] {
  const described = route.arguments.flatMap((argument) => argumentParameters(argument, classes));
  const names = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  // A handler may leave out a part of its path, as it does when only its guard reads it.
  const left = names.filter((name) => !described.some((each) => each.in === 'path' && each.name === name));
  return [...left.map((name) => parameter('path', name, { type: 'string' }, true)), ...described];
}

function argumentParameters({ from, name, type }: Argument, classes: ClassSchemas): Parameter[] {
  if (from === 'body') return [];
  if (name !== undefined) {
    const schema: JsonSchema = { type: type === (Number as unknown) ? 'integer' : 'string' };
    return [parameter(from, name, schema, from === 'path')];
  }
  if (BUILT_IN.has(type)) return [];
  const { properties = {}, required = [] } = classes.describe(type);
  return Object.entries(properties).map(([field, schema]) =>
    parameter(from, field, schema, required.includes(field)),
  );
}

function parameter(from: Parameter['in'], name: string, schema: JsonSchema, required: boolean): Parameter {
  const description = from === 'header' ? HEADERS[name] : undefined;
  return { name, in: from, required, ...(description !== undefined && { description }), schema };
}
