import type { RiveraError } from '#rivera/models';

import type { HttpReply, HttpRequest } from './http-types.js';
import { type Problem, PROBLEM_CONTENT_TYPE, PROBLEM_TABLE } from './problem.js';
import { pathOf, type Refusal } from './refusal.js';

/** Answers a request with a problem document and the headers that belong to it. */
export function sendProblem(refusal: Refusal, request: HttpRequest, reply: HttpReply): void {
  request.refusedAs = refusal.error.code;
  for (const [name, value] of Object.entries(headersFor(refusal.error))) reply.header(name, value);
  reply.status(refusal.status).send(toProblem(refusal, request));
}

/** What the client is told. */
export function toProblem({ error, status }: Refusal, request: Pick<HttpRequest, 'id' | 'url'>): Problem {
  const { fields } = error.details;
  const isInternal = error.code === 'internal';
  return {
    type: `urn:rivera:problem:${error.code}`,
    title: PROBLEM_TABLE[error.code].title,
    status,
    code: error.code,
    detail: isInternal
      ? 'Rivera failed to handle this request; its log has the cause under the trace id given here.'
      : error.message,
    ...(fields === undefined || isInternal ? {} : { fields }),
    traceId: request.id,
    instance: pathOf(request),
  };
}

function headersFor(error: RiveraError): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': PROBLEM_CONTENT_TYPE };
  if (error.code === 'unauthenticated') headers['www-authenticate'] = 'Bearer realm="rivera"';
  const { retryAfterMs } = error.details;
  if (typeof retryAfterMs === 'number') headers['retry-after'] = String(Math.ceil(retryAfterMs / 1000));
  return headers;
}
