import { appendFile, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { OutputFollower } from './output-follower.js';

describe('OutputFollower', () => {
  let directory: string;
  let out: string;
  const output = {
    stdout: (chunk: Buffer): void => {
      out += chunk.toString();
    },
    stderr: (chunk: Buffer): void => {
      out += `!${chunk.toString()}`;
    },
  };
  const read = (text: string): Promise<void> => vi.waitFor(() => expect(out).toBe(text), { timeout: 10_000 });

  beforeEach(async () => {
    out = '';
    directory = await mkdtemp(join(tmpdir(), 'rivera-follower-'));
    for (const name of ['stdout', 'stderr']) await writeFile(join(directory, name), '');
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('reads what is there and what comes, and what is left when it finishes', async () => {
    await appendFile(join(directory, 'stdout'), 'early ');
    const follower = await OutputFollower.start({ directory, output, from: 'beginning' });
    await read('early ');
    await appendFile(join(directory, 'stderr'), 'error ');
    await read('early !error ');
    await appendFile(join(directory, 'stdout'), 'last');
    await follower.finish();
    expect(out).toBe('early !error last');
  });

  it('goes on where the last one stopped, or from the beginning', async () => {
    const first = await OutputFollower.start({ directory, output, from: 'beginning' });
    await appendFile(join(directory, 'stdout'), 'one ');
    await first.finish();
    await appendFile(join(directory, 'stdout'), 'two');
    out = '';
    await (await OutputFollower.start({ directory, output, from: 'cursor' })).finish();
    expect(out).toBe('two');
    out = '';
    await (await OutputFollower.start({ directory, output, from: 'beginning' })).finish();
    expect(out).toBe('one two');
  });

  it('takes a cursor that was cut off for none', async () => {
    await appendFile(join(directory, 'stdout'), 'all');
    await writeFile(join(directory, 'cursor'), '{"stdo');
    await (await OutputFollower.start({ directory, output, from: 'cursor' })).finish();
    expect(out).toBe('all');
  });

  it('keeps the files short', async () => {
    const follower = await OutputFollower.start({ directory, output, from: 'beginning' });
    await appendFile(join(directory, 'stdout'), 'x'.repeat(9 * 1024 * 1024));
    await vi.waitFor(async () => expect((await stat(join(directory, 'stdout'))).size).toBe(0), {
      timeout: 10_000,
    });
    await appendFile(join(directory, 'stdout'), 'after');
    await follower.finish();
    expect(out.length).toBe(9 * 1024 * 1024 + 'after'.length);
  });
});
