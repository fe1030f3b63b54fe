import { EventsByCellId } from '#rivera/diego-wire';
import type { RiveraEvent } from '#rivera/models';
import type { RiveraLogger } from '#rivera/platform';
import type { EventHub } from '../../events/event-hub.js';
import { isOfCell } from '../streams/cell-filter.js';
import { type Dialect, plainDialect } from '../streams/dialect.js';
import { instanceEvent, taskEvent, taskEventV0 } from '../streams/event-messages.js';
import { GroupDialect } from '../streams/group-dialect.js';
import { WireStream } from '../streams/wire-stream.js';
import type { WireCall, WireRoute, WireRoutes } from '../wire-route.js';

export interface StreamRoutesNeed {
  hub: EventHub;
  logger: RiveraLogger;
}

type Filter = (body: Buffer) => (event: RiveraEvent) => boolean;

/** Event streams (Diego BBS §1.2–1.5), of the same hub as those of the JSON API. */
export function streamRoutes(need: StreamRoutesNeed): WireRoutes {
  const instances = stream(need, 'POST', () => plainDialect(instanceEvent), byCell);
  const groups = stream(need, 'GET', () => new GroupDialect(), byCell);
  return {
    '/v1/events/lrp_instances.r1': instances,
    // Of desired LRPs events carry the half that is the same in both revisions.
    '/v1/events/lrp_instances': instances,
    '/v1/events/tasks.r1': stream(need, 'POST', () => plainDialect(taskEvent), everything),
    '/v1/events/tasks': stream(need, 'POST', () => plainDialect(taskEventV0), everything),
    '/v1/events': groups,
    '/v1/events.r1': groups,
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
  method: WireRoute['method'],
  dialect: () => Dialect,
  filter: Filter,
): WireRoute {
  return { method, serve: (call) => follow(call) };

  async function follow({ request, response, body }: WireCall): Promise<void> {
    try {
      const onSlow = () => logger.warn('disconnected-slow-reader', { route: request.url });
      const consumer = new WireStream(response, dialect(), filter(body), onSlow);
      consumer.open(await hub.subscribe(undefined, consumer));
    } catch (error) {
      logger.warn('failed-to-subscribe', { route: request.url, error });
      response.writeHead(500, { 'content-length': 0 });
      response.end();
    }
  }
}
