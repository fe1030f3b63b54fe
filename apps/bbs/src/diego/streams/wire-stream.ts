import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { RiveraEvent } from '#rivera/models';
import { Backlog } from '../../events/backlog.js';
import type { Consumer, Preparation, StreamItem, Subscription } from '../../events/event-hub.js';
import type { Dialect, WireEvent } from './dialect.js';

/** A dead peer of a silent stream is noticed by TCP. */
const TCP_KEEP_ALIVE_MS = 30_000;

/**
 * One client's stream of server-sent events, framed as Diego's BBS frames it (§1.4): the connection is taken over, each
 * event is a chunk of its own whose length is followed by `;`, ids count from 0, nothing is sent while nothing happens,
 * and the end is a clean one, whatever the reason: the client lists again and subscribes again.
 *
 * A client that does not keep up loses nothing before the event log does; the original cuts it off after 1,024 events.
 */
export class WireStream implements Consumer {
  private readonly socket: Socket;
  private readonly backlog: Backlog;
  private nextId = 0;

  constructor(
    private readonly response: ServerResponse,
    private readonly dialect: Dialect,
    private readonly isWanted: (event: RiveraEvent) => boolean,
    onSlow: () => void,
    readonly preparation?: Preparation,
  ) {
    if (response.socket === null) throw new TypeError('A stream needs a connection.');
    this.socket = response.socket;
    this.backlog = new Backlog(this.socket, onSlow);
  }

  open(subscription: Subscription): void {
    const { response, socket } = this;
    if (socket.destroyed) return;
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-store, must-revalidate',
      connection: 'keep-alive',
      'transfer-encoding': 'chunked',
    });
    response.flushHeaders();
    socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
    socket.once('close', () => subscription.end());
    subscription.begin();
  }

  take(item: StreamItem): boolean {
    if (!('event' in item)) {
      // There is no word for a gap on this stream; its end makes the client list again.
      this.end();
      return true;
    }
    if (this.isWanted(item.event)) this.dialect.tell(item.event, (event) => this.write(event));
    return this.backlog.hasRoom;
  }

  ready(): Promise<void> {
    return this.backlog.ready();
  }

  end(): void {
    const { socket } = this;
    if (socket.writableEnded) return;
    // Whoever does not read must not hold up the end.
    if (socket.writableNeedDrain) {
      socket.destroy();
    } else {
      socket.write('0\r\n\r\n');
      socket.destroySoon();
    }
  }

  private write({ type, data }: WireEvent): void {
    if (this.socket.writableEnded || this.socket.destroyed) return;
    const event = `id: ${this.nextId++}\nevent: ${type}\ndata: ${data}\n\n`;
    // Everything in it is ASCII.
    this.socket.write(`${event.length.toString(16)};\r\n${event}\r\n`, 'latin1');
  }
}
