import type { IncomingMessage } from 'node:http';

import { requirePlainJson, RiveraError } from '#rivera/models';
import type { FastifyAdapter } from '@nestjs/platform-fastify';

import { refuseClientError } from './client-error.js';
import { closeUnusedConnections } from './close-unused-connections.js';
import type { HttpReply, HttpRequest } from './http-types.js';
import { lingerAfter } from './linger.js';
import { toRefusal } from './refusal.js';
import { requestIdOf } from './request-id.js';
import { sendProblem } from './send-problem.js';
import { traceContextOf, traceIdOf, traceResponse } from './trace-context.js';

export interface FastifyAdapterOptions {
  /** Largest request body, in bytes; more is refused with 413. */
  bodyLimitBytes: number;
}

/** Time to send a request completely. Answers may take as long as they like (event streams). */
const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than the 60 s idle time-out of common load balancers, which otherwise reuse a connection that is just closing. */
const KEEP_ALIVE_MS = 72_000;
/** Guids are parts of paths; Fastify's own limit is 100. */
const MAX_PATH_PART_LENGTH = 512;
/** The largest message that a WebSocket takes. */
const MAX_MESSAGE_BYTES = 1024 * 1024;

type Done = (error: Error | null, body?: unknown) => void;

/**
 * The HTTP server under a Nest app. Each request has a trace id as `request.id` (from `traceparent`, or new), a
 * span as `request.trace`, and the answer carries `traceresponse` and `x-request-id`. Bodies are JSON only. Fastify is loaded here, so that apps without HTTP need not.
 */
export async function createFastifyAdapter(options: FastifyAdapterOptions): Promise<FastifyAdapter> {
  const { FastifyAdapter: Adapter } = await import('@nestjs/platform-fastify');
  const { routeWebSockets } = await import('./web-sockets.js');

  class JsonOnlyAdapter extends Adapter {
    private hasParser = false;

    override get isParserRegistered(): boolean {
      return this.hasParser;
    }

    override registerParserMiddleware(): void {
      if (this.hasParser) return;
      this.instance.removeAllContentTypeParsers();
      this.instance.addContentTypeParser('application/json', { parseAs: 'string' }, parseJson);
      this.hasParser = true;
    }
  }

  const adapter = new JsonOnlyAdapter({
    trustProxy: false,
    bodyLimit: options.bodyLimitBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // What came before the connection was closed is served: nobody could tell that it was not.
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PATH_PART_LENGTH },
    // The router refuses malformed paths before any filter can see them.
    frameworkErrors: (error: Error, request: unknown, reply: unknown) =>
      refuse(error, request as HttpRequest, reply as HttpReply),
    clientErrorHandler: refuseClientError,
    // Node's own refusal has no body; see `missingHost`.
    http: { requireHostHeader: false },
    genReqId: (request: { headers: HttpRequest['headers'] }) => traceIdOf(request.headers),
  });
  const instance = adapter.getInstance();
  // Node refuses expectations it does not know with an answer that has no body; they may as well be ignored (RFC 9110).
  instance.server.on('checkExpectation', (request, response) =>
    instance.server.emit('request', request, response),
  );
  routeWebSockets(instance, { maxMessageBytes: MAX_MESSAGE_BYTES });
  const stopping = closeUnusedConnections(instance.server);
  instance.addHook('preClose', (done) => {
    stopping();
    done();
  });
  instance.addHook('onRequest', (request, reply, done) => {
    const trace = traceContextOf(request.headers, request.id);
    (request as HttpRequest).trace = trace;
    reply.header('traceresponse', traceResponse(trace));
    reply.header('x-request-id', requestIdOf(request.headers) ?? request.id);
    done(missingHost(request.raw));
  });
  instance.addHook('onSend', (request, _reply, _payload, done) => {
    lingerAfter(request.raw);
    done();
  });
  return adapter;
}

function refuse(error: Error, request: HttpRequest, reply: HttpReply): void {
  sendProblem(toRefusal(error, request), request, reply);
}

/** A request of HTTP/1.1 names its host (RFC 9112). */
function missingHost({ httpVersion, headers }: IncomingMessage): Error | undefined {
  if (httpVersion === '1.0' || headers.host !== undefined) return undefined;
  return new RiveraError('invalid-request', 'The request has no Host header.');
}

/** An empty body is no body: a DELETE or POST that needs none may still name a content type. */
function parseJson(_request: unknown, text: string | Buffer, done: Done): void {
  if (text.length === 0) return done(null, undefined);
  let body: unknown;
  try {
    body = readJson(text.toString());
    // Here and not only where a class describes the body, so that no route can be reached by such a thing.
    requirePlainJson(body);
  } catch (error) {
    return done(error as Error);
  }
  done(null, body);
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // V8's message names the place; newer versions also quote the text around it, which may hold secrets.
    const place = /at position \d+/.exec(String(error))?.[0];
    const sentence = `The request body is not valid JSON${place === undefined ? '' : ` (${place})`}.`;
    throw new RiveraError('invalid-request', sentence);
  }
}
