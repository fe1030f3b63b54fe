import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type Provider,
} from '@nestjs/common';
import { RiveraLogger } from '#rivera/platform';
import { CellRepository, ProcessRepository, TaskRepository } from '#rivera/store';
import { ActualLRPs } from '../actual-lrps/actual-lrps.service.js';
import { CellReports } from '../cells/cell-reports.js';
import { DesiredLRPs } from '../desired-lrps/desired-lrps.service.js';
import { Domains } from '../domains/domains.service.js';
import { EventHub } from '../events/event-hub.js';
import { Tasks } from '../tasks/tasks.service.js';
import type { DiegoConfig } from './diego.config.js';
import { actualLRPRoutes } from './routes/actual-lrp.routes.js';
import { desiredLRPRoutes } from './routes/desired-lrp.routes.js';
import { domainRoutes } from './routes/domain.routes.js';
import { evacuationRoutes } from './routes/evacuation.routes.js';
import { groupRoutes } from './routes/group.routes.js';
import { WireCellReports } from './routes/instance-reports.js';
import { streamRoutes } from './routes/stream.routes.js';
import { taskRoutes } from './routes/task.routes.js';
import { RpcRoutes, type WireRoutes } from './wire-route.js';
import { WireServer } from './wire-server.js';

const SETTINGS = Symbol('diego-wire-settings');
const ROUTES = Symbol('diego-wire-routes');

interface Settings extends DiegoConfig {
  bodyLimitBytes: number;
}

/** Diego's API beside the JSON one, in the same process and over the same services. */
@Injectable()
export class DiegoWire implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown {
  private readonly server: WireServer;
  private closed?: Promise<void>;

  constructor(
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(ROUTES) routes: WireRoutes,
    private readonly logger: RiveraLogger,
  ) {
    this.server = new WireServer({ ...settings, routes, logger });
  }

  /** Where it listens. */
  get port(): number {
    return this.server.port;
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.server.listen();
    const { listen, tls } = this.settings;
    this.logger.log('diego-wire-listening', { host: listen.host, port: this.port, tls: tls !== undefined });
  }

  /** Takes no more, while the event hub, which streams wait for, stops as well. */
  onModuleDestroy(): void {
    this.closed = this.server.close();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.closed;
  }
}

/** What `bbs` needs to speak Diego; nothing when it is not configured to. */
export function diegoProviders(config: DiegoConfig | undefined, bodyLimitBytes: number): Provider[] {
  if (config === undefined) return [];
  return [
    { provide: SETTINGS, useValue: { ...config, bodyLimitBytes } satisfies Settings },
    {
      provide: ROUTES,
      inject: [
        RiveraLogger,
        ProcessRepository,
        TaskRepository,
        CellRepository,
        DesiredLRPs,
        ActualLRPs,
        Tasks,
        Domains,
        CellReports,
        EventHub,
      ],
      useFactory: wireRoutes,
    },
    DiegoWire,
  ];
}

function wireRoutes(
  logger: RiveraLogger,
  processes: ProcessRepository,
  repository: TaskRepository,
  cells: CellRepository,
  desiredLRPs: DesiredLRPs,
  actualLRPs: ActualLRPs,
  tasks: Tasks,
  domains: Domains,
  cellReports: CellReports,
  hub: EventHub,
): WireRoutes {
  const rpcs = new RpcRoutes(logger);
  const reports = new WireCellReports(cellReports);
  return {
    ...domainRoutes({ rpcs, domains, cells }),
    ...desiredLRPRoutes({ rpcs, desiredLRPs, processes }),
    ...actualLRPRoutes({ rpcs, actualLRPs, processes, reports }),
    ...groupRoutes({ rpcs, processes }),
    ...evacuationRoutes({ rpcs, reports }),
    ...taskRoutes({ rpcs, tasks, repository, reports }),
    ...streamRoutes({ hub, logger }),
  };
}
