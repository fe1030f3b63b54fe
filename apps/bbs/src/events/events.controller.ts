import { Controller, Get, Headers, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { RiveraLogger, Scopes } from '#rivera/platform';
import { EventQuery } from '../http/queries.js';
import { EventHub } from './event-hub.js';
import { EventStream } from './event-stream.js';

/** Everything that changes, as server-sent events. */
@Controller('v1/events')
export class EventsController {
  constructor(
    private readonly hub: EventHub,
    private readonly logger: RiveraLogger,
  ) {}

  @Get()
  @Scopes('events:read')
  async follow(
    @Query() query: EventQuery,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const onSlow = () => this.logger.warn('disconnected-slow-reader', { traceId: reply.request.id });
    const stream = new EventStream(reply.raw, query, onSlow);
    const subscription = await this.hub.subscribe(lastEventId, stream);
    reply.hijack();
    stream.open(subscription, { 'x-request-id': String(reply.getHeader('x-request-id')) });
  }
}
