import type { NestFastifyApplication } from '@nestjs/platform-fastify';

import { RiveraLogger } from '../logging/rivera-logger.js';
import { Metrics } from '../metrics/metrics.js';
import { Farewell } from '../shutdown/farewell.js';
import { auditLog } from './audit-calls.js';
import type { HttpRequest } from './http-types.js';
import { ProblemFilter } from './problem.filter.js';
import { ParsePipe } from './parse.pipe.js';

/**
 * Gives an HTTP app what all of ours have: problem documents, validation, a farewell, request metrics, an audit log and a log of
 * requests at level `debug`. Call it before `app.init()` or `app.listen()`; the app imports `PlatformModule`.
 */
export function configureHttp(app: NestFastifyApplication): NestFastifyApplication {
  const logger = app.get(RiveraLogger);
  const duration = app.get(Metrics).histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the arrival of a request to the end of its answer.',
    labels: ['method', 'route', 'status'],
  });
  app.useGlobalFilters(new ProblemFilter(logger));
  app.useGlobalPipes(new ParsePipe());
  const audit = auditLog(logger);
  const fastify = app.getHttpAdapter().getInstance();
  const farewell = app.get(Farewell);
  fastify.addHook('onRequest', (_request, reply, done) => {
    if (farewell.isSaid) reply.header('connection', 'close');
    done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    const { method } = request;
    const { statusCode: status, elapsedTime } = reply;
    duration.observe({ method, route, status: String(status) }, elapsedTime / 1000);
    audit({
      request: request as HttpRequest,
      route: request.routeOptions.url,
      status,
      durationMs: elapsedTime,
    });
    logger.debug('answered-request', { traceId: request.id, method, route, status, durationMs: elapsedTime });
    done();
  });
  return app;
}
