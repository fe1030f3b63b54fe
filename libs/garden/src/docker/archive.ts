import { once } from 'node:events';
import { posix } from 'node:path';
import type Docker from 'dockerode';
import { extract, pack } from 'tar-stream';
import type { Header, Pack } from 'tar-stream';
import { RiveraError } from '#rivera/models';
import { asking, askingUnless } from './engine-error.js';

export interface Owner {
  uid: number;
  gid: number;
}

const ROOT: Owner = { uid: 0, gid: 0 };
const DIRECTORY_MODE = 0o755;
const EXECUTABLE_MODE = 0o755;

/**
 * Unpacks a tar below `path`. The engine takes owners literally and refuses a path that is not there, so each entry is
 * given its owner, and the missing part of the path is put in front of its name; directories that exist stay as they are.
 */
export async function putTree(options: {
  container: Docker.Container;
  path: string;
  tar: NodeJS.ReadableStream;
  owner: Owner;
}): Promise<void> {
  const { container, tar, owner } = options;
  const path = posix.resolve('/', options.path);
  const base = await deepestExisting(container, path);
  const missing = posix.relative(base, path);
  const archive = pack();
  const written = writeArchive(archive, { tar, owner, missing }).catch((error: unknown) => {
    archive.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  });
  const sent = asking(`The files could not be put below ${path}`, () =>
    container.putArchive(archive as unknown as NodeJS.ReadableStream, { path: base }),
  );
  const [sending, writing] = await Promise.allSettled([
    sent.catch((error: unknown) => {
      archive.destroy();
      throw error;
    }),
    written,
  ]);
  if (writing.status === 'rejected' && sending.status !== 'rejected') throw writing.reason;
  if (sending.status === 'rejected') throw sending.reason;
}

async function writeArchive(
  archive: Pack,
  options: { tar: NodeJS.ReadableStream; owner: Owner; missing: string },
): Promise<void> {
  const { tar, owner, missing } = options;
  const parents = missing === '' ? [] : missing.split('/');
  for (let depth = 1; depth <= parents.length; depth += 1) {
    const name = `${parents.slice(0, depth).join('/')}/`;
    archive.entry({ name, type: 'directory', mode: DIRECTORY_MODE, ...owner });
  }
  const input = extract();
  tar.on('error', (error) => input.destroy(error));
  for await (const entry of tar.pipe(input)) {
    const name = posix.normalize(entry.header.name).replace(/^\/+/, '');
    // The entry of the root would give the directory itself another mode and owner.
    const isRoot = name === './' || name === '.';
    const sink = isRoot ? undefined : archive.entry(rewritten(entry.header, name, { owner, missing }));
    // It fails together with the archive, which is where failures are told.
    sink?.on('error', () => undefined);
    for await (const chunk of entry) {
      if (sink && !sink.write(chunk)) await Promise.race([once(sink, 'drain'), once(sink, 'close')]);
      if (archive.destroyed) throw new Error('The engine has stopped reading.');
    }
    sink?.end(undefined);
  }
  archive.finalize();
}

function rewritten(
  header: Header,
  name: string,
  options: { owner: Owner; missing: string },
): Partial<Header> & { name: string } {
  const { mode, mtime, type, size, linkname } = header;
  const below = (path: string): string => posix.join(options.missing, path);
  return {
    name: below(name),
    mode,
    mtime,
    type,
    size,
    // A hard link names another entry, a symbolic one any path.
    linkname: type === 'link' && linkname ? below(linkname) : linkname,
    ...options.owner,
  };
}

/** Puts one executable file, and the directory it is in, as root. */
export async function putExecutable(
  container: Docker.Container,
  path: string,
  content: Buffer,
): Promise<void> {
  const archive = pack();
  archive.entry({ name: posix.dirname(path).slice(1), type: 'directory', mode: DIRECTORY_MODE, ...ROOT });
  archive.entry({ name: path.slice(1), mode: EXECUTABLE_MODE, ...ROOT }, content);
  archive.finalize();
  await asking(`${path} could not be put into the container`, () =>
    container.putArchive(archive as unknown as NodeJS.ReadableStream, { path: '/' }),
  );
}

/** Whether there is anything at `path`. */
export async function exists(container: Docker.Container, path: string): Promise<boolean> {
  const info: unknown = await askingUnless([404], `${path} could not be looked up`, () =>
    container.infoArchive({ path }),
  );
  return info !== undefined;
}

async function deepestExisting(container: Docker.Container, path: string): Promise<string> {
  let base = path;
  while (base !== '/' && !(await exists(container, base))) base = posix.dirname(base);
  return base;
}

/**
 * Whom a user name or `uid[:gid]` stands for and where it is at home, by the container's own passwd file. `root` needs
 * no such file. Rejects with `not-found` for a name it does not list.
 */
export async function resolveOwner(
  container: Docker.Container,
  user: string,
): Promise<Owner & { home: string }> {
  if (user === '' || user === 'root') return { ...ROOT, home: '/root' };
  const lines = (await readFile(container, '/etc/passwd')).split('\n').map((line) => line.split(':'));
  const numeric = /^(\d+)(?::(\d+))?$/.exec(user);
  const found = lines.find(([name, , uid]) => (numeric ? uid === numeric[1] : name === user));
  const home = found?.[5] || '/';
  if (numeric) return { uid: Number(numeric[1]), gid: Number(numeric[2] ?? 0), home };
  const [, , uid, gid] = found ?? [];
  if (uid === undefined || gid === undefined) {
    throw new RiveraError(
      'not-found',
      `The container has no user ${user}: name one of its /etc/passwd or a number.`,
    );
  }
  return { uid: Number(uid), gid: Number(gid), home };
}

async function readFile(container: Docker.Container, path: string): Promise<string> {
  const archive = await askingUnless([404], `${path} could not be read`, () =>
    container.getArchive({ path }),
  );
  if (!archive) return '';
  const chunks: Buffer[] = [];
  for await (const entry of archive.pipe(extract())) {
    for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
