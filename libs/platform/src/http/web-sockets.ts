import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { type WebSocket, WebSocketServer } from 'ws';

import { RiveraError } from '#rivera/models';

import { OFFERED_SOCKET, type SocketOffer } from './accept-web-socket.js';

/** How long a client may take to take its leave when the server stops. */
const FAREWELL_MS = 1_000;
const GOING_AWAY = 1001;

/**
 * Lets routes take WebSockets. A request for one goes the way of every other: hooks, guards, pipes and the handler, which
 * takes it with `acceptWebSocket`, or refuses it with a problem document like any request.
 */
export function routeWebSockets(fastify: FastifyInstance, options: { maxMessageBytes: number }): void {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: options.maxMessageBytes,
    perMessageDeflate: false,
  });
  const serve = ({ request, socket, head }: Upgrade): void => {
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.once('finish', () => socket.end());
    // Node does this for requests of its own: without it, whoever writes more than the connection takes waits for ever.
    const drained = (): boolean => response.emit('drain');
    socket.on('drain', drained);
    const accept = (): Promise<WebSocket> =>
      new Promise((resolve, reject) => {
        socket.once('close', () => reject(new RiveraError('unavailable', 'The client has gone.')));
        response.detachSocket(socket);
        socket.off('drain', drained);
        sockets.handleUpgrade(request, socket, head, resolve);
      });
    if (isWellFormed(request)) (request as OfferingRequest)[OFFERED_SOCKET] = { accept };
    fastify.routing(request, response);
  };
  fastify.server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    whenAnswered(socket, () => {
      if (isForWebSocket(request)) serve({ request, socket, head });
      else serveWithoutUpgrade(fastify.server, { request, socket, head });
    });
  });
  fastify.addHook('preClose', (done) => {
    for (const client of sockets.clients) client.close(GOING_AWAY, 'this server is shutting down');
    setTimeout(() => sockets.clients.forEach((client) => client.terminate()), FAREWELL_MS).unref();
    done();
  });
}

function isForWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
}

/** What `ws` would refuse without a problem document. */
function isWellFormed({ headers }: IncomingMessage): boolean {
  return (
    /^[+/0-9a-z]{22}==$/i.test(headers['sec-websocket-key'] ?? '') &&
    headers['sec-websocket-version'] === '13'
  );
}

type OfferingRequest = IncomingMessage & { [OFFERED_SOCKET]?: SocketOffer };

interface Upgrade {
  request: IncomingMessage;
  socket: Socket;
  head: Buffer;
}

/** Node hands over a connection also while it still answers what was asked on it before. */
function whenAnswered(socket: Socket & { _httpMessage?: ServerResponse | null }, then: () => void): void {
  const before = socket._httpMessage;
  if (before) before.once('close', () => whenAnswered(socket, then));
  else if (!socket.destroyed) then();
}

/**
 * Other protocols nobody gets: the request is served as if it had not asked (RFC 9110, 7.8), as clients of HTTP/2 expect
 * that try for it with every request. Node has let go of the connection, so it gets it back from the beginning.
 */
function serveWithoutUpgrade(server: Server, { request, socket, head }: Upgrade): void {
  const { method, url, httpVersion, rawHeaders } = request;
  const fields: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (!/^(upgrade|http2-settings)$/i.test(name)) fields.push(`${name}: ${rawHeaders[at + 1]}`);
  }
  const start = [`${method} ${url} HTTP/${httpVersion}`, ...fields].join('\r\n');
  socket.removeAllListeners('error');
  socket.unshift(Buffer.concat([Buffer.from(`${start}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}
