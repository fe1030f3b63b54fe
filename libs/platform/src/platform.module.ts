import { type DynamicModule, Module } from '@nestjs/common';

import { Clock, SystemClock } from './clock.js';
import type { ListenAddress } from './config/listen.config.js';
import { HealthServer } from './health/health-server.js';
import { Readiness } from './health/readiness.js';
import { Ids, SystemIds } from './ids.js';
import { RiveraLogger } from './logging/rivera-logger.js';
import { Metrics } from './metrics/metrics.js';
import { Farewell } from './shutdown/farewell.js';

export interface PlatformOptions {
  logger: RiveraLogger;
  metrics?: Metrics;
  clock?: Clock;
  ids?: Ids;
  /** Serve health here; leave it out in an app that uses `HealthController`. */
  healthListen?: ListenAddress;
  /** Of an app with an HTTP API, see `Farewell`; none when absent. */
  shutdownGraceMs?: number;
}

/** The one global module: logger, metrics, readiness, clock and ids, injectable everywhere by their classes. */
@Module({})
export class PlatformModule {
  static forRoot(options: PlatformOptions): DynamicModule {
    const { logger, healthListen: listen } = options;
    return {
      module: PlatformModule,
      global: true,
      providers: [
        { provide: RiveraLogger, useValue: logger },
        { provide: Metrics, useFactory: () => options.metrics ?? new Metrics() },
        { provide: Farewell, useFactory: () => new Farewell(options.shutdownGraceMs ?? 0) },
        { provide: Readiness, useFactory: () => new Readiness() },
        { provide: Clock, useValue: options.clock ?? new SystemClock() },
        { provide: Ids, useValue: options.ids ?? new SystemIds() },
        {
          provide: HealthServer,
          inject: [Readiness, Metrics],
          useFactory: (readiness: Readiness, metrics: Metrics) => {
            return new HealthServer({ listen, readiness, metrics, logger });
          },
        },
      ],
      exports: [RiveraLogger, Metrics, Farewell, Readiness, Clock, Ids, HealthServer],
    };
  }
}
