import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RiveraError } from '#rivera/models';
import type { ContainerSpec } from '../container.js';
import { FakeGarden } from './fake-garden.js';
import { FakeHost } from './fake-host.js';
import { FakeJournal, readFakeJournal } from './fake-journal.js';
import { playShell } from './play-shell.js';

const silent = { stdout: (): void => undefined, stderr: (): void => undefined };
const boom = new RiveraError('internal', 'boom');

function spec(handle: string): ContainerSpec {
  return {
    handle,
    rootfs: 'preloaded:base',
    env: [],
    limits: { memoryMb: 64, diskMb: 0, pids: 0, cpuShares: 10 },
    privileged: false,
    ports: [8080],
    properties: {},
    main: { path: '/app', args: [], env: [], user: 'vcap' },
  };
}

describe('FakeGarden', () => {
  it('fails as often as it is told to', async () => {
    const garden = new FakeGarden({ owner: 'cell' });
    garden.host.inject({ operation: 'create', error: boom, times: 1 });
    await expect(garden.create(spec('a'))).rejects.toBe(boom);
    await garden.create(spec('a'));
    expect(await garden.list()).toHaveLength(1);
  });

  it('fails for one container only, and afterwards, as when an answer is lost', async () => {
    const garden = new FakeGarden({ owner: 'cell' });
    const lift = garden.host.inject({ operation: 'create', handle: 'b', error: boom, afterwards: true });
    await garden.create(spec('a'));
    await expect(garden.create(spec('b'))).rejects.toBe(boom);
    lift();
    await garden.create(spec('b'));
    expect(await garden.list()).toHaveLength(2);
  });

  it('hangs until the fault is lifted', async () => {
    const garden = new FakeGarden({ owner: 'cell' });
    const lift = garden.host.inject({ operation: 'start' });
    const container = await garden.create(spec('a'));
    const starting = container.start(silent);
    expect((await container.info()).state).toBe('created');
    lift();
    await starting;
    expect((await container.info()).state).toBe('running');
  });

  it('kills, runs out of memory and vanishes on demand', async () => {
    const garden = new FakeGarden({ owner: 'cell' });
    const start = async (handle: string) => (await (await garden.create(spec(handle))).start(silent))!;
    const [killed, starved, vanished] = [await start('a'), await start('b'), await start('c')];
    garden.kill('a');
    garden.runOutOfMemory('b');
    garden.vanish('c');
    expect(await killed.wait()).toEqual({ status: 137, outOfMemory: false });
    expect(await starved.wait()).toEqual({ status: 137, outOfMemory: true });
    expect((await vanished.wait()).status).toBe(137);
    expect((await garden.list()).map(({ handle }) => handle)).toEqual(['a', 'b']);
  });

  it('plays scripts on the clock it is given', async () => {
    const due: { atMs: number; callback(): void }[] = [];
    const clock = {
      nowMs: 0,
      now: (): number => clock.nowMs,
      after: (delayMs: number, callback: () => void) => {
        const entry = { atMs: clock.nowMs + delayMs, callback };
        due.push(entry);
        return () => void due.splice(due.indexOf(entry), 1);
      },
    };
    const host = new FakeHost({ clock, script: (program) => program.after(5_000, () => program.exit(4)) });
    const garden = new FakeGarden({ owner: 'cell', host });
    const main = (await (await garden.create(spec('a'))).start(silent))!;
    expect(due).toMatchObject([{ atMs: 5_000 }]);
    due[0]!.callback();
    expect((await main.wait()).status).toBe(4);
  });

  describe('on a machine that is kept in a file', () => {
    const directory = mkdtempSync(join(tmpdir(), 'rivera-fake-'));
    afterAll(() => rmSync(directory, { recursive: true }));
    const shell = (handle: string, line: string): ContainerSpec => ({
      ...spec(handle),
      main: { path: '/bin/sh', args: ['-c', line], env: [], user: 'vcap' },
    });
    const gardenOn = (file: string, nowMs: number) => {
      const due: { atMs: number; callback(): void }[] = [];
      const clock = {
        now: () => nowMs,
        after: (delayMs: number, callback: () => void) => {
          due.push({ atMs: nowMs + delayMs, callback });
          return () => undefined;
        },
      };
      const host = new FakeHost({ clock, script: playShell, journal: FakeJournal.open(file) });
      return { garden: new FakeGarden({ owner: 'cell', host }), due };
    };

    it('has its containers outlive the agent, and their programs go on meanwhile', async () => {
      const file = join(directory, 'outlive');
      const first = gardenOn(file, 1_000);
      for (const one of [shell('ends', 'sleep 2; exit 3'), shell('goes', 'sleep 60')]) {
        await (await first.garden.create(one)).start(silent);
      }
      await first.garden.create(shell('made', 'sleep 1'));
      await first.garden.create(shell('gone', 'sleep 1'));
      await first.garden.destroy('gone');

      const next = gardenOn(file, 11_000);
      expect((await next.garden.list()).map(({ handle, state }) => `${handle} ${state}`)).toEqual([
        'ends running',
        'goes running',
        'made created',
      ]);
      expect(next.due.map(({ atMs }) => atMs)).toEqual([11_000, 61_000]);
      next.due[0]!.callback();
      expect(await (await (await next.garden.lookup('ends')).attachMain(silent)).wait()).toMatchObject({
        status: 3,
      });

      const last = gardenOn(file, 12_000);
      expect((await (await last.garden.lookup('ends')).info()).mainExit).toMatchObject({ status: 3 });
    });

    it('reads past what a writer that was killed has left', async () => {
      const file = join(directory, 'torn');
      await gardenOn(file, 0).garden.create(shell('a', 'sleep 1'));
      const text = readFileSync(file, 'utf8');
      expect(readFakeJournal(`${text}\n{"atMs":1,"ty`)).toHaveLength(1);
    });
  });
});
