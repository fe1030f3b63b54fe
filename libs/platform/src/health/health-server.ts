import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';

import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';

import type { ListenAddress } from '../config/listen.config.js';
import type { RiveraLogger } from '../logging/rivera-logger.js';
import { type Metrics, METRICS_CONTENT_TYPE } from '../metrics/metrics.js';
import type { Readiness } from './readiness.js';

export interface HealthServerOptions {
  /** Nothing is served when absent. */
  listen?: ListenAddress;
  readiness: Readiness;
  metrics: Metrics;
  logger: RiveraLogger;
}

/**
 * `GET /healthz` (alive), `/readyz` (200, or 503 with the checks that fail) and `/metrics` for apps without an HTTP API.
 * It starts with the application and stops last, so that a draining process can still be watched.
 */
export class HealthServer implements OnApplicationBootstrap, OnApplicationShutdown {
  private server?: Server;

  constructor(private readonly options: HealthServerOptions) {}

  onApplicationBootstrap(): Promise<void> {
    return this.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.stop();
  }

  /** Where it listens; the real port when 0 was asked for. */
  get address(): ListenAddress | undefined {
    const bound = this.server?.address();
    return typeof bound === 'object' && bound !== null
      ? { host: bound.address, port: bound.port }
      : undefined;
  }

  async start(): Promise<void> {
    const { listen, logger } = this.options;
    if (listen === undefined) return;
    this.server = createServer((request, response) => {
      this.answer(request.method ?? '', request.url ?? '', response).catch((error: unknown) => {
        logger.error('failed-health-request', { error });
        response.destroy();
      });
    });
    this.server.listen(listen.port, listen.host);
    await once(this.server, 'listening');
    logger.log('health-server-listening', { ...this.address });
  }

  async stop(): Promise<void> {
    const server = this.server;
    if (server === undefined) return;
    this.server = undefined;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }

  private async answer(method: string, url: string, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(url, 'http://health');
    const isRead = method === 'GET' || method === 'HEAD';
    if (isRead && pathname === '/healthz') {
      return sendJson(response, 200, { status: 'alive' });
    }
    if (isRead && pathname === '/readyz') {
      const report = await this.options.readiness.report();
      return sendJson(response, report.ready ? 200 : 503, report);
    }
    if (isRead && pathname === '/metrics') {
      response.writeHead(200, { 'content-type': METRICS_CONTENT_TYPE });
      response.end(await this.options.metrics.render());
      return;
    }
    sendJson(response, 404, { detail: 'Here are only GET /healthz, /readyz and /metrics.' });
  }
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
