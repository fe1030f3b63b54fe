import type { Provider } from '@nestjs/common';
import { Metrics, RiveraLogger } from '#rivera/platform';
import { CellRepository, EventLog, Locks, ProcessRepository, Store, TaskRepository } from '#rivera/store';
import { ActualLRPs } from '../actual-lrps/actual-lrps.service.js';
import { CellReports } from '../cells/cell-reports.js';
import { DesiredLRPs } from '../desired-lrps/desired-lrps.service.js';
import { Domains } from '../domains/domains.service.js';
import { EventHub } from '../events/event-hub.js';
import { Tasks } from '../tasks/tasks.service.js';
import {
  DIEGO_SERVICES,
  DIEGO_SETTINGS,
  DiegoListeners,
  type DiegoServices,
  type DiegoSettings,
} from './diego-listeners.js';
import { EncodedRecords } from './encoded-list.js';
import { Locket } from './locket/locket.js';
import { actualLRPItems, actualLRPRoutes } from './routes/actual-lrp.routes.js';
import { desiredLRPRoutes } from './routes/desired-lrp.routes.js';
import { domainRoutes } from './routes/domain.routes.js';
import { evacuationRoutes } from './routes/evacuation.routes.js';
import { groupRoutes } from './routes/group.routes.js';
import { WireCellReports } from './routes/instance-reports.js';
import { repRoute } from './routes/rep.routes.js';
import { streamRoutes } from './routes/stream.routes.js';
import { taskRoutes } from './routes/task.routes.js';
import { EventRunHalves } from './streams/run-halves.js';
import { RpcRoutes, type WireRoutes } from './wire-route.js';

/** What `bbs` needs to speak Diego. */
export function diegoProviders(settings: DiegoSettings): Provider[] {
  return [
    { provide: DIEGO_SETTINGS, useValue: settings },
    {
      provide: DIEGO_SERVICES,
      inject: [
        DIEGO_SETTINGS,
        RiveraLogger,
        Metrics,
        Store,
        ProcessRepository,
        TaskRepository,
        CellRepository,
        DesiredLRPs,
        ActualLRPs,
        Tasks,
        Domains,
        CellReports,
        EventHub,
        EventLog,
      ],
      useFactory: diegoServices,
    },
    DiegoListeners,
  ];
}

function diegoServices(
  { wireUrl }: DiegoSettings,
  logger: RiveraLogger,
  metrics: Metrics,
  store: Store,
  processes: ProcessRepository,
  repository: TaskRepository,
  cells: CellRepository,
  desiredLRPs: DesiredLRPs,
  actualLRPs: ActualLRPs,
  tasks: Tasks,
  domains: Domains,
  cellReports: CellReports,
  hub: EventHub,
  log: EventLog,
): DiegoServices {
  const rpcs = new RpcRoutes(logger, metrics);
  const encoded = new EncodedRecords();
  const itemOf = actualLRPItems(encoded);
  const reports = new WireCellReports(cellReports);
  const repUrlOf = (cellId: string) => (wireUrl === undefined ? '' : `${wireUrl}/cells/${cellId}`);
  const routes: WireRoutes = {
    ...domainRoutes({ rpcs, domains, cells, repUrlOf }),
    ...desiredLRPRoutes({ rpcs, desiredLRPs, processes, encoded }),
    ...actualLRPRoutes({ rpcs, actualLRPs, processes, reports, itemOf }),
    ...groupRoutes({ rpcs, processes, itemOf }),
    ...evacuationRoutes({ rpcs, reports }),
    ...taskRoutes({ rpcs, tasks, repository, reports }),
    ...streamRoutes({ hub, halves: new EventRunHalves(processes, log), logger }),
  };
  return {
    paths: Object.keys(routes),
    routeAt: (path) =>
      Object.hasOwn(routes, path)
        ? routes[path]
        : repRoute({ cells, processes, tasks: repository, repUrlOf }, path),
    locket: new Locket({ store, cells, locks: new Locks(store.redis), repUrlOf }),
  };
}
