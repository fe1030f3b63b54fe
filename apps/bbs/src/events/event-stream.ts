import type { ServerResponse } from 'node:http';
import { presentEvent } from '../http/presenters.js';
import type { EventQuery } from '../http/queries.js';
import type { Consumer, StreamItem, Subscription } from './event-hub.js';

const HEARTBEAT_MS = 15_000;
/** Bytes a client may be behind before it is disconnected; it resumes with Last-Event-ID. */
const MAX_BACKLOG_BYTES = 4 * 1024 * 1024;

/** One client's stream of server-sent events over one response. */
export class EventStream implements Consumer {
  constructor(
    private readonly response: ServerResponse,
    private readonly query: EventQuery,
    private readonly onSlow: () => void,
  ) {}

  /** Sends the head and follows the subscription until either side ends. */
  open(subscription: Subscription, headers: Record<string, string>): void {
    const { response } = this;
    // Gone while the subscription was made; its 'close' will not come again.
    if (response.destroyed) return;
    response.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-store, must-revalidate',
      // A stream that ends takes its connection with it, so that nobody waits for an idle one when the server stops.
      connection: 'close',
      'x-accel-buffering': 'no',
    });
    // An id without data is no event, but a client that is cut off before its next event resumes from it.
    const say = (comment: string) => response.write(`: ${comment}\nid: ${subscription.id}\n\n`);
    say('following');
    const heartbeat = setInterval(() => say('heartbeat'), HEARTBEAT_MS);
    response.on('close', () => {
      clearInterval(heartbeat);
      subscription.end();
    });
    subscription.begin();
  }

  take(item: StreamItem): boolean {
    const { response, query } = this;
    if (response.destroyed) return false;
    if (!('event' in item) || query.matches(item.event)) response.write(frame(item));
    if (response.writableLength <= MAX_BACKLOG_BYTES) return true;
    this.onSlow();
    response.destroy();
    return false;
  }

  ready(): Promise<void> {
    const { response } = this;
    if (!response.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve) => {
      for (const event of ['drain', 'close']) response.once(event, resolve);
    });
  }

  end(reason: string): void {
    const { response } = this;
    // Whoever does not read must not hold up the end.
    if (response.writableNeedDrain) response.destroy();
    else response.end(`: ${reason}; resume with Last-Event-ID\n\n`);
  }
}

function frame(item: StreamItem): string {
  if ('reset' in item) return `id: ${item.id}\nevent: reset\ndata: ${JSON.stringify({ reason: item.reset })}\n\n`;
  return `id: ${item.id}\nevent: ${item.event.type}\ndata: ${JSON.stringify(presentEvent(item.event))}\n\n`;
}
