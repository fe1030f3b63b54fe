import type { ApiDocument, Route } from './document.js';
import { hostileText } from './hostile.js';
import { mutate, spoil } from './mutate.js';
import { oddRequest } from './odd-request.js';
import type { Random } from './random.js';
import { Sampler, type Schema } from './sample.js';
import { CELL_IDS, type Tokens } from './tokens.js';
import { type Draft, escaped, type FuzzRequest, headerSafe, pipelined, written } from './wire.js';

const CONTENT_TYPES = [
  'text/plain',
  'application/xml',
  'application/json; charset=utf-16',
  'application/json;;;',
  '*/*',
  '',
  'application/jsonx',
  'multipart/form-data; boundary=x',
  'application/x-www-form-urlencoded',
  'APPLICATION/JSON',
  'application/json\t',
  '/',
  'é/ü',
];
const CODINGS = ['gzip', 'br', 'deflate', 'zstd', 'nonsense', 'gzip, gzip', ''];
const ODD_METHODS = [
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'PURGE',
  'LOCK',
  'MKCOL',
  'SEARCH',
  'HEAD',
  'PUT',
  'POST',
  'PATCH',
  'DELETE',
  'GET',
];
const ODD_PATHS = [
  '/',
  '//',
  '/*',
  '/v1',
  '/v1/',
  '/v1//tasks',
  '/v1/tasks/',
  '/v1/tasks/%',
  '/v1/tasks/%zz',
  '/v1/tasks/%00',
  '/v1/tasks/%ff%fe',
  '/v1/tasks/..%2f..%2fetc%2fpasswd',
  '/v1/tasks/../../etc/passwd',
  '/docs/..%2f..%2fpackage.json',
  '/docs/%2e%2e/package.json',
  '/docs/....//package.json',
  '/v1/desired-lrps/constructor',
  '/v1/desired-lrps/__proto__',
  '/v1/tasks/;a=b',
  '/v1/tasks/a?b?c',
  '/v1/tasks#x',
  '/V1/TASKS',
  '/v1/actual-lrps/g-1/-1',
  '/v1/actual-lrps/g-1/1e3',
  '/v1/actual-lrps/g-1/99999999999999999999',
  '/v1/tasks/g-1/cancel/x',
  'http://elsewhere.example.com/v1/tasks',
  '/v1/cells/cell-1/presence/../../../tasks',
];

/** Makes requests: about a third valid, the rest wrong in one way or another. */
export class RequestMaker {
  private readonly sampler: Sampler;
  private readonly routes: readonly Route[];

  constructor(
    private readonly options: {
      document: ApiDocument;
      routes: readonly Route[];
      tokens: Tokens;
      random: Random;
    },
  ) {
    // What changes something is where most can go wrong.
    const writes = options.routes.filter(({ method }) => method !== 'GET');
    this.routes = [...options.routes, ...writes, ...writes];
    this.sampler = new Sampler(options.document.components.schemas, options.random);
  }

  /** `isHopeless`: none of it may change anything. */
  make(isHopeless: boolean): FuzzRequest {
    const { random } = this.options;
    const one = (): FuzzRequest => {
      const draft = this.draft(isHopeless);
      return written(draft, { isChunked: random.chance(0.1), random });
    };
    return random.weighted<FuzzRequest>([
      [90, one],
      [4, () => pipelined(random.times(2 + random.below(4), one))],
      [3, () => oddRequest(this.draft(isHopeless), random)],
      [1, () => this.cut(this.draft(isHopeless))],
    ]);
  }

  private draft(isHopeless: boolean): Draft {
    const { random } = this.options;
    const route = random.pick(this.routes);
    const isTrusted = random.chance(0.75);
    const cellId = random.pick(CELL_IDS);
    const draft: Draft = {
      route,
      method: route.method,
      target: this.target(route, { cellId, isHopeless }),
      headers: [['host', 'fuzz.example.com'], ...this.authorization(route, { isTrusted, cellId })],
      mustBeRefused: !isTrusted && route.operation.security.length > 0,
    };
    for (const { name, in: place } of route.operation.parameters) {
      if (place === 'header' && random.chance(0.3)) draft.headers.push([name, this.conditionalHeader(name)]);
    }
    if (random.chance(0.1)) draft.headers.push(...this.absurdHeaders());
    const body = this.body(route, isHopeless && isTrusted);
    if (body !== undefined) {
      draft.body = body;
      draft.headers.push([
        'content-type',
        random.chance(0.93) ? 'application/json' : random.pick(CONTENT_TYPES),
      ]);
      if (random.chance(0.02)) draft.headers.push(['content-encoding', random.pick(CODINGS)]);
    }
    if (isHopeless) return draft;
    if (random.chance(0.03)) draft.method = random.pick(ODD_METHODS);
    if (random.chance(0.04)) Object.assign(draft, { target: random.pick(ODD_PATHS), mustBeRefused: false });
    return draft;
  }

  private authorization(
    route: Route,
    { isTrusted, cellId }: { isTrusted: boolean; cellId: string },
  ): Draft['headers'] {
    const { random, tokens } = this.options;
    const [security] = route.operation.security;
    if (isTrusted) return [['authorization', `Bearer ${tokens.right(security?.token ?? [], cellId)}`]];
    const value = tokens.garbage(random);
    return value === undefined ? [] : [['authorization', value]];
  }

  private target(
    { path, method, operation }: Route,
    { cellId, isHopeless }: { cellId: string; isHopeless: boolean },
  ): string {
    const { random } = this.options;
    const part = (name: string, schema: Schema): string => {
      const isSpoilt = isHopeless && operation.requestBody === undefined && method !== 'GET';
      if (name === 'cellId' && !isSpoilt) return cellId;
      if (isHopeless) return name === 'index' ? '0' : `nobody-${random.below(100)}`;
      if (random.chance(0.1)) return escaped(hostileText(random));
      return name === 'domain'
        ? `domain-${random.below(20)}`
        : escaped(String(this.sampler.sample(schema, `${name}Guid`)));
    };
    let target = path;
    const query: string[] = [];
    for (const { name, in: place, schema, required } of operation.parameters) {
      if (place === 'path') target = target.replace(`{${name}}`, part(name, schema));
      if (place !== 'query' || !(required || random.chance(0.2))) continue;
      const values = [this.sampler.sample(schema, name)].flat();
      for (const value of values)
        query.push(`${name}=${escaped(random.chance(0.9) ? String(value) : hostileText(random))}`);
    }
    if (random.chance(0.03)) query.push(...this.absurdQuery());
    return query.length === 0 ? target : `${target}?${query.join('&')}`;
  }

  private absurdQuery(): string[] {
    const { random } = this.options;
    return random.pick([
      ['__proto__[x]=1', 'constructor=1', 'toString=1'],
      ['limit=1', 'limit=2'],
      ['after=%00', 'domain=%ff', 'a=%'],
      ['&&&===', '=', '?'],
      random.times(1_200, () => 'processGuid=g'),
      [`after=${'x'.repeat(5_000)}`],
      [`${escaped(hostileText(random)).slice(0, 500)}=1`],
    ]);
  }

  private conditionalHeader(name: string): string {
    const { random } = this.options;
    const good: Record<string, string[]> = {
      'if-match': ['*', '"epoch:0"'],
      'idempotency-key': ['key-1', 'key-2'],
      'last-event-id': ['0', '1-1'],
    };
    return random.chance(0.6) ? random.pick(good[name] ?? ['x']) : headerSafe(hostileText(random));
  }

  private absurdHeaders(): Draft['headers'] {
    const { random } = this.options;
    return random.pick<Draft['headers']>([
      [['traceparent', headerSafe(hostileText(random))]],
      [['traceparent', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`]],
      [['x-request-id', headerSafe(hostileText(random))]],
      [
        ['accept', 'text/html'],
        ['accept-encoding', 'gzip, br, zstd, nonsense;q=x'],
      ],
      [
        ['x-forwarded-for', '1.1.1.1'],
        ['x-forwarded-host', 'evil.example.com'],
        ['x-http-method-override', 'DELETE'],
      ],
      [
        ['if-none-match', '*'],
        ['range', 'bytes=0-1'],
      ],
      [['cookie', 'a=b; '.repeat(200)]],
      [['expect', '100-continue']],
      [
        ['upgrade', 'websocket'],
        ['connection', 'upgrade'],
      ],
      [['connection', 'close']],
      random.times(300, () => ['x-many', 'x']),
    ]);
  }

  private body({ operation, method }: Route, mustFail: boolean): Buffer | undefined {
    const { random } = this.options;
    const schema = operation.requestBody?.content['application/json']?.schema;
    if (schema === undefined) {
      return method !== 'GET' && random.chance(0.1) ? spoil('{"a":1}', random) : undefined;
    }
    const valid = this.sampler.sample(schema) as object;
    // A field that no class knows makes any body invalid.
    if (mustFail) return Buffer.from(JSON.stringify({ ...valid, fuzz: true }));
    return random.weighted<Buffer>([
      [4, () => Buffer.from(JSON.stringify(valid))],
      [4, () => Buffer.from(JSON.stringify(mutate(valid, random)) ?? '')],
      [2, () => spoil(JSON.stringify(valid), random)],
    ]);
  }

  /** A body that never ends; then the connection does. */
  private cut(draft: Draft): FuzzRequest {
    const { random } = this.options;
    const body = draft.body ?? Buffer.from('{"a":1}');
    const { bytes } = written({ ...draft, body }, { isChunked: random.chance(0.5), random });
    const end = bytes.length - 1 - random.below(Math.max(1, body.length - 1));
    return {
      bytes: bytes.subarray(0, end),
      methods: [draft.method],
      kind: 'cut',
      routes: ['cut off'],
      mustBeRefused: [draft.mustBeRefused],
    };
  }
}
