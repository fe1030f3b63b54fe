import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the range that systems take the ports of outgoing connections from: a server that is down keeps its port. */
const FIRST_PORT = 20_000;
const LAST_PORT = 30_000;

/** What was given out may not be listened on yet. */
const given = new Set<number>();

/** Ports of the loopback interface that nobody listens on right now, each given out once. */
export async function stablePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
