import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { RiveraError } from '#rivera/models';

export interface PortRange {
  first: number;
  last: number;
}

/**
 * Host ports for containers, chosen by the cell so that an instance can be told its own before it starts (Garden's port
 * pool). A ring: a port that was given back is used again as late as possible. The range lies above the kernel's own
 * for outgoing connections. Cells that share a host begin at different places, and what somebody listens on is skipped.
 */
export class PortPool {
  private readonly taken = new Map<number, string>();
  private next: number;

  constructor(
    private readonly range: PortRange,
    owner: string,
  ) {
    this.next = range.first + (createHash('md5').update(owner).digest().readUInt32BE(0) % this.size);
  }

  /** A port for each container port. Rejects with `unavailable` when the pool is used up. */
  async acquire(guid: string, containerPorts: number[]): Promise<Record<number, number>> {
    const ports: Record<number, number> = {};
    for (const containerPort of new Set(containerPorts)) ports[containerPort] = await this.one(guid);
    return ports;
  }

  /** These are in use by a container of an earlier agent. */
  hold(guid: string, hostPorts: number[]): void {
    for (const port of hostPorts) this.taken.set(port, guid);
  }

  release(guid: string): void {
    for (const [port, holder] of this.taken) if (holder === guid) this.taken.delete(port);
  }

  private get size(): number {
    return this.range.last - this.range.first + 1;
  }

  private async one(guid: string): Promise<number> {
    for (let tries = 0; tries < this.size; tries += 1) {
      const port = this.next;
      this.next = port === this.range.last ? this.range.first : port + 1;
      if (this.taken.has(port)) continue;
      this.taken.set(port, guid);
      if (await isFree(port)) return port;
      this.taken.delete(port);
    }
    const { first, last } = this.range;
    throw new RiveraError('unavailable', `No host port from ${first} to ${last} is free on this cell.`);
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '0.0.0.0');
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return true;
  } catch {
    return false;
  }
}
