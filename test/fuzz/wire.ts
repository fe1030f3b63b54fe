import type { ApiOperation, Route } from './document.js';
import type { Sent } from './exchange.js';
import type { Random } from './random.js';

export interface FuzzRequest extends Sent {
  /** The route of each request in it. */
  routes: string[];
  /** Of each request in it: nobody may be let in with this token. */
  mustBeRefused: boolean[];
}

/** One request before it is written down. */
export interface Draft {
  route: Route;
  method: string;
  target: string;
  headers: [name: string, value: string][];
  mustBeRefused: boolean;
  body?: Buffer;
}

/** Several requests at once on one connection. */
export function pipelined(requests: FuzzRequest[]): FuzzRequest {
  // A stream has no end, so nothing may come after it.
  const finite = requests.filter(({ kind }) => kind === 'regular');
  if (finite.length === 0 && requests[0] !== undefined) return requests[0];
  return {
    bytes: Buffer.concat(finite.map(({ bytes }) => bytes)),
    methods: finite.flatMap(({ methods }) => methods),
    kind: finite.length === 1 ? 'regular' : 'odd',
    routes: finite.flatMap(({ routes }) => routes),
    mustBeRefused: finite.flatMap(({ mustBeRefused }) => mustBeRefused),
  };
}

/** The bytes of a request. */
export function written(
  draft: Draft,
  { isChunked, random }: { isChunked: boolean; random: Random },
): FuzzRequest {
  const { route, method, target, headers, body } = draft;
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  if (body !== undefined) {
    lines.push(isChunked ? 'transfer-encoding: chunked\r\n' : `content-length: ${body.length}\r\n`);
  } else if (method !== 'GET' && method !== 'HEAD' && random.chance(0.5)) {
    lines.push('content-length: 0\r\n');
  }
  const head = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
  const content = body === undefined ? [] : isChunked ? chunks(body, random) : [body];
  const isStream = method === 'GET' && isStreamed(route.operation);
  return {
    bytes: Buffer.concat([head, ...content]),
    methods: [method],
    kind: isStream ? 'stream' : 'regular',
    routes: [route.name],
    mustBeRefused: [draft.mustBeRefused],
  };
}

function isStreamed({ responses }: ApiOperation): boolean {
  return Object.values(responses).some(({ content = {} }) => 'text/event-stream' in content);
}

function chunks(body: Buffer, random: Random): Buffer[] {
  const size = 1 + random.below(body.length + 1);
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; at += size) {
    const part = body.subarray(at, at + size);
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'));
  }
  return [...parts, Buffer.from('0\r\n\r\n')];
}

/** In a path or query; half surrogate pairs cannot be written there. */
export function escaped(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString());
}

/** Without what would end the header, and short enough for all headers to be read. */
export function headerSafe(text: string): string {
  return Buffer.from(text.slice(0, 2_000).replaceAll(/[\0-\x1f\x7f]/g, '?'), 'utf8').toString('latin1');
}
