import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
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
