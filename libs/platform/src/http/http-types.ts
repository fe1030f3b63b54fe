import type { ErrorCode } from '#rivera/models';

import type { Principal } from '../auth/principal.js';
import type { TraceContext } from './trace-context.js';

/** What this lib uses of a Fastify request; named here so that apps without HTTP never load Fastify. */
export interface HttpRequest {
  /** The trace id of the request (see `createFastifyAdapter`). */
  id: string;
  method: string;
  url: string;
  headers: Record<string, string | string[] | undefined> & { authorization?: string };
  params?: Record<string, string>;
  /** Set by `JwtAuthGuard`, so on every route that is not public. */
  user?: Principal;
  /** Set by `createFastifyAdapter`. */
  trace?: TraceContext;
  /** Set when the request was refused, for the audit log. */
  refusedAs?: ErrorCode;
}

/** What this lib uses of a Fastify reply. */
export interface HttpReply {
  sent: boolean;
  raw: { headersSent: boolean; destroy(): unknown };
  status(code: number): HttpReply;
  header(name: string, value: string): HttpReply;
  send(body: unknown): HttpReply;
}
