import { type DynamicModule, Module } from '@nestjs/common';
import { BusModule, Mailboxes } from '#rivera/actor';
import { Clock, type DependenciesOf, Ids, Metrics, PlatformModule, RiveraLogger } from '#rivera/platform';
import {
  CellRepository,
  EventLog,
  ProcessRepository,
  Store,
  StoreModule,
  TaskRepository,
} from '#rivera/store';
import type { AuctioneerConfig } from './auctioneer.config.js';
import { AuctioneerController } from './auctioneer.controller.js';
import { Auctioneer } from './auctioneer.js';
import { Foundation } from './rebalance/foundation.js';
import { RebalanceController } from './rebalance/rebalance.controller.js';
import { Rebalancer } from './rebalance/rebalancer.js';

/** Placement. */
@Module({})
export class AuctioneerModule {
  static forRoot(config: AuctioneerConfig, logger: RiveraLogger): DynamicModule {
    const { redis, health, auctioneer } = config;
    const { placementDeadlineMs, leaseTtlMs: _leaseTtlMs, rebalance, ...auction } = auctioneer;
    const isPacking = auction.binPackFirstFitWeight > 0;
    const dependencies = [
      Store,
      ProcessRepository,
      TaskRepository,
      CellRepository,
      EventLog,
      Mailboxes,
      Clock,
      Ids,
      RiveraLogger,
      Metrics,
    ] as const;
    return {
      module: AuctioneerModule,
      imports: [
        PlatformModule.forRoot({ logger, healthListen: health }),
        StoreModule.forRoot({ url: redis.storeUrl, logger }),
        BusModule.forRoot({ connection: redis.busUrl, logger }),
      ],
      controllers: [AuctioneerController, RebalanceController],
      providers: [
        {
          provide: Auctioneer,
          useFactory: (...injected: DependenciesOf<typeof Auctioneer>) =>
            new Auctioneer({ placementDeadlineMs, auction }, ...injected),
          inject: [...dependencies],
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
