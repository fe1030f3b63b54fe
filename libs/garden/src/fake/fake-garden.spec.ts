import { RiveraError } from '#rivera/models';
import type { ContainerSpec } from '../container.js';
import { FakeGarden } from './fake-garden.js';
import { FakeHost } from './fake-host.js';

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
});
