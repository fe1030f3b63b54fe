import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { RiveraLogger } from '#rivera/platform';
import type { DiegoConfig } from './diego.config.js';
import type { Locket } from './locket/locket.js';
import { LocketServer } from './locket/locket-server.js';
import type { WireRoute } from './wire-route.js';
import { WireServer } from './wire-server.js';

export const DIEGO_SETTINGS = Symbol('diego-settings');
export const DIEGO_SERVICES = Symbol('diego-services');

export interface DiegoSettings extends DiegoConfig {
  /** Largest request body of the wire API, in bytes. */
  bodyLimitBytes: number;
}

/** What the listeners answer with. */
export interface DiegoServices {
  /** Every path that is always the same; states of cells have paths of their own. */
  paths: string[];
  routeAt: (path: string) => WireRoute | undefined;
  locket: Locket;
}

/** Listens as Diego's BBS and locket do, in the same process as the JSON API and over the same services. */
@Injectable()
export class DiegoListeners implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown {
  private readonly wire: WireServer | undefined;
  private readonly locket: LocketServer | undefined;
  private health: Server | undefined;
  private closed: Promise<unknown> = Promise.resolve();

  constructor(
    @Inject(DIEGO_SETTINGS) private readonly settings: DiegoSettings,
    @Inject(DIEGO_SERVICES) { routeAt, locket }: DiegoServices,
    private readonly logger: RiveraLogger,
  ) {
    const { wireListen, locketListen, tls, bodyLimitBytes } = settings;
    this.wire = wireListen && new WireServer({ listen: wireListen, tls, bodyLimitBytes, routeAt, logger });
    this.locket = locketListen && new LocketServer({ listen: locketListen, tls, locket, logger });
  }

  /** Where each listens. */
  get ports(): { wire?: number; locket?: number; health?: number } {
    const health = this.health?.address() as AddressInfo | undefined;
    return { wire: this.wire?.port, locket: this.locket?.port, health: health?.port };
  }

  async onApplicationBootstrap(): Promise<void> {
    await Promise.all([this.wire?.listen(), this.locket?.listen(), this.listenForHealth()]);
    const { wire, locket, health } = this.ports;
    if (wire === undefined && locket === undefined && health === undefined) return;
    this.logger.log('diego-listening', { wire, locket, health, tls: this.settings.tls !== undefined });
  }

  /** Takes no more, while the event hub, which streams wait for, stops as well. */
  onModuleDestroy(): void {
    this.health?.close();
    this.closed = Promise.all([this.wire?.close(), this.locket?.close()]);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.closed;
  }

  private async listenForHealth(): Promise<void> {
    const { healthListen } = this.settings;
    if (healthListen === undefined) return;
    this.health = createServer((_, response) => {
      response.writeHead(200, { 'content-length': 0 }).end();
    });
    this.health.listen(healthListen.port, healthListen.host);
    await once(this.health, 'listening');
  }
}
