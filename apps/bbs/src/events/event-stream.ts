import type { ServerResponse } from 'node:http';
import { presentEvent } from '../http/presenters.js';
import type { RiveraEvent } from '#rivera/models';
import type { Consumer, StreamItem, Subscription } from './event-hub.js';

const HEARTBEAT_MS = 15_000;
/** Bytes kept for a client that has not read them yet; the rest waits in the log. */
const MAX_BACKLOG_BYTES = 1024 * 1024;
/** A client that has not read its backlog after this long is disconnected; it resumes with Last-Event-ID. */
const PATIENCE_MS = 30_000;

/** One client's stream of server-sent events over one response. */
export class EventStream implements Consumer {
  private wake = () => {};

  constructor(
    private readonly response: ServerResponse,
    private readonly isWanted: (event: RiveraEvent) => boolean,
    private readonly onSlow: () => void,
    private readonly patienceMs = PATIENCE_MS,
  ) {}

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
    response.on('drain', () => this.wake());
    response.on('close', () => {
      clearInterval(heartbeat);
      subscription.end();
      this.wake();
    });
    subscription.begin();
  }

  take(item: StreamItem): boolean {
    const { response, isWanted } = this;
    if (!('event' in item) || isWanted(item.event)) this.write(frame(item));
    return response.writableLength < MAX_BACKLOG_BYTES;
  }

  async ready(): Promise<void> {
    const { response } = this;
    if (!response.writableNeedDrain) return;
    const timer = setTimeout(() => {
      this.onSlow();
      response.destroy();
    }, this.patienceMs);
    await new Promise<void>((resolve) => (this.wake = resolve));
    clearTimeout(timer);
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
