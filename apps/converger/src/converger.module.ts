import { type DynamicModule, Module } from '@nestjs/common';
import { BusModule } from '#rivera/actor';
import { Clock, type DependenciesOf, Ids, Metrics, PlatformModule, RiveraLogger } from '#rivera/platform';
import {
  CellRepository,
  DeploymentRepository,
  EventLog,
  ProcessRepository,
  Store,
  StoreModule,
  TaskRepository,
} from '#rivera/store';
import { Audit } from './audit.js';
import { CellLosses } from './cell-losses.js';
import type { ConvergerConfig } from './converger.config.js';
import { ConvergerController } from './converger.controller.js';
import { Converger } from './converger.js';
import { Deployments } from './deployments.js';
import { Repairs } from './repairs.js';
import { SchemaMigration } from './schema-migration.js';

/** Convergence. */
@Module({})
export class ConvergerModule {
  static forRoot(config: ConvergerConfig, logger: RiveraLogger): DynamicModule {
    const { redis, health, converger } = config;
    return {
      module: ConvergerModule,
      imports: [
        PlatformModule.forRoot({ logger, healthListen: health }),
        StoreModule.forRoot({ url: redis.storeUrl, replication: redis.replication, logger }),
        BusModule.forRoot({ connection: redis.busUrl, logger }),
      ],
      controllers: [ConvergerController],
      providers: [
        Repairs,
        Deployments,
        {
          provide: Audit,
          useFactory: (...injected: DependenciesOf<typeof Audit>) => new Audit(converger.audit, ...injected),
          inject: [
            Store,
            ProcessRepository,
            TaskRepository,
            DeploymentRepository,
            CellRepository,
            EventLog,
            Repairs,
            Deployments,
            Clock,
            RiveraLogger,
          ],
        },
        {
          provide: CellLosses,
          useFactory: (...injected: DependenciesOf<typeof CellLosses>) =>
            new CellLosses(converger.cellLoss, ...injected),
          inject: [CellRepository, Clock, Ids, RiveraLogger, Metrics],
        },
        {
          provide: SchemaMigration,
          useFactory: (...injected: DependenciesOf<typeof SchemaMigration>) =>
            new SchemaMigration(converger.migration, ...injected),
          inject: [Store, RiveraLogger],
        },
        {
          provide: Converger,
          useFactory: (...injected: DependenciesOf<typeof Converger>) =>
            new Converger(converger, ...injected),
          inject: [
            Store,
            ProcessRepository,
            TaskRepository,
            CellRepository,
            EventLog,
            CellLosses,
            Repairs,
            Deployments,
            Audit,
            SchemaMigration,
            Clock,
            RiveraLogger,
            Metrics,
          ],
        },
      ],
    };
  }
}
