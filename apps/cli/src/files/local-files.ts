import { lstat, mkdir, stat } from 'node:fs/promises';
import { basename, dirname, posix, resolve } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, pack } from 'tar-fs';
import { UsageError } from '../errors.js';

export interface Packed {
  /** In the instance: below it the stream is to be unpacked. */
  directory: string;
  tar: AsyncIterable<Uint8Array>;
}

/**
 * A file or directory of this machine as a tar stream that becomes `to`, or when `to` ends in `/` goes below it. `-`: the
 * tar stream on our input, which goes below `to` as it is.
 */
export async function packLocal(
  from: string,
  { to, cwd, stdin }: { to: string; cwd: string; stdin: Readable },
): Promise<Packed> {
  if (from === '-') return { directory: to, tar: stdin };
  const source = resolve(cwd, from);
  const isThere = await lstat(source).catch(() => undefined);
  if (isThere === undefined) throw new UsageError(`There is no file or directory ${from}.`);
  const name = basename(source);
  const goesInto = to.endsWith('/');
  const tar = pack(dirname(source), {
    entries: [name],
    map: (header) => renamed(header, name, goesInto ? name : posix.basename(to)),
  });
  return { directory: goesInto ? to : posix.dirname(to), tar: tar as AsyncIterable<Uint8Array> };
}

/**
 * A tar stream of one file or directory becomes `to`; when that ends in `/` or is a directory, it goes into it. `-`: the
 * stream goes to our output. What would end up elsewhere, by its name or through a link, ends the copying.
 */
export async function unpackLocal(
  tar: AsyncIterable<Uint8Array>,
  { to, cwd, stdout }: { to: string; cwd: string; stdout: Writable },
): Promise<void> {
  if (to === '-') return pipeline(tar, stdout, { end: false });
  const target = resolve(cwd, to);
  const isDirectory = (await stat(target).catch(() => undefined))?.isDirectory() ?? false;
  const goesInto = to.endsWith('/') || isDirectory;
  const directory = goesInto ? target : dirname(target);
  await mkdir(directory, { recursive: true });
  let top: string | undefined;
  // Owners of the instance mean nothing here. The types do not know of the option.
  const ownersStay: object = { chown: false };
  const sink = extract(directory, {
    ...ownersStay,
    map: (header) => {
      top ??= header.name.split('/').find((part) => part !== '' && part !== '.');
      return goesInto || top === undefined ? header : renamed(header, top, basename(target));
    },
  });
  await pipeline(Readable.from(tar), sink);
}

interface Header {
  name: string;
}

/** Gives what the stream is of, and all below it, another name. */
function renamed<H extends Header>(header: H, from: string, to: string): H {
  const name = header.name.replace(/^\.\//, '');
  if (name === from || name.startsWith(`${from}/`)) header.name = `${to}${name.slice(from.length)}`;
  return header;
}
