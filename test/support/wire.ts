import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { Codec, Error as WireError } from '#rivera/diego-wire';

export interface WireAnswer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

export interface WireRequest {
  method?: string;
  headers?: Record<string, string>;
  body?: Uint8Array;
}

/** One connection, byte by byte: no HTTP library smooths over what the server sends. */
export class WireConnection {
  private buffer = Buffer.alloc(0);
  private isEnded = false;
  private wake = () => {};

  private constructor(readonly socket: Socket) {
    const wake = () => this.wake();
    socket.on('data', (chunk: Buffer) => {
      this.buffer = Buffer.concat([this.buffer, chunk]);
      wake();
    });
    for (const event of ['end', 'close', 'error']) {
      socket.on(event, () => {
        this.isEnded = true;
        wake();
      });
    }
  }

  static async open(port: number, tls?: ConnectionOptions): Promise<WireConnection> {
    if (tls === undefined) {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      return new WireConnection(socket);
    }
    const socket = connectTls({ port, host: '127.0.0.1', ...tls });
    await once(socket, 'secureConnect');
    return new WireConnection(socket);
  }

  /** Sends a request and reads its answer; the connection stays open. */
  async send(path: string, request: WireRequest = {}): Promise<WireAnswer> {
    this.write(path, request);
    return this.answer();
  }

  write(path: string, { method = 'POST', headers = {}, body = Buffer.alloc(0) }: WireRequest = {}): void {
    const lines = [
      `${method} ${path} HTTP/1.1`,
      'host: bbs',
      ...Object.entries({ 'content-length': String(body.length), ...headers }).map(
        ([name, value]) => `${name}: ${value}`,
      ),
    ];
    this.socket.write(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]));
  }

  async answer(): Promise<WireAnswer> {
    const head = await this.head();
    return { ...head, body: await this.bytes(Number(head.headers['content-length'] ?? 0)) };
  }

  async head(): Promise<Omit<WireAnswer, 'body'>> {
    const [status = '', ...lines] = (await this.upTo('\r\n\r\n')).split('\r\n');
    const headers = lines
      .filter((line) => line !== '')
      .map((line): [string, string] => {
        const [name = '', ...value] = line.split(': ');
        return [name.toLowerCase(), value.join(': ')];
      });
    return { status: Number(status.split(' ')[1]), headers: Object.fromEntries(headers) };
  }

  /** Everything up to and with this text. */
  async upTo(end: string): Promise<string> {
    await this.until(() => this.buffer.includes(end));
    return (await this.bytes(this.buffer.indexOf(end) + end.length)).toString();
  }

  async bytes(count: number): Promise<Buffer> {
    await this.until(() => this.buffer.length >= count);
    const bytes = this.buffer.subarray(0, count);
    this.buffer = this.buffer.subarray(count);
    return bytes;
  }

  /** What comes until the server closes the connection. */
  async rest(): Promise<string> {
    while (!this.isEnded) await new Promise<void>((resolve) => (this.wake = resolve));
    return this.buffer.toString();
  }

  close(): void {
    this.socket.destroy();
  }

  private async until(isThere: () => boolean): Promise<void> {
    while (!isThere()) {
      if (this.isEnded) throw new Error(`The connection ended after: ${this.buffer.toString()}`);
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}

/** A client of Diego's API that takes answers as they are. */
export class WireClient {
  constructor(
    readonly port: number,
    private readonly tls?: ConnectionOptions,
  ) {}

  /** The answer, whatever it says; rejects unless it is a protobuf answer with status 200. */
  async call<Q, A>(path: string, request: Codec<Q> | undefined, message: Q, response: Codec<A>): Promise<A> {
    const connection = await WireConnection.open(this.port, this.tls);
    try {
      const body = request?.encode(message);
      const answer = await connection.send(path, { body });
      if (answer.status !== 200 || answer.headers['content-type'] !== 'application/x-protobuf')
        throw new Error(`${path} answered ${answer.status} ${answer.body.toString()}`);
      return response.decode(answer.body);
    } finally {
      connection.close();
    }
  }

  /** The same for calls that must succeed. */
  async ok<Q, A extends { error?: WireError | null }>(
    path: string,
    request: Codec<Q>,
    message: Q,
    response: Codec<A>,
  ): Promise<A> {
    const answer = await this.call(path, request, message, response);
    if (answer.error) throw new Error(`${path}: ${answer.error.type ?? 0} ${answer.error.message}`);
    return answer;
  }

  async follow(path: string, request: WireRequest = {}): Promise<WireFollower> {
    const connection = await WireConnection.open(this.port, this.tls);
    connection.write(path, request);
    return new WireFollower(connection, await connection.head());
  }
}

/** An event stream, chunk by chunk. */
export class WireFollower {
  constructor(
    readonly connection: WireConnection,
    readonly head: Omit<WireAnswer, 'body'>,
  ) {}

  /** The next chunk as it is on the wire, its length and ends of line included. */
  async chunk(): Promise<string> {
    const length = await this.connection.upTo('\r\n');
    const size = parseInt(length, 16);
    return length + (await this.connection.bytes(size + 2)).toString();
  }

  /** The next event. */
  async event(): Promise<{ id: string; type: string; data: Buffer }> {
    const chunk = await this.chunk();
    const [, id = '', type = '', data = ''] =
      /\r\nid: (.*)\nevent: (.*)\ndata: (.*)\n\n\r\n$/.exec(chunk) ?? [];
    return { id, type, data: Buffer.from(data, 'base64') };
  }

  async events(count: number): Promise<{ id: string; type: string; data: Buffer }[]> {
    const events = [];
    for (let i = 0; i < count; i++) events.push(await this.event());
    return events;
  }

  close(): void {
    this.connection.close();
  }
}
