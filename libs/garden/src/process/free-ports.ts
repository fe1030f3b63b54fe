import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/** Host ports nobody listens on and no other container was given, one for each container port. */
export class FreePorts {
  private readonly taken = new Set<number>();

  constructor(private readonly address: string) {}

  take(port: number): void {
    this.taken.add(port);
  }

  release(ports: number[]): void {
    for (const port of ports) this.taken.delete(port);
  }

  async allocate(): Promise<number> {
    for (;;) {
      const server = createServer();
      server.listen(0, this.address);
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      server.close();
      await once(server, 'close');
      if (this.taken.has(port)) continue;
      this.taken.add(port);
      return port;
    }
  }
}
