import type { WebSocket } from 'ws';

import { RiveraError } from '#rivera/models';

/** Where a request that asks for a WebSocket holds it. */
export const OFFERED_SOCKET = Symbol('offered-socket');

export interface SocketOffer {
  /** Rejects with `unavailable` when the client has gone. */
  accept(): Promise<WebSocket>;
}

interface Request {
  raw: { [OFFERED_SOCKET]?: SocketOffer };
}

interface Reply {
  hijack(): unknown;
}

/**
 * For routes that need a WebSocket, before anything is done for the request.
 *
 * @throws RiveraError `upgrade-required`
 */
export function requireUpgrade(request: object): void {
  if ((request as Request).raw[OFFERED_SOCKET] !== undefined) return;
  throw new RiveraError(
    'upgrade-required',
    'This route speaks WebSocket (RFC 6455, version 13); send the handshake that WebSocket clients send.',
  );
}

/** Answers a request with the WebSocket it asks for; see `routeWebSockets`. Throws as `requireUpgrade` does. */
export function acceptWebSocket(request: object, reply: Reply): Promise<WebSocket> {
  requireUpgrade(request);
  const offer = (request as Request).raw[OFFERED_SOCKET]!;
  reply.hijack();
  return offer.accept();
}
