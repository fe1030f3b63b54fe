import { type DynamicModule, Module } from '@nestjs/common';
import { BusModule, Mailboxes } from '#rivera/actor';
import { Clock, type DependenciesOf, Ids, Metrics, PlatformModule, RiveraLogger } from '#rivera/platform';
import { EventLog, ProcessRepository, Store, StoreModule, TaskRepository } from '#rivera/store';
import type { AuctioneerConfig } from './auctioneer.config.js';
import { AuctioneerController } from './auctioneer.controller.js';
import { Auctioneer } from './auctioneer.js';
import { auctioneerParts } from './auctioneer-parts.js';
import { Foundation } from './rebalance/foundation.js';
import { RebalanceController } from './rebalance/rebalance.controller.js';
import { Rebalancer } from './rebalance/rebalancer.js';

type Injected = [Store, EventLog, ProcessRepository, TaskRepository, Mailboxes, Clock, Ids, Metrics];

/** Placement. */
@Module({})
export class AuctioneerModule {
  static forRoot(config: AuctioneerConfig, logger: RiveraLogger): DynamicModule {
    const { redis, health, auctioneer } = config;
    const { rebalance, leaseTtlMs: _leaseTtlMs, ...options } = auctioneer;
    const { placementDeadlineMs } = options;
    const isPacking = options.binPackFirstFitWeight > 0 || Object.keys(options.pools).length > 0;
    return {
      module: AuctioneerModule,
      imports: [
        PlatformModule.forRoot({ logger, healthListen: health }),
        StoreModule.forRoot({ url: redis.storeUrl, replication: redis.replication, logger }),
        BusModule.forRoot({ connection: redis.busUrl, logger }),
      ],
      controllers: [AuctioneerController, RebalanceController],
      providers: [
        {
          provide: Auctioneer,
          useFactory: (...[store, log, processes, tasks, mailboxes, clock, ids, metrics]: Injected) =>
            new Auctioneer(
              auctioneerParts(
                { store, log, processes, tasks, mailboxes, clock, ids, metrics, logger },
                auctioneer,
              ),
            ),
          inject: [Store, EventLog, ProcessRepository, TaskRepository, Mailboxes, Clock, Ids, Metrics],
        },
        Foundation,
        {
          provide: Rebalancer,
          useFactory: (...injected: DependenciesOf<typeof Rebalancer>) =>
            new Rebalancer({ ...rebalance, placementDeadlineMs, isPacking }, ...injected),
          inject: [Foundation, ProcessRepository, Mailboxes, Clock, Ids, RiveraLogger],
        },
      ],
    };
  }
}
