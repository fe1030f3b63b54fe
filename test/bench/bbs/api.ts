import { Agent, type OutgoingHttpHeaders, request } from 'node:http';

/** A client that does as little as possible, because it shares the processors with what it measures. */
export class Api {
  private readonly agent: Agent;

  constructor(
    private readonly url: string,
    connections: number,
  ) {
    this.agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** Resolves with the whole answer as text; rejects unless its status is 2xx. */
  async call(token: string, method: string, path: string, body?: string): Promise<string> {
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    return (await this.send(method, path, headers, body)).toString();
  }

  /** Resolves with the body of the answer; rejects unless its status is 2xx. */
  send(
    method: string,
    path: string,
    headers: OutgoingHttpHeaders,
    body: string | Buffer | undefined,
  ): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
      const options = { method, headers: { ...headers, ...length }, agent: this.agent };
      const sent = request(`${this.url}${path}`, options, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => {
          const received = Buffer.concat(chunks);
          const { statusCode = 0 } = answer;
          if (statusCode >= 200 && statusCode < 300) resolve(received);
          else
            reject(
              new Error(`${method} ${path} was answered ${statusCode}: ${received.toString('utf8', 0, 500)}`),
            );
        });
        answer.on('error', reject);
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}
