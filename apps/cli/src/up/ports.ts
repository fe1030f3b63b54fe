import { once } from 'node:events';
import { readFileSync, writeFileSync, existsSync } from 'node:fs';
import { createServer } from 'node:net';

const LOOPBACK = '127.0.0.1';

/** A loopback port that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const port = await tryPort(0);
  if (port === undefined) throw new Error('There is no free TCP port on 127.0.0.1.');
  return port;
}

/** Several different ones. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

export async function isFree(port: number): Promise<boolean> {
  return (await tryPort(port)) !== undefined;
}

/**
 * The port written in a file, so that it stays the same from start to start; when it is taken, the preferred one, then
 * any. What was chosen is written to the file.
 */
export async function keptPort(file: string, preferred?: number): Promise<number> {
  const candidates = [existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined, preferred];
  let port: number | undefined;
  for (const candidate of candidates) {
    if (port === undefined && candidate !== undefined && (await isFree(candidate))) port = candidate;
  }
  port ??= await freePort();
  writeFileSync(file, `${port}\n`);
  return port;
}

async function tryPort(port: number): Promise<number | undefined> {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) return undefined;
  const server = createServer();
  try {
    server.listen(port, LOOPBACK);
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' ? address?.port : undefined;
  } catch {
    return undefined;
  } finally {
    server.close();
  }
}
