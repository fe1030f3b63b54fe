import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Error as WireErrorMessage, ErrorType } from '#rivera/diego-wire';
import { closeUnusedConnections, type ListenAddress, type RiveraLogger } from '#rivera/platform';
import type { MutualTls } from './diego.config.js';
import { sendMessage, TOO_LARGE, type WireRoute } from './wire-route.js';

/** Time to send a request completely. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Diego's client keeps idle connections for 90 s; one that closes under its next request would cost it a retry. */
const KEEP_ALIVE_MS = 120_000;

export interface WireServerOptions {
  listen: ListenAddress;
  /** Undefined: plain text. */
  tls?: MutualTls;
  /** What is at a path; undefined: nothing. */
  routeAt: (path: string) => WireRoute | undefined;
  /** Largest request body, in bytes. */
  bodyLimitBytes: number;
  logger: RiveraLogger;
}

/** Diego's API as its clients speak it: HTTP/1.1, over mutual TLS or on this machine only. */
export class WireServer {
  private readonly server: Server;
  private readonly stopping: () => void;

  constructor(private readonly options: WireServerOptions) {
    const listener: RequestListener = (request, response) => void this.serve(request, response);
    const limits = { requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS };
    const { tls, logger } = options;
    this.server =
      tls === undefined
        ? createServer(limits, listener)
        : createTlsServer(
            { ...limits, ...tls, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.2' },
            listener,
          );
    this.stopping = closeUnusedConnections(
      this.server,
      tls === undefined ? 'connection' : 'secureConnection',
    );
    this.server.on('tlsClientError', (error: Error) =>
      logger.debug('refused-wire-connection', { reason: error.message }),
    );
  }

  /** The port; that which the system chose when it was asked for port 0. */
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async listen(): Promise<void> {
    const { host, port } = this.options.listen;
    this.server.listen(port, host);
    await once(this.server, 'listening');
  }

  /** Requests under way are answered; streams end when the event hub ends them. */
  async close(): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.stopping();
    this.server.closeIdleConnections();
    await closed;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = ''] = (request.url ?? '').split('?', 1);
    const route = this.options.routeAt(path);
    if (route === undefined) return refuse(response, 404, '404 page not found\n');
    if (route.method !== request.method) {
      response.setHeader('allow', route.method);
      return refuse(response, 405, 'Method Not Allowed\n');
    }
    try {
      const body = await readBody(request, this.options.bodyLimitBytes);
      if (body === undefined) return (route.refuseSize ?? refuseSize)(response);
      await route.serve({ request, response, body });
    } catch (error) {
      // The client has gone in the middle of its request, or there is nobody to answer any more.
      if (request.destroyed) return;
      this.options.logger.error('failed-wire-request', { route: path, error });
      if (!response.headersSent) refuse(response, 500, '');
    }
  }
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** Every answer has its error in field 1, so this is an answer of any route. Node skips what is left of the request. */
function refuseSize(response: ServerResponse): void {
  const error = WireErrorMessage.encode({
    type: ErrorType.InvalidRequest,
    message: TOO_LARGE,
  });
  sendMessage(response, Buffer.concat([Buffer.from([0x0a, error.length]), error]));
}

/** Undefined: it is larger than the limit. */
async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > limit) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else resolve(undefined);
    });
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
    request.on('error', reject);
    request.on('close', () => reject(new Error('The client closed the connection.')));
  });
}
