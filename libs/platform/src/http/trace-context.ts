import { randomUUID } from 'node:crypto';

type Headers = Record<string, string | string[] | undefined>;

/** Where a request stands in a trace (W3C Trace Context). */
export interface TraceContext {
  /** 32 hexadecimal digits; of the client's `traceparent`, or new. */
  traceId: string;
  /** 16 hexadecimal digits; our part of the trace, new for each request. */
  spanId: string;
  /** `01` when the client may have recorded its part, else `00`; passed on as it came. */
  flags: string;
}

/** Version `ff` and ids of zeros are invalid; version `00` ends after the flags, later ones may go on. */
const TRACE_PARENT =
  /^(?:00(?=-.{52}$)|(?!00|ff)[\da-f]{2})-(?!0{32})(?<traceId>[\da-f]{32})-(?!0{16})[\da-f]{16}-(?<flags>[\da-f]{2})(?:-|$)/;
const NOT_SAMPLED = '00';

/** The trace id of the header `traceparent`, or a new one. */
export function traceIdOf(headers: Headers): string {
  return parse(headers)?.['traceId'] ?? randomUUID().replaceAll('-', '');
}

/** The context of one request, whose trace id has been read (or made) by `traceIdOf`. */
export function traceContextOf(headers: Headers, traceId: string): TraceContext {
  // Only the sampled bit has a meaning we know.
  const isSampled = (Number.parseInt(parse(headers)?.['flags'] ?? NOT_SAMPLED, 16) & 1) === 1;
  return { traceId, spanId: newSpanId(), flags: isSampled ? '01' : NOT_SAMPLED };
}

/** Value of the header `traceresponse` (Trace Context, level 2): which trace the client finds its request under. */
export function traceResponse({ traceId, spanId, flags }: TraceContext): string {
  return `00-${traceId}-${spanId}-${flags}`;
}

/**
 * Value of the header `traceparent` for a call made on behalf of a request, with a span id of its own:
 * `outgoingTraceparent(request.id, request.trace?.flags)`. Without flags the trace counts as not sampled.
 */
export function outgoingTraceparent(traceId: string, flags = NOT_SAMPLED): string {
  return `00-${traceId}-${newSpanId()}-${flags}`;
}

function parse(headers: Headers): Record<string, string> | undefined {
  return TRACE_PARENT.exec(String(headers['traceparent'] ?? ''))?.groups;
}

function newSpanId(): string {
  // Node has the random bits of UUIDs in stock; these 16 digits hold the variant, so they are never all zero.
  return randomUUID().slice(19).replace('-', '');
}
