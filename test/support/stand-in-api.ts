import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  method: string;
  /** Path and query as they were sent. */
  url: string;
  headers: IncomingHttpHeaders;
  /** Parsed JSON, `undefined` when there was no body. */
  body: unknown;
}

export interface Answer {
  status?: number;
  headers?: Record<string, string>;
  /** Sent as JSON unless it is a string. */
  body?: unknown;
}

/** `undefined` when the handler deals with the response itself. */
export type Handler = (seen: SeenRequest, response: ServerResponse) => Answer | undefined;

/** A small HTTP server in place of bbs, for tests of what talks to it: it records requests and answers as told. */
export class StandInApi {
  readonly requests: SeenRequest[] = [];

  private constructor(
    private readonly server: Server,
    readonly url: string,
    public handler: Handler,
  ) {}

  static async start(handler: Handler = () => ({ body: {} }), wantedPort = 0): Promise<StandInApi> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(wantedPort, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const api = new StandInApi(server, `http://127.0.0.1:${port}`, handler);
    server.on('request', (request, response) => void api.serve(request, response));
    return api;
  }

  /** Like `GET /v1/cells`, in the order they came. */
  get routes(): string[] {
    return this.requests.map(({ method, url }) => `${method} ${url}`);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const seen: SeenRequest = {
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      body: text === '' ? undefined : JSON.parse(text),
    };
    this.requests.push(seen);
    const answer = this.handler(seen, response);
    if (!answer) return;
    const { status = 200, headers = {}, body } = answer;
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  }
}
