import type { Readable, Writable } from 'node:stream';
import type { ReadStream, WriteStream } from 'node:tty';
import type { WindowSize } from '#rivera/models';

/** What a program gets that asks for a terminal where there is none. */
const USUAL: WindowSize = { columns: 80, rows: 24 };

/** Of the terminal behind a stream. */
export function sizeOf(stream: Writable): WindowSize {
  const { columns, rows, isTTY } = stream as WriteStream;
  return isTTY && columns > 0 && rows > 0 ? { columns, rows } : USUAL;
}

/** Calls back when the terminal behind the stream changes its size; the answer ends that. */
export function onResize(stream: Writable, resized: (size: WindowSize) => void): () => void {
  const tell = (): void => resized(sizeOf(stream));
  stream.on('resize', tell);
  return () => void stream.off('resize', tell);
}

/**
 * Has the terminal behind the stream hand over each key as it is pressed, Ctrl-C included; the answer sets it back. Does
 * nothing where there is no terminal.
 */
export function enterRawMode(stream: Readable): () => void {
  const terminal = stream as ReadStream;
  if (!terminal.isTTY || terminal.isRaw) return () => {};
  terminal.setRawMode(true);
  return () => void terminal.setRawMode(false);
}
