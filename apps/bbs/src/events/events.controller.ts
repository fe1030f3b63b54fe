import { Controller, Get, Headers, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { CurrentUser, type Principal, RiveraLogger, Scopes, visibleTo } from '#rivera/platform';
import type { RiveraEvent } from '#rivera/models';
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
    @CurrentUser() user: Principal,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    // Routes of GET answer HEAD too; a stream without a body would not even send its head.
    if (reply.request.method === 'HEAD') {
      await reply.type('text/event-stream; charset=utf-8').send();
      return;
    }
    const onSlow = () => this.logger.warn('disconnected-slow-reader', { traceId: reply.request.id });
    const stream = new EventStream(
      reply.raw,
      (event) => query.matches(event) && isVisible(user, event),
      onSlow,
    );
    const subscription = await this.hub.subscribe(lastEventId, stream);
    reply.hijack();
    stream.open(subscription, { 'x-request-id': String(reply.getHeader('x-request-id')) }, user.expiresAt);
  }
}

/** Cells have no domain; whoever may follow events sees them. */
function isVisible(user: Principal, event: RiveraEvent): boolean {
  const record = 'after' in event ? event.after : event.before;
  return !('domain' in record) || visibleTo(user, record.domain);
}
