import { randomUUID } from 'node:crypto';

type Headers = Record<string, string | string[] | undefined>;

const TRACE_PARENT = /^[\da-f]{2}-(?<traceId>[\da-f]{32})-[\da-f]{16}-[\da-f]{2}/;
const NO_TRACE = '0'.repeat(32);
const REQUEST_ID = /^[\w.:/+=-]{1,128}$/;

/** The trace id of W3C Trace Context (`traceparent`), or a new one: 32 hexadecimal digits. */
export function traceIdOf(headers: Headers): string {
  const traceId = TRACE_PARENT.exec(String(headers['traceparent'] ?? ''))?.groups?.['traceId'];
  return traceId === undefined || traceId === NO_TRACE ? randomUUID().replaceAll('-', '') : traceId;
}

/** What the client calls its request, when that is fit to be sent back in a header. */
export function requestIdOf(headers: Headers): string | undefined {
  const given = headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : undefined;
}
