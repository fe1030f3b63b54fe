import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, type WebSocket } from 'ws';
import { RiveraError } from '#rivera/models';
import { type Channel, type Control, decode, encode, MAX_DATA_BYTES, type Message } from './message.js';

/** Keeps the time-outs of proxies between the two sides from running out. */
const PING_INTERVAL_MS = 15_000;
/**
 * A side that was not heard of for so long counts as gone. Generous, because a side that does not take what it was sent
 * (somebody reads it page by page) does not answer pings either.
 */
const SILENCE_MS = 5 * 60_000;

/** The largest message a side may send. */
export const MAX_MESSAGE_BYTES = 1024 * 1024;

export interface SessionTimes {
  pingIntervalMs?: number;
  silenceMs?: number;
}

/**
 * One WebSocket between two of API client, bbs and cell, for one purpose. Whoever sends waits while the other side does
 * not read: nothing is kept but what is on the way.
 */
export class Session {
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>;
  private readonly stream: Duplex;
  /** Of all who wait for room. */
  private drained?: Promise<void>;
  private heardAt = performance.now();

  constructor(
    private readonly socket: WebSocket,
    { pingIntervalMs = PING_INTERVAL_MS, silenceMs = SILENCE_MS }: SessionTimes = {},
  ) {
    const heard = () => (this.heardAt = performance.now());
    for (const event of ['message', 'ping', 'pong']) socket.on(event, heard);
    const pinging = setInterval(() => {
      if (performance.now() - this.heardAt > silenceMs) socket.terminate();
      else if (socket.readyState === socket.OPEN) socket.ping();
    }, pingIntervalMs);
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        clearInterval(pinging);
        resolve();
      });
    });
    this.stream = createWebSocketStream(socket, {
      readableObjectMode: true,
      writableObjectMode: true,
      // A text is to stay one: it becomes a text message.
      decodeStrings: false,
    });
    // A connection that breaks shows as an end to whoever receives, and in `send`.
    this.stream.on('error', () => undefined);
  }

  /** Resolves when there is room for more. Rejects with `unavailable` when the other side has gone. */
  async send(message: Message): Promise<void> {
    if (!this.isOpen) throw gone();
    if (this.stream.write(encode(message))) return;
    this.drained ??= this.untilDrained();
    await this.drained;
    if (!this.isOpen) throw gone();
  }

  private get isOpen(): boolean {
    return this.stream.writable && this.socket.readyState === this.socket.OPEN;
  }

  private async untilDrained(): Promise<void> {
    await Promise.race([once(this.stream, 'drain').catch(() => undefined), this.closed]);
    this.drained = undefined;
  }

  /** A piece of a stream of whatever size. */
  async sendData(channel: Channel, bytes: Buffer): Promise<void> {
    for (let begin = 0; begin < bytes.length; begin += MAX_DATA_BYTES) {
      await this.send({ channel, bytes: bytes.subarray(begin, begin + MAX_DATA_BYTES) });
    }
  }

  /**
   * What the other side says, as it is asked for, until the connection ends for whatever reason. May be left and taken up
   * again, by one at a time.
   */
  async *messages(): AsyncGenerator<Message, void, undefined> {
    const raw = this.stream.iterator({ destroyOnReturn: false }) as AsyncIterable<string | Buffer>;
    try {
      for await (const each of raw) {
        const message = decode(each);
        if (message !== undefined) yield message;
      }
    } catch {
      // Broken is ended: who needs a proper end waits for `end` or `error`.
    }
  }

  /** The next thing the other side says; undefined when the connection ended, or nothing came in time. */
  async next(timeoutMs: number): Promise<Message | undefined> {
    const timer = setTimeout(() => this.socket.terminate(), timeoutMs);
    try {
      for await (const message of this.messages()) return message;
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Says a last thing and hangs up once it was delivered. */
  end(last?: Control): void {
    if (!this.isOpen) return;
    if (last !== undefined) this.stream.write(encode(last));
    this.stream.end();
  }

  /** Says why it cannot be done, and hangs up. What is not a RiveraError is not told. */
  fail(error: unknown): void {
    const { code, message, details } =
      error instanceof RiveraError
        ? error
        : new RiveraError(
            'internal',
            'Something unexpected happened; the log of this session has the cause.',
          );
    this.end({ type: 'error', code, message, ...(details.fields && { fields: details.fields }) });
  }

  /** Hangs up at once. */
  destroy(): void {
    this.socket.terminate();
  }
}

function gone(): RiveraError {
  return new RiveraError('unavailable', 'The other side of the session has gone.');
}
