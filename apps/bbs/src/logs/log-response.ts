import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { LogItem, RiveraError } from '#rivera/models';

const HEARTBEAT_MS = 15_000;

/** Some lines cannot be had now. */
export interface FailedLogs {
  /** The runs concerned: instance guids or task guids. */
  guids: string[];
  cellId: string;
  error: RiveraError;
}

/** Log lines as server-sent events: `log`, `dropped` and `failed`. Framed as the event stream is, but without ids. */
export class LogResponse {
  /** Aborted when nobody listens any more. */
  readonly closed: AbortSignal;
  private readonly abort = new AbortController();
  private begin: () => void;
  private readonly begun = new Promise<void>((resolve) => (this.begin = resolve));

  constructor(private readonly response: ServerResponse) {
    this.closed = this.abort.signal;
    response.once('close', () => this.abort.abort());
    if (response.destroyed) this.abort.abort();
  }

  /** Sends the head. The stream ends with the token (`expiresAt`, in milliseconds since the Unix epoch). */
  open(headers: Record<string, string>, expiresAt = Infinity): void {
    const { response, closed } = this;
    this.begin();
    if (closed.aborted) return;
    response.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-store, must-revalidate',
      // As with the event stream: nobody waits for an idle connection when the server stops.
      connection: 'close',
      'x-accel-buffering': 'no',
    });
    response.flushHeaders();
    const heartbeat = setInterval(() => {
      if (Date.now() >= expiresAt) this.end('the token has expired');
      else if (!response.writableNeedDrain) response.write(': heartbeat\n\n');
    }, HEARTBEAT_MS);
    closed.addEventListener('abort', () => clearInterval(heartbeat));
  }

  /** Resolves when there is room for more: whoever reads slowly makes the cell wait, which then counts what it drops. */
  async lines(items: LogItem[]): Promise<void> {
    const frames = items.map((item) => frame('dropped' in item ? 'dropped' : 'log', item));
    await this.write(frames.join(''));
  }

  failed({ guids, cellId, error: { code, message } }: FailedLogs): Promise<void> {
    return this.write(frame('failed', { guids, cellId, code, message }));
  }

  /** Nothing more will come; the reason is a comment in the stream. */
  end(reason?: string): void {
    const { response } = this;
    if (response.writableEnded) return;
    if (response.writableNeedDrain && reason !== undefined) response.destroy();
    else response.end(reason === undefined ? undefined : `: ${reason}\n\n`);
  }

  private async write(text: string): Promise<void> {
    const { response, closed } = this;
    await this.begun;
    if (closed.aborted || response.writableEnded || response.write(text)) return;
    await once(response, 'drain', { signal: closed }).catch(() => undefined);
  }
}

function frame(event: string, data: object): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
