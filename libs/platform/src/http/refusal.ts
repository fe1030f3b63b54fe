import { type ErrorCode, RiveraError } from '#rivera/models';
import { HttpException } from '@nestjs/common';

import type { HttpRequest } from './http-types.js';
import { PROBLEM_TABLE } from './problem.js';

/** What a client is told: an error of ours and the HTTP status, which may be narrower than the code's own. */
export interface Refusal {
  error: RiveraError;
  status: number;
}

const CODE_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not-found',
  409: 'conflict',
  413: 'payload-too-large',
  415: 'unsupported',
  422: 'unsupported',
  429: 'too-many-requests',
  503: 'unavailable',
};

/** Fastify's refusals, in our words. */
const FASTIFY_SENTENCES: Readonly<Record<string, string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'The request body is larger than this server accepts; send less at a time.',
  FST_ERR_CTP_INVALID_MEDIA_TYPE:
    'The request body must be JSON; send the header "Content-Type: application/json".',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'The request body is not as long as its Content-Length header says.',
  FST_ERR_BAD_URL: 'The URL is not well-formed; encode special characters with percent signs.',
  FST_ERR_MAX_PARAM_LENGTH: 'A part of the path is too long.',
};

/**
 * Finds out what to tell the client about an exception: our own errors as they are, Nest's and Fastify's in our words,
 * and of everything else only that it happened.
 */
export function toRefusal(exception: unknown, request: HttpRequest): Refusal {
  if (exception instanceof RiveraError) return refuse(exception);
  // Nest wraps some of Fastify's errors and passes others on.
  const fromFastify = refuseForFastify(exception instanceof HttpException ? exception.cause : exception);
  if (fromFastify !== undefined) return fromFastify;
  if (exception instanceof HttpException) return fromNest(exception, request);
  return refuse(new RiveraError('internal', 'Something unexpected happened.'));
}

function refuseForFastify(exception: unknown): Refusal | undefined {
  if (!(exception instanceof Error)) return undefined;
  const { statusCode: status, code } = exception as Error & { statusCode?: unknown; code?: unknown };
  // Errors of other libraries carry a statusCode too, which says nothing about this request.
  const isFastify = typeof code === 'string' && (code.startsWith('FST_') || code === 'ECONNRESET');
  if (!isFastify || typeof status !== 'number' || status >= 500) return undefined;
  const sentence = FASTIFY_SENTENCES[code] ?? 'The request could not be read.';
  return refuse(new RiveraError(codeFor(status), sentence), status);
}

function fromNest(exception: HttpException, request: HttpRequest): Refusal {
  const status = exception.getStatus();
  const isTellable = status < 500 || status === 503;
  if (!isTellable) return refuse(new RiveraError('internal', 'Something unexpected happened.'));
  const isUnknownRoute = status === 404 && exception.message.startsWith('Cannot ');
  const sentence = isUnknownRoute
    ? `There is no route ${request.method} ${pathOf(request)}; check the method and the path.`
    : exception.message;
  return refuse(new RiveraError(codeFor(status), sentence), status);
}

function refuse(error: RiveraError, status = PROBLEM_TABLE[error.code].status): Refusal {
  return { error, status };
}

function codeFor(status: number): ErrorCode {
  return CODE_BY_STATUS[status] ?? 'invalid-request';
}

/** The path without the query, which may hold what should not be repeated. */
export function pathOf(request: Pick<HttpRequest, 'url'>): string {
  return request.url.split('?', 1)[0] ?? '';
}
