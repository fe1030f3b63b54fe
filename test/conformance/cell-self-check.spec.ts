import { FakeGarden, FakeHost } from '#rivera/garden';
import { RiveraError } from '#rivera/models';
import { RiveraLogger } from '#rivera/platform';
import { SelfCheck } from '../../apps/cell/src/rep/self-check.js';
import { play, useCellWorld } from '../support/cell-world.js';
import { waitFor } from '../support/wait-for.js';

const broken = new RiveraError('internal', 'the engine is broken');
const logger = RiveraLogger.create({ app: 'cell', level: 'fatal' });

describe('cell: self-check', () => {
  const checks: SelfCheck[] = [];
  const checkOf = (garden: FakeGarden, more: { timeoutMs?: number } = {}) => {
    const changes: boolean[] = [];
    const check = new SelfCheck({
      garden,
      intervalMs: 5,
      recoveryMs: 5,
      timeoutMs: 30_000,
      logger,
      onChange: () => changes.push(check.isHealthy),
      ...more,
    });
    checks.push(check);
    check.start();
    return { check, changes };
  };
  const until = (what: string, isSo: () => boolean | Promise<boolean>) =>
    waitFor(isSo, { what, until: (so) => so, intervalMs: 2 });
  afterEach(() => checks.splice(0).forEach((check) => check.stop()));

  it('8.85 a cell whose engine fails says so until it recovers, and leaves nothing behind', async () => {
    let runs = 0;
    const host = new FakeHost({
      script: (program) => {
        runs += 1;
        program.exit(0);
      },
    });
    const garden = new FakeGarden({ owner: 'cell-1', host, stacks: ['base'] });
    const { check, changes } = checkOf(garden);
    await until('it has passed twice', () => runs >= 2);
    expect(changes).toEqual([]);
    const lift = host.inject({ operation: 'create', error: broken });
    await until('it has failed', () => !check.isHealthy);
    expect(check.problem).toBe('the engine is broken');
    lift();
    await until('it has passed again', () => check.isHealthy);
    expect(changes).toEqual([false, true]);
    check.stop();
    await until('nothing is left', async () => (await garden.list()).length === 0);
  });

  it('8.85 a program that fails is a failure', async () => {
    const host = new FakeHost({ script: (program) => program.exit(7) });
    const { check } = checkOf(new FakeGarden({ owner: 'cell-1', host, stacks: ['base'] }));
    await until('it has failed', () => !check.isHealthy);
    expect(check.problem).toBe('its program exited with status 7');
  });

  it('8.85 a check that hangs is a failure, no second is begun beside it, and its end is heard', async () => {
    const host = new FakeHost({ script: (program) => program.exit(0) });
    let creations = 0;
    const garden = new FakeGarden({ owner: 'cell-1', host, stacks: ['base'] });
    const create = garden.create.bind(garden);
    garden.create = (spec) => {
      creations += 1;
      return create(spec);
    };
    const lift = host.inject({ operation: 'create' });
    const { check, changes } = checkOf(garden, { timeoutMs: 10 });
    await until('it has failed', () => !check.isHealthy);
    expect(check.problem).toContain('did not end within 10 ms');
    await until('it was looked at again', () => changes.length === 1);
    expect(creations).toBe(1);
    lift();
    await until('it is well', () => check.isHealthy);
  });

  describe('of an agent', () => {
    const world = useCellWorld();

    it('8.85 keeps new work away, with the reason, and lets go on what runs; its containers are nobody’s', async () => {
      const lrp = { memoryMb: 1, diskMb: 0, action: play('sleep') };
      const guid = world().place(lrp);
      await world().reported('start', guid);
      world().rep.problem = 'the engine is broken';
      const refused = world().place(lrp);
      expect(await world().reported('refuse', refused)).toMatchObject({
        reason: 'self-check of the cell fails: the engine is broken',
      });
      expect(world().rep.actor(guid)?.state).toBe('running');
      world().rep.problem = undefined;
      await world().reported('start', world().place(lrp));

      await world().garden.create({
        handle: 'check-1',
        rootfs: 'preloaded:base',
        env: [],
        limits: { memoryMb: 1, diskMb: 0, pids: 0, cpuShares: 0 },
        privileged: false,
        ports: [],
        properties: { kind: 'self-check' },
      });
      world().work = { epoch: 1, actualLRPs: [world().actual(guid)], tasks: [] };
      await world().rep.synchronize();
      expect((await world().garden.list()).map(({ handle }) => handle)).toContain('check-1');
    });
  });
});
