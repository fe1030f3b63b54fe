import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** As long as a request may take at most to be skipped; a client that has read the answer stops long before. */
const LINGER_MS = 5_000;

/**
 * Lets a refusal arrive that is sent before all of its request was read. Whoever closes a connection with bytes unread
 * makes the system reset it, and a reset may overtake the answer: so only our side is closed, and what still comes is
 * skipped until the request ends (RFC 9112, section 9.6). Does nothing to a connection
 * that stays open, or is gone already.
 */
export function lingerAfter(request: IncomingMessage): void {
  const socket = request.socket as Socket | null;
  if (request.complete || socket === null) return;
  let isClosing = false;
  socket.destroySoon = () => {
    isClosing = true;
    socket.end();
    const patience = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(patience));
  };
  request.once('end', () => {
    // The method of every socket shows through again.
    Reflect.deleteProperty(socket, 'destroySoon');
    if (isClosing) socket.destroySoon();
  });
}
