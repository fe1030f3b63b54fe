import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Lets a server that stops close connections on which nothing was ever asked (browsers and HTTP clients open them ahead
 * of time). Node closes the idle ones, which are those that were used, and waits for these.
 *
 * @param event a server over TLS says `secureConnection`
 * @returns what to call when the server begins to stop
 */
export function closeUnusedConnections(
  server: Server,
  event: 'connection' | 'secureConnection' = 'connection',
): () => void {
  const unused = new Set<Socket>();
  let isStopping = false;
  server.on(event, (socket: Socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
    if (isStopping) socket.destroy();
  });
  server.on('request', ({ socket }) => unused.delete(socket));
  server.on('upgrade', ({ socket }) => unused.delete(socket));
  return () => {
    isStopping = true;
    for (const socket of unused) socket.destroy();
  };
}
