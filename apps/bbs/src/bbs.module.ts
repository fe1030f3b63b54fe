import { type DynamicModule, Module } from '@nestjs/common';
import { BusModule, Notifier } from '#rivera/actor';
import {
  AuthModule,
  Clock,
  type DependenciesOf,
  HealthController,
  Ids,
  PlatformModule,
  type RiveraLogger,
} from '#rivera/platform';
import { ProcessRepository, StoreModule } from '#rivera/store';
import { ActualLRPs } from './actual-lrps/actual-lrps.service.js';
import { ActualLRPsController } from './actual-lrps/actual-lrps.controller.js';
import { AdminAudit } from './admin/admin-audit.js';
import { AdminController } from './admin/admin.controller.js';
import { StoreImport } from './admin/store-import.js';
import type { BbsConfig } from './bbs.config.js';
import { CellAgentController, PRESENCE_TTL_MS } from './cells/cell-agent.controller.js';
import { CellReports } from './cells/cell-reports.js';
import { Evacuations } from './cells/evacuations.js';
import { CellsController } from './cells/cells.controller.js';
import { DeploymentsController } from './deployments/deployments.controller.js';
import { DeploymentRequests } from './deployments/deployments.service.js';
import { BulkController } from './desired-lrps/bulk.controller.js';
import { diegoProviders } from './diego/diego.providers.js';
import { DesiredLRPs } from './desired-lrps/desired-lrps.service.js';
import { DesiredLRPsController } from './desired-lrps/desired-lrps.controller.js';
import { Domains } from './domains/domains.service.js';
import { DomainsController } from './domains/domains.controller.js';
import { EventHub } from './events/event-hub.js';
import { EventsController } from './events/events.controller.js';
import { ExecAudit } from './exec/exec-audit.js';
import { ExecController } from './exec/exec.controller.js';
import { LogStreams } from './logs/log-streams.js';
import { LogsController } from './logs/logs.controller.js';
import { OpenApiModule } from './openapi/openapi.module.js';
import { CellSessions, SESSION_OPTIONS } from './sessions/cell-sessions.js';
import { SessionsController } from './sessions/sessions.controller.js';
import { StatsController } from './stats/stats.controller.js';
import { ActiveAuctioneer, ASK_TIMEOUT_MS } from './placement/active-auctioneer.js';
import { PlacementController } from './placement/placement.controller.js';
import { RebalanceController } from './rebalance/rebalance.controller.js';
import { CALLBACK_TLS, CallbackSender } from './tasks/callback-sender.js';
import { CompletionCallbacks } from './tasks/completion-callbacks.js';
import { Tasks } from './tasks/tasks.service.js';
import { TasksController } from './tasks/tasks.controller.js';

/** The HTTP API over the store. Stateless: run as many as you like. */
@Module({})
export class BbsModule {
  static forRoot(config: BbsConfig, logger: RiveraLogger): DynamicModule {
    const { redis, bbs, auth, diego } = config;
    return {
      module: BbsModule,
      imports: [
        PlatformModule.forRoot({ logger, shutdownGraceMs: bbs.shutdownGraceMs }),
        AuthModule.forRoot(auth),
        StoreModule.forRoot({
          url: redis.storeUrl,
          logger,
          keptEvents: bbs.eventsKept,
          replication: redis.replication,
        }),
        BusModule.forRoot({ connection: redis.busUrl, logger }),
        OpenApiModule,
      ],
      controllers: [
        HealthController,
        BulkController,
        DesiredLRPsController,
        ActualLRPsController,
        DeploymentsController,
        TasksController,
        CellsController,
        CellAgentController,
        DomainsController,
        EventsController,
        LogsController,
        StatsController,
        ExecController,
        SessionsController,
        RebalanceController,
        PlacementController,
        AdminController,
      ],
      providers: [
        { provide: PRESENCE_TTL_MS, useValue: bbs.presenceTtlMs },
        ActiveAuctioneer,
        { provide: ASK_TIMEOUT_MS, useValue: bbs.askTimeoutMs },
        DesiredLRPs,
        ActualLRPs,
        Tasks,
        Domains,
        DeploymentRequests,
        {
          provide: Evacuations,
          useFactory: (...injected: DependenciesOf<typeof Evacuations>) =>
            new Evacuations(bbs.evacuation, ...injected),
          inject: [ProcessRepository, Notifier, Clock, Ids],
        },
        CellReports,
        EventHub,
        { provide: CALLBACK_TLS, useValue: diego.tls },
        CallbackSender,
        CompletionCallbacks,
        { provide: SESSION_OPTIONS, useValue: bbs.sessions },
        CellSessions,
        LogStreams,
        ExecAudit,
        StoreImport,
        AdminAudit,
        ...diegoProviders({
          ...diego,
          ...(bbs.isRestoring && { wireListen: undefined }),
          bodyLimitBytes: bbs.bodyLimitBytes,
        }),
      ],
    };
  }
}
