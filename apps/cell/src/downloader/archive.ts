import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGunzip } from 'node:zlib';
import { extract, type Header, type Pack, pack } from 'tar-stream';
import { RiveraError } from '#rivera/models';
import { type Entry, open as openZipFile, type ZipFile } from 'yauzl';

const BLOCK_BYTES = 512;
const TYPES = new Set(['file', 'contiguous-file', 'directory', 'symlink', 'link']);
const SYMLINK = 0o120000;
const TYPE_MASK = 0o170000;
const DIRECTORY_MODE = 0o755;
const FILE_MODE = 0o644;

export interface ArchiveOptions {
  /** What a file that is no archive is called. */
  name: string;
  /** An archive that unpacks to more is not unpacked further; headers and padding count. */
  maxBytes: number;
}

/**
 * A downloaded file as a tar stream: a tar, a tar.gz and a zip as what they hold, anything else as one file. Only files,
 * directories and links come through, none of them outside of the archive's own directory. The stream fails with
 * `payload-too-large` when it gets too long, and with `invalid-request` when the archive is broken or means harm.
 */
export async function openArchive(path: string, options: ArchiveOptions): Promise<Readable> {
  const fill = await fillerOf(path, options);
  // Begun when it is read: a fault has a reader to tell it to, and what nobody reads opens nothing.
  return Readable.from(new Writer(options.maxBytes).chunks(fill), { objectMode: false });
}

type Filler = (writer: Writer) => Promise<void>;

async function fillerOf(path: string, { name }: ArchiveOptions): Promise<Filler> {
  const head = await headOf(createReadStream(path, { end: BLOCK_BYTES - 1 }));
  if (isZip(head)) return (writer) => fromZip(path, writer);
  if (isTar(head)) return (writer) => fromTar(createReadStream(path), writer);
  if (head[0] === 0x1f && head[1] === 0x8b && isTar(await headOf(gunzipped(path)))) {
    return (writer) => fromTar(gunzipped(path), writer);
  }
  return async (writer) => {
    const { size } = await stat(path);
    await writer.entry({ name, size, mode: FILE_MODE, type: 'file' }, createReadStream(path));
  };
}

/** Packs entries, and says stop when it has been too much. */
class Writer {
  private readonly archive: Pack = pack();
  private bytes = 0;

  constructor(private readonly maxBytes: number) {}

  async *chunks(fill: Filler): AsyncGenerator<Buffer> {
    fill(this).then(
      () => this.archive.finalize(),
      (error: unknown) => this.archive.destroy(faultOf(error)),
    );
    yield* this.archive as unknown as AsyncIterable<Buffer>;
  }

  async entry(header: Header | (Partial<Header> & { name: string }), content?: Readable): Promise<void> {
    const name = withinArchive(header.name);
    this.count(BLOCK_BYTES + (header.size ?? 0));
    // The archive's own directory: whoever unpacks it has decided on its mode and owner.
    if (name === '' || name === './') {
      content?.resume();
      return;
    }
    const { mode, mtime, type, size, linkname } = header;
    const sink = this.archive.entry({ name, mode, mtime, type, size, linkname });
    if (sink === undefined || content === undefined) {
      sink?.end(undefined);
      return;
    }
    // It fails together with the archive, which is where failures are told.
    sink.on('error', () => undefined);
    for await (const chunk of content as AsyncIterable<Uint8Array>) {
      if (!sink.write(chunk)) await Promise.race([once(sink, 'drain'), once(sink, 'close')]);
      if (this.archive.destroyed) throw new Error('nobody reads it any more');
    }
    sink.end(undefined);
  }

  private count(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes > this.maxBytes) {
      throw new RiveraError(
        'payload-too-large',
        `the archive unpacks to more than ${Math.floor(this.maxBytes / 1024 / 1024)} MB`,
      );
    }
  }
}

async function fromTar(tar: Readable, writer: Writer): Promise<void> {
  const input = extract();
  const read = pipeline(tar, input);
  read.catch(() => undefined);
  try {
    for await (const entry of input) {
      const { header } = entry;
      if (TYPES.has(header.type ?? 'file')) await writer.entry(header, entry as unknown as Readable);
      else entry.resume();
    }
    await read;
  } finally {
    tar.destroy();
  }
}

async function fromZip(path: string, writer: Writer): Promise<void> {
  const zip = await openZip(path, { lazyEntries: true, validateEntrySizes: true });
  try {
    for (let entry = await nextEntry(zip); entry; entry = await nextEntry(zip)) {
      await writeZipEntry(zip, entry, writer);
    }
  } finally {
    zip.close();
  }
}

const openZip = promisify<string, object, ZipFile>(openZipFile);

function nextEntry(zip: ZipFile): Promise<Entry | undefined> {
  return new Promise((resolve, reject) => {
    const settle = (): void => void zip.removeAllListeners();
    zip.once('entry', (entry: Entry) => (settle(), resolve(entry)));
    zip.once('end', () => (settle(), resolve(undefined)));
    zip.once('error', (error: Error) => (settle(), reject(error)));
    zip.readEntry();
  });
}

async function writeZipEntry(zip: ZipFile, entry: Entry, writer: Writer): Promise<void> {
  const unixMode = entry.externalFileAttributes >>> 16;
  const header = { name: entry.fileName, mtime: entry.getLastModDate(), mode: unixMode & 0o7777 };
  if (entry.fileName.endsWith('/')) {
    return writer.entry({ ...header, type: 'directory', mode: header.mode || DIRECTORY_MODE });
  }
  const content = await promisify<Entry, Readable>(zip.openReadStream.bind(zip))(entry);
  if ((unixMode & TYPE_MASK) === SYMLINK) {
    const linkname = Buffer.concat(await content.toArray()).toString();
    return writer.entry({ ...header, type: 'symlink', linkname });
  }
  return writer.entry(
    { ...header, type: 'file', size: entry.uncompressedSize, mode: header.mode || FILE_MODE },
    content,
  );
}

function gunzipped(path: string): Readable {
  const plain = createGunzip();
  // A failure destroys `plain` with it, and whoever reads that is told.
  pipeline(createReadStream(path), plain).catch(() => undefined);
  return plain;
}

async function headOf(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= BLOCK_BYTES) break;
    }
  } catch {
    // Not what its first bytes promise; what there is of it is looked at all the same.
  }
  return Buffer.concat(chunks).subarray(0, BLOCK_BYTES);
}

function isZip(head: Buffer): boolean {
  return head.length >= 4 && ['PK\x03\x04', 'PK\x05\x06'].includes(head.toString('latin1', 0, 4));
}

function isTar(head: Buffer): boolean {
  return head.toString('latin1', 257, 262) === 'ustar';
}

/** The name as a relative path. */
function withinArchive(name: string): string {
  const relative = posix.normalize(name.replaceAll('\\', '/')).replace(/^\/+/, '');
  if (relative === '..' || relative.startsWith('../')) {
    throw new RiveraError('invalid-request', `the archive has an entry outside of it: ${name}`);
  }
  return relative;
}

function faultOf(error: unknown): RiveraError {
  if (error instanceof RiveraError) return error;
  return new RiveraError('invalid-request', `the archive is broken: ${(error as Error).message}`);
}
