import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Header } from 'tar-stream';

/**
 * Reads the first entry of a tar stream; undefined when it has none. The rest is not read, and the stream lets go of
 * whatever it comes from.
 */
export async function readFirstFile<T>(
  tar: NodeJS.ReadableStream,
  read: (header: Header, content: AsyncIterable<Buffer>) => Promise<T>,
): Promise<T | undefined> {
  const input = extract();
  // A fault is told by the iteration below; after it has ended there is nobody to tell.
  input.on('error', () => undefined);
  pipeline(tar, input).catch(() => undefined);
  try {
    for await (const entry of input) {
      entry.on('error', () => undefined);
      return await read(entry.header, entry as unknown as AsyncIterable<Buffer>);
    }
    return undefined;
  } finally {
    (tar as Readable).destroy();
  }
}
