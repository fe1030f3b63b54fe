import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What is wrong with a link. `up` is from whoever connects, `down` is towards them. */
export type LinkFault =
  /** Connections break, and new ones do. */
  | { kind: 'cut' }
  /** Nothing arrives in this direction before the end of the fault, as when packets are lost: TCP sends them again. */
  | { kind: 'loss'; direction: 'up' | 'down' | 'both' }
  /** All that is sent arrives later. */
  | { kind: 'delay'; delayMs: number };

interface Pair {
  client: Socket;
  server: Socket;
}

/** A TCP connection between two programs as a network would have it that can be cut, slow or deaf on one side. */
export class FaultyLink {
  private readonly pairs = new Set<Pair>();
  private readonly listener: Server;
  private fault: LinkFault | undefined;

  private constructor(
    /** Where it leads, on this host; asked for each connection. */
    private readonly upstream: () => number,
    readonly port: number,
  ) {
    this.listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.open(client));
  }

  static async start(port: number, upstream: () => number): Promise<FaultyLink> {
    const link = new FaultyLink(upstream, port);
    link.listener.listen(port, '127.0.0.1');
    await once(link.listener, 'listening');
    return link;
  }

  /** From now on, until `restore`. */
  break(fault: LinkFault): void {
    this.fault = fault;
    if (fault.kind === 'cut') for (const pair of this.pairs) destroy(pair);
    for (const pair of this.pairs) this.steer(pair);
  }

  restore(): void {
    this.fault = undefined;
    for (const pair of this.pairs) this.steer(pair);
  }

  async close(): Promise<void> {
    const closed = once(this.listener, 'close');
    this.listener.close();
    for (const pair of this.pairs) destroy(pair);
    await closed;
  }

  private open(client: Socket): void {
    if (this.fault?.kind === 'cut') {
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    const server = connect({ port: this.upstream(), host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const pair = { client, server };
    this.pairs.add(pair);
    this.carry(client, server, pair);
    this.carry(server, client, pair);
    this.steer(pair);
  }

  private carry(from: Socket, to: Socket, pair: Pair): void {
    const after = (work: () => void): void => {
      if (this.fault?.kind === 'delay') setTimeout(work, this.fault.delayMs);
      else work();
    };
    from.on('data', (chunk: Buffer) =>
      after(() => {
        if (to.destroyed || to.write(chunk)) return;
        from.pause();
        to.once('drain', () => this.steer(pair));
      }),
    );
    from.on('end', () => after(() => to.end()));
    from.on('error', () => destroy(pair));
    from.on('close', () => {
      this.pairs.delete(pair);
      destroy(pair);
    });
  }

  private steer({ client, server }: Pair): void {
    const lost = this.fault?.kind === 'loss' ? this.fault.direction : undefined;
    if (lost === 'up' || lost === 'both') client.pause();
    else client.resume();
    if (lost === 'down' || lost === 'both') server.pause();
    else server.resume();
  }
}

function destroy({ client, server }: Pair): void {
  client.destroy();
  server.destroy();
}
