import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { crc32, deflateRawSync, gzip } from 'node:zlib';
import { type Header, pack } from 'tar-stream';

export interface ServedFile {
  body: Buffer;
  etag?: string;
  lastModified?: string;
  /** Answered before the file is: statuses of the first requests. */
  statuses?: number[];
  /** The second half of the body comes this much later. */
  stallMs?: number;
}

export interface ReceivedUpload {
  path: string;
  body: Buffer;
  headers: IncomingMessage['headers'];
}

/** Where cells fetch artifacts from and send them to. */
export class ArtifactServer {
  /** `<method> <path> <status> <bytes>` of each answer. */
  readonly answers: string[] = [];
  readonly uploads: ReceivedUpload[] = [];
  /** Requests whose client went away before the end. */
  aborted = 0;
  /** Statuses of the first uploads; afterwards 200. */
  uploadStatuses: number[] = [];
  /** Requests being answered now, and the most there were at once. */
  atOnce = 0;
  mostAtOnce = 0;
  private readonly files = new Map<string, ServedFile>();
  private readonly server = createServer((request, response) => void this.respond(request, response));

  async start(): Promise<this> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  url(path: string): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${path}`;
  }

  serve(path: string, file: ServedFile): void {
    this.files.set(path, { ...file, statuses: [...(file.statuses ?? [])] });
  }

  reset(): void {
    this.files.clear();
    this.answers.length = 0;
    this.uploads.length = 0;
    this.aborted = 0;
    this.uploadStatuses = [];
    this.mostAtOnce = 0;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
    response.once('close', () => {
      this.atOnce -= 1;
      if (!response.writableFinished) this.aborted += 1;
    });
    if (request.method === 'POST') return this.take(request, response);
    const path = request.url ?? '';
    const file = this.files.get(path);
    const failure = file === undefined ? 404 : file.statuses?.shift();
    if (file === undefined || failure !== undefined) return this.end(request, response, failure ?? 500);
    const { etag, lastModified, body, stallMs } = file;
    if (etag !== undefined) response.setHeader('etag', etag);
    if (lastModified !== undefined) response.setHeader('last-modified', lastModified);
    if (etag !== undefined && request.headers['if-none-match'] === etag)
      return this.end(request, response, 304);
    response.setHeader('content-length', body.length);
    if (stallMs === undefined) return this.end(request, response, 200, body);
    const half = Math.floor(body.length / 2);
    response.write(body.subarray(0, half));
    const timer = setTimeout(() => this.end(request, response, 200, body.subarray(half)), stallMs);
    response.once('close', () => clearTimeout(timer));
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    this.uploads.push({ path: request.url ?? '', body, headers: request.headers });
    this.end(request, response, this.uploadStatuses.shift() ?? 200);
  }

  private end(request: IncomingMessage, response: ServerResponse, status: number, body?: Buffer): void {
    this.answers.push(`${request.method} ${request.url} ${status} ${body?.length ?? 0}`);
    response.statusCode = status;
    response.end(body);
  }
}

export function startArtifactServer(): Promise<ArtifactServer> {
  return new ArtifactServer().start();
}

/** Path → content, or the header of an entry that is no file. */
export type Files = Record<string, string | Buffer | Omit<Partial<Header>, 'name'>>;

export async function tarOf(files: Files): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of Object.entries(files)) {
    if (typeof content === 'string' || Buffer.isBuffer(content)) archive.entry({ name }, content);
    else archive.entry({ name, ...content });
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive as unknown as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function tgzOf(files: Files): Promise<Buffer> {
  return promisify(gzip)(await tarOf(files));
}

export function digestOf(algorithm: string, content: Buffer, encoding: 'hex' | 'base64' = 'hex'): string {
  return createHash(algorithm).update(content).digest(encoding);
}

/** A zip of deflated files; `claim` lies about the size of their content. */
export function zipOf(files: Record<string, string | Buffer>, options: { claim?: number } = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const plain = Buffer.from(content);
    const deflated = deflateRawSync(plain);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(plain), 10);
    common.writeUInt32LE(deflated.length, 14);
    common.writeUInt32LE(options.claim ?? plain.length, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), deflated]);
    const rest = Buffer.alloc(14);
    // The mode of the file, as Unix has it.
    rest.writeUInt32LE((0o100755 << 16) >>> 0, 6);
    rest.writeUInt32LE(offset, 10);
    directory.push(
      Buffer.concat([Buffer.from('PK\x01\x02\x14\x03', 'latin1'), common, rest, Buffer.from(name)]),
    );
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(directory.length, 4);
  end.writeUInt16LE(directory.length, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, central, Buffer.from('PK\x05\x06'), end]);
}
