import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Mode = 'good' | 'broken' | 'silent' | 'endless';

/** An issuer's URL that publishes a JSON Web Key Set, or fails to in the ways URLs do. */
export class KeySetServer {
  /** What it publishes. */
  keys: object[] = [];
  /** `broken` answers 500, `silent` never answers, `endless` never stops. */
  mode: Mode = 'good';
  requests = 0;

  private constructor(private readonly server: Server) {
    server.on('request', (_request, response: ServerResponse) => {
      this.requests += 1;
      this.answer(response);
    });
  }

  static async start(): Promise<KeySetServer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new KeySetServer(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/keys`;
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  private answer(response: ServerResponse): void {
    if (this.mode === 'silent') return;
    if (this.mode === 'endless') return pour(response);
    response.writeHead(this.mode === 'good' ? 200 : 500, { 'content-type': 'application/jwk-set+json' });
    response.end(JSON.stringify({ keys: this.keys }));
  }
}

function pour(response: ServerResponse): void {
  while (!response.destroyed && response.write(' '.repeat(65_536)));
  response.once('drain', () => pour(response));
}
