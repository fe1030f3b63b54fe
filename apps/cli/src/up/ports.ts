import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';

const LOOPBACK = '127.0.0.1';

/**
 * Below the ports that operating systems hand out by themselves (Linux: from 32768), so that neither an outgoing
 * connection nor a container sits on a port while its program is being restarted.
 */
const RANGE = { from: 20_000, to: 32_000 };
const ATTEMPTS = 1_000;

/** Hands out loopback ports that nobody listens on, and none of them twice, for its owner may not listen yet. */
export class Ports {
  private readonly given = new Set<number>();

  async free(): Promise<number> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const port = randomInt(RANGE.from, RANGE.to);
      if (await this.take(port)) return port;
    }
    throw new Error(`There is no free TCP port from ${RANGE.from} to ${RANGE.to} on ${LOOPBACK}.`);
  }

  /** @returns whether the port is now the caller's */
  async take(port: number): Promise<boolean> {
    if (this.given.has(port)) return false;
    // Before it is known to be free: others may ask for it in the meantime.
    this.given.add(port);
    return isFree(port);
  }

  /**
   * The port written in a file, so that it stays the same from start to start; when it is taken, the preferred one,
   * then any. What was chosen is written to the file.
   */
  async kept(file: string, preferred?: number): Promise<number> {
    const candidates = [existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined, preferred];
    let port: number | undefined;
    for (const candidate of candidates) {
      if (port === undefined && candidate !== undefined && (await this.take(candidate))) port = candidate;
    }
    port ??= await this.free();
    writeFileSync(file, `${port}\n`);
    return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return false;
  const server = createServer();
  try {
    server.listen(port, LOOPBACK);
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
