import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { vi } from 'vitest';
import type { ContainerSpec, ProcessSpec } from '../container.js';
import { ProcessGarden } from './process-garden.js';

describe('ProcessGarden', () => {
  let directory: string;
  let garden: ProcessGarden;
  let text: string;
  const output = {
    stdout: (chunk: Buffer): void => {
      text += chunk.toString();
    },
    stderr: (): void => undefined,
  };
  const shell = (script: string, more: Partial<ProcessSpec> = {}): ProcessSpec => ({
    path: '/bin/sh',
    args: ['-c', script],
    env: [],
    user: userInfo().username,
    ...more,
  });
  const spec = (more: Partial<ContainerSpec> = {}): ContainerSpec => ({
    handle: 'guid',
    rootfs: 'preloaded:tiny',
    env: [],
    limits: { memoryMb: 0, diskMb: 0, pids: 0, cpuShares: 10 },
    privileged: false,
    ports: [],
    properties: {},
    ...more,
  });
  const open = (): Promise<ProcessGarden> =>
    ProcessGarden.open({ owner: 'cell', directory, stacks: { tiny: join(directory, 'tiny.tar') } });

  beforeEach(async () => {
    text = '';
    directory = await mkdtemp(join(tmpdir(), 'rivera-process-'));
    await chmod(directory, 0o755);
    await mkdir(join(directory, 'tiny/opt/app'), { recursive: true });
    await writeFile(join(directory, 'tiny/opt/app/hello'), '#!/bin/sh\necho hello from the stack\n', {
      mode: 0o755,
    });
    await promisify(execFile)('tar', [
      '-cf',
      join(directory, 'tiny.tar'),
      '-C',
      join(directory, 'tiny'),
      '.',
    ]);
    garden = await open();
  });
  afterEach(async () => {
    for (const { handle } of await garden.list()) await garden.destroy(handle);
    await garden.close();
    await rm(directory, { recursive: true, force: true });
  });

  it('runs a program of the stack, and one of the host that the stack does not have', async () => {
    const container = await garden.create(spec());
    await container.start(output);
    const hello = await container.run(shell('', { path: '/opt/app/hello', args: [] }), output);
    await hello.wait();
    expect(text).toBe('hello from the stack\n');
    expect((await (await container.run(shell('exit 3'), output)).wait()).status).toBe(3);
  });

  it('unpacks a stack once', async () => {
    await Promise.all(['a', 'b', 'c'].map((handle) => garden.create(spec({ handle }))));
    await (await open()).create(spec({ handle: 'd' }));
    expect(await readdir(join(directory, 'stacks'))).toHaveLength(1);
  });

  it('has no images', async () => {
    await expect(garden.create(spec({ rootfs: 'docker:///busybox' }))).rejects.toMatchObject({
      code: 'unsupported',
    });
  });

  it('keeps the environment from other users and out of what it lists', async () => {
    const wanted = spec({ env: ['SECRET=s3cr3t'] });
    await garden.create(wanted);
    expect(JSON.stringify(await garden.list())).not.toContain('s3cr3t');
  });

  it('ends what left its session when the container is destroyed', async () => {
    const container = await garden.create(
      spec({ main: shell('setsid sleep 4321 & echo $!; exec sleep 4322') }),
    );
    await container.start(output);
    await vi.waitFor(() => expect(text).toMatch(/\d+\n/), { timeout: 10_000 });
    const pid = Number(text);
    await garden.destroy('guid');
    // A zombie has no command line.
    expect(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).toBe('');
  });

  it('gives no two containers the same host port, also after a restart', async () => {
    const ports = [1, 2, 3, 4, 5];
    await garden.create(spec({ handle: 'a', ports }));
    const next = await open();
    await next.create(spec({ handle: 'b', ports }));
    const hostPorts = (await next.list()).flatMap((info) => info.ports.map(({ hostPort }) => hostPort));
    expect(new Set(hostPorts).size).toBe(10);
  });

  it('needs few open files for many containers at once', async () => {
    const handles = Array.from({ length: 30 }, (_, number) => `many-${number}`);
    for (const handle of handles) {
      const container = await garden.create(spec({ handle, main: shell('exec sleep 1000') }));
      await container.start(output);
    }
    const openFiles = (): number => readdirSync('/proc/self/fd').length;
    const before = openFiles();
    let most = before;
    const watching = setInterval(() => (most = Math.max(most, openFiles())), 0);
    await Promise.all(handles.map((handle) => garden.destroy(handle)));
    clearInterval(watching);
    // Two hundred processes of a machine for each of them would be thousands.
    expect(most - before).toBeLessThan(10 * handles.length);
    expect(await garden.list()).toEqual([]);
  });

  it('takes a killed supervisor for a killed process', async () => {
    const container = await garden.create(spec({ main: shell('echo $PPID; exec sleep 1000') }));
    const main = (await container.start(output))!;
    await vi.waitFor(() => expect(text).toMatch(/\d+\n/), { timeout: 10_000 });
    process.kill(-Number(text), 'SIGKILL');
    expect((await main.wait()).status).toBe(137);
    expect(await container.info()).toMatchObject({ state: 'stopped', mainExit: { status: 137 } });
  });

  it.runIf(process.getuid?.() === 0)(
    'runs as the user, when it is root, in a directory of the user',
    async () => {
      const container = await garden.create(spec());
      await container.start(output);
      const touch = await container.run(shell('touch here && id -u && id -g', { user: '2000:2001' }), output);
      expect((await touch.wait()).status).toBe(0);
      expect(text).toBe('2000\n2001\n');
    },
  );
});
