import { Controller, Get, Headers, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { RiveraEvent } from '#rivera/models';
import { Scopes } from '#rivera/platform';
import { presentEvent } from '../http/presenters.js';
import { EventQuery } from '../http/queries.js';
import { EventHub, type StreamItem } from './event-hub.js';

const HEARTBEAT_MS = 15_000;
/** Bytes a client may be behind before it is disconnected; it resumes with Last-Event-ID. */
const MAX_BACKLOG_BYTES = 4 * 1024 * 1024;

/** Everything that changes, as server-sent events. */
@Controller('v1/events')
export class EventsController {
  constructor(private readonly hub: EventHub) {}

  @Get()
  @Scopes('events:read')
  async follow(
    @Query() query: EventQuery,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const stream = reply.raw;
    let hasEnded = false;
    const subscription = await this.hub.subscribe(lastEventId, (item) => {
      if (hasEnded) return false;
      if (!('event' in item) || query.matches(item.event)) stream.write(frame(item));
      if (stream.writableLength <= MAX_BACKLOG_BYTES) return true;
      stream.end(': disconnected: this client reads too slowly; resume with Last-Event-ID\n\n');
      return false;
    });
    reply.hijack();
    stream.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-store, must-revalidate',
      connection: 'keep-alive',
      'x-accel-buffering': 'no',
    });
    // An id without data is no event, but a client that is cut off before its first event resumes from it.
    stream.write(`: following\nid: ${subscription.id}\n\n`);
    const heartbeat = setInterval(() => stream.write(': heartbeat\n\n'), HEARTBEAT_MS);
    stream.on('close', () => {
      hasEnded = true;
      clearInterval(heartbeat);
      subscription.end();
    });
  }
}

function frame(item: StreamItem): string {
  if ('reset' in item) return `id: ${item.id}\nevent: reset\ndata: ${JSON.stringify({ reason: item.reset })}\n\n`;
  const event: RiveraEvent = presentEvent(item.event);
  return `id: ${item.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
