import { Controller, Get, Header, Res } from '@nestjs/common';

import { Public } from '../auth/public.decorator.js';
import type { HttpReply } from '../http/http-types.js';
import { Metrics, METRICS_CONTENT_TYPE } from '../metrics/metrics.js';
import { Readiness, type ReadinessReport } from './readiness.js';

/** The same three routes as `HealthServer`, for an app that has an HTTP API anyway. They need no token. */
@Public()
@Controller()
export class HealthController {
  constructor(
    private readonly readiness: Readiness,
    private readonly metrics: Metrics,
  ) {}

  @Get('healthz')
  healthz(): { status: 'alive' } {
    return { status: 'alive' };
  }

  @Get('readyz')
  async readyz(@Res({ passthrough: true }) reply: HttpReply): Promise<ReadinessReport> {
    const report = await this.readiness.report();
    reply.status(report.ready ? 200 : 503);
    return report;
  }

  @Get('metrics')
  @Header('content-type', METRICS_CONTENT_TYPE)
  metricsText(): Promise<string> {
    return this.metrics.render();
  }
}
