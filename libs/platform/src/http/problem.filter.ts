import type { RiveraError } from '#rivera/models';
import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';

import type { RiveraLogger } from '../logging/rivera-logger.js';
import type { HttpReply, HttpRequest } from './http-types.js';
import { pathOf, toRefusal } from './refusal.js';
import { sendProblem } from './send-problem.js';

/** Answers every failure of a request with a `Problem`; what was not foreseen is logged and not told. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: RiveraLogger) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<HttpRequest>();
    const reply = host.switchToHttp().getResponse<HttpReply>();
    const { error, status } = toRefusal(exception, request);
    if (status >= 500) this.report(exception, error, request);
    if (reply.sent || reply.raw.headersSent) {
      // Half an answer is out already (a stream): cutting the connection is the only honest signal left.
      reply.raw.destroy();
      return;
    }
    sendProblem({ error, status }, request, reply);
  }

  private report(exception: unknown, error: RiveraError, request: HttpRequest): void {
    const fields = { traceId: request.id, method: request.method, path: pathOf(request), error: exception };
    if (error.retryable) this.logger.warn('refused-request', fields);
    else this.logger.error('failed-request', fields);
  }
}
