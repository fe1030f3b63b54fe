import { type DynamicModule, Module } from '@nestjs/common';

import { Clock, SystemClock } from './clock.js';
import type { ListenAddress } from './config/listen.config.js';
import { HealthServer } from './health/health-server.js';
import { Readiness } from './health/readiness.js';
import { Ids, SystemIds } from './ids.js';
import { RiveraLogger } from './logging/rivera-logger.js';
import { Metrics } from './metrics/metrics.js';

export interface PlatformOptions {
  logger: RiveraLogger;
  metrics?: Metrics;
  clock?: Clock;
  ids?: Ids;
  /** Serve health here; leave it out in an app that uses `HealthController`. */
  healthListen?: ListenAddress;
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
      exports: [RiveraLogger, Metrics, Readiness, Clock, Ids, HealthServer],
    };
  }
}
