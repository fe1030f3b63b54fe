import type { ServerResponse } from 'node:http';
import { presentEvent } from '../http/presenters.js';
import type { RiveraEvent } from '#rivera/models';
import { Backlog } from './backlog.js';
import type { Consumer, StreamItem, Subscription } from './event-hub.js';

const HEARTBEAT_MS = 15_000;

/** One client's stream of server-sent events over one response. */
export class EventStream implements Consumer {
  private readonly backlog: Backlog;

  constructor(
    private readonly response: ServerResponse,
    private readonly isWanted: (event: RiveraEvent) => boolean,
    onSlow: () => void,
    patienceMs?: number,
  ) {
    this.backlog = new Backlog(response, onSlow, patienceMs);
  }

  /** Sends the head and follows the subscription until either side ends, or the token does (`expiresAt`). */
  open(subscription: Subscription, headers: Record<string, string>, expiresAt = Infinity): void {
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
    const say = (comment: string) => this.write(`: ${comment}\nid: ${subscription.id}\n\n`);
    say('following');
    const heartbeat = setInterval(() => {
      if (Date.now() < expiresAt) say('heartbeat');
      else this.end('the token has expired');
    }, HEARTBEAT_MS);
    response.on('close', () => {
      clearInterval(heartbeat);
      subscription.end();
    });
    subscription.begin();
  }

  take(item: StreamItem): boolean {
    if (!('event' in item) || this.isWanted(item.event)) this.write(frame(item));
    return this.backlog.hasRoom;
  }

  ready(): Promise<void> {
    return this.backlog.ready();
  }

  end(reason: string): void {
    const { response } = this;
    if (response.writableEnded) return;
    // Whoever does not read must not hold up the end.
    if (response.writableNeedDrain) response.destroy();
    else response.end(`: ${reason}; resume with Last-Event-ID\n\n`);
  }

  private write(text: string): void {
    // Node takes a write after the end for a fault of the program.
    if (!this.response.writableEnded) this.response.write(text);
  }
}

function frame(item: StreamItem): string {
  if ('reset' in item)
    return `id: ${item.id}\nevent: reset\ndata: ${JSON.stringify({ reason: item.reset })}\n\n`;
  return `id: ${item.id}\nevent: ${item.event.type}\ndata: ${JSON.stringify(presentEvent(item.event))}\n\n`;
}
