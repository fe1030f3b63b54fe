import { lstat, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { type Header, pack } from 'tar-stream';
import { packLocal, unpackLocal } from './local-files.js';

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'rivera-files-'));
});
afterEach(() => rm(cwd, { recursive: true }));

const here = (...parts: string[]): string => join(cwd, ...parts);
const read = (...parts: string[]): Promise<string> => readFile(here(...parts), 'utf8');

/** A tar stream of entries, as an instance would send it. */
function tarOf(
  ...entries: [header: Partial<Header> & { name: string }, content?: string][]
): AsyncIterable<Uint8Array> {
  const archive = pack();
  for (const [header, content] of entries) archive.entry(header, content ?? '');
  archive.finalize();
  return archive as unknown as AsyncIterable<Uint8Array>;
}

const unpack = (tar: AsyncIterable<Uint8Array>, to: string) =>
  unpackLocal(tar, { to, cwd, stdout: new PassThrough() });

describe('copying out', () => {
  it('a file becomes the target, or goes into a directory', async () => {
    const file = () => tarOf([{ name: 'a.txt' }, 'hello']);
    await unpack(file(), 'b.txt');
    expect(await read('b.txt')).toBe('hello');
    await unpack(file(), 'new/');
    expect(await read('new', 'a.txt')).toBe('hello');
    await mkdir(here('there'));
    await unpack(file(), 'there');
    expect(await read('there', 'a.txt')).toBe('hello');
  });

  it('a directory does, with all that is in it', async () => {
    const tree = () =>
      tarOf(
        [{ name: 'tree/', type: 'directory' }],
        [{ name: 'tree/sub/x' }, 'x'],
        [{ name: 'tree/tree' }, 'y'],
      );
    await unpack(tree(), 'copy');
    expect([await read('copy', 'sub', 'x'), await read('copy', 'tree')]).toEqual(['x', 'y']);
    await unpack(tree(), 'into/');
    expect(await read('into', 'tree', 'sub', 'x')).toBe('x');
  });

  it.each<[string, ...Parameters<typeof tarOf>]>([
    ['a name that leads out', [{ name: '../outside.txt' }, 'evil']],
    ['an absolute name', [{ name: '/outside.txt' }, 'evil']],
    [
      'a link and a name through it',
      [{ name: 'in', type: 'symlink', linkname: '..' }],
      [{ name: 'in/outside.txt' }, 'evil'],
    ],
    [
      'a link to a file outside, and writing to it',
      [{ name: 'in', type: 'symlink', linkname: '../victim.txt' }],
      [{ name: 'in' }, 'evil'],
    ],
    ['a hard link to a file outside', [{ name: 'in', type: 'link', linkname: '../victim.txt' }]],
  ])('leaves everything outside the target alone: %s', async (_what, ...entries) => {
    await writeFile(here('victim.txt'), 'precious');
    await mkdir(here('target'));
    await unpack(tarOf(...entries), 'target/').catch(() => undefined);
    expect(await read('victim.txt')).toBe('precious');
    expect(await lstat(here('outside.txt')).catch(() => undefined)).toBeUndefined();
    expect(await lstat('/outside.txt').catch(() => undefined)).toBeUndefined();
    const linked = await lstat(here('target', 'in')).catch(() => undefined);
    expect(linked?.isFile() === true && (await read('target', 'in')) === 'precious').toBe(false);
  });

  it('fails with the stream', async () => {
    const broken = (async function* () {
      yield Buffer.from('not');
      await Promise.reject(new Error('cut off'));
    })();
    await expect(unpack(broken, 'x')).rejects.toThrow('cut off');
  });

  it('a tar stream goes to the output as it is', async () => {
    const stdout = new PassThrough();
    await unpackLocal(Readable.from([Buffer.from('abc')]), { to: '-', cwd, stdout });
    expect(String(stdout.read())).toBe('abc');
    expect(stdout.writableEnded).toBe(false);
  });
});

describe('copying in', () => {
  const packed = async (from: string, to: string) => {
    const { directory, tar } = await packLocal(from, { to, cwd, stdin: new PassThrough() });
    await unpack(tar, `${here('instance')}/`);
    return directory;
  };

  it('names the file as the target does, or puts it below', async () => {
    await writeFile(here('a.txt'), 'hello');
    expect(await packed('a.txt', '/tmp/b.txt')).toBe('/tmp');
    expect(await read('instance', 'b.txt')).toBe('hello');
    expect(await packed('a.txt', '/tmp/')).toBe('/tmp/');
    expect(await read('instance', 'a.txt')).toBe('hello');
  });

  it('takes a directory and only that', async () => {
    await mkdir(here('tree', 'sub'), { recursive: true });
    await writeFile(here('tree', 'sub', 'x'), 'x');
    await writeFile(here('treetop'), 'no');
    await symlink('sub/x', here('tree', 'link'));
    expect(await packed('tree', '/srv/app')).toBe('/srv');
    expect(await read('instance', 'app', 'sub', 'x')).toBe('x');
    expect(await read('instance', 'app', 'link')).toBe('x');
    expect(await lstat(here('instance', 'treetop')).catch(() => undefined)).toBeUndefined();
  });

  it('says what is not there', async () => {
    await expect(packed('nothing', '/tmp/')).rejects.toThrow('There is no file or directory nothing.');
  });

  it('a tar stream of the input goes in as it is', async () => {
    const stdin = Readable.from([Buffer.from('abc')]);
    const { directory, tar } = await packLocal('-', { to: '/tmp', cwd, stdin });
    expect([directory, tar]).toEqual(['/tmp', stdin]);
  });
});
