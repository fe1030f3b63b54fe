import { EventsByCellId } from '#rivera/diego-wire';
import type { RiveraEvent } from '#rivera/models';
import type { RiveraLogger } from '#rivera/platform';
import type { EventHub, Preparation } from '../../events/event-hub.js';
import { desiredLRPAsV0 } from '../older-revisions.js';
import { isOfCell } from '../streams/cell-filter.js';
import { type Dialect, plainDialect } from '../streams/dialect.js';
import { lrpEvents, taskEvent, taskEventV0 } from '../streams/event-messages.js';
import { GroupDialect } from '../streams/group-dialect.js';
import type { EventRunHalves } from '../streams/run-halves.js';
import { WireStream } from '../streams/wire-stream.js';
import type { WireCall, WireRoute, WireRoutes } from '../wire-route.js';

export interface StreamRoutesNeed {
  hub: EventHub;
  halves: EventRunHalves;
  logger: RiveraLogger;
}

/** One kind of stream. */
interface Kind {
  method: WireRoute['method'];
  dialect: () => Dialect;
  filter: Filter;
  preparation?: Preparation;
}

type Filter = (body: Buffer) => (event: RiveraEvent) => boolean;

/** Event streams (Diego BBS §1.2–1.5), of the same hub as those of the JSON API. */
export function streamRoutes(need: StreamRoutesNeed): WireRoutes {
  const { halves } = need;
  const ofLRPs = (method: Kind['method'], dialect: Kind['dialect']) =>
    stream(need, { method, dialect, filter: byCell, preparation: halves.find });
  const ofTasks = (translate: typeof taskEvent) =>
    stream(need, { method: 'POST', dialect: () => plainDialect(translate), filter: everything });
  const [r1, r0] = [lrpEvents(halves), lrpEvents(halves, desiredLRPAsV0)];
  return {
    '/v1/events/lrp_instances.r1': ofLRPs('POST', () => plainDialect(r1.instances)),
    '/v1/events/lrp_instances': ofLRPs('POST', () => plainDialect(r0.instances)),
    '/v1/events.r1': ofLRPs('GET', () => new GroupDialect(r1.common)),
    '/v1/events': ofLRPs('GET', () => new GroupDialect(r0.common)),
    '/v1/events/tasks.r1': ofTasks(taskEvent),
    '/v1/events/tasks': ofTasks(taskEventV0),
  };
}

const byCell: Filter = (body) => {
  const { cellId = '' } = EventsByCellId.decode(body);
  return (event) => isOfCell(event, cellId);
};

/** Streams of tasks have no filter, and nobody reads what their request holds. */
const everything: Filter = () => () => true;

function stream(
  { hub, logger }: StreamRoutesNeed,
  { method, dialect, filter, preparation }: Kind,
): WireRoute {
  return { method, serve: (call) => follow(call), refuseSize: refuse };

  async function follow({ request, response, body }: WireCall): Promise<void> {
    try {
      const onSlow = () => logger.warn('disconnected-slow-reader', { route: request.url });
      const consumer = new WireStream(response, dialect(), filter(body), onSlow, preparation);
      consumer.open(await hub.subscribe(undefined, consumer));
    } catch (error) {
      logger.warn('failed-to-subscribe', { route: request.url, error });
      refuse(response);
    }
  }
}

function refuse(response: WireCall['response']): void {
  response.writeHead(500, { 'content-length': 0 });
  response.end();
}
