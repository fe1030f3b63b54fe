import { FakeGarden } from '#rivera/garden';
import type { Container, Garden } from '#rivera/garden';
import { RiveraError } from '#rivera/models';
import { RiveraLogger } from '#rivera/platform';
import type { ProcessDefaults } from '../exec/instances.js';
import { type Step, type StepResult, SUCCEEDED } from '../executor/step.js';
import { limiter } from '../executor/limiter.js';
import { ContainerActor, type Leaving, type Work } from './container-actor.js';

/** Work whose step runs and ends at once, and whose announcement takes as long as the test says. */
class BriefWork implements Work {
  readonly guid = 'brief';
  readonly kind = 'lrp';
  readonly resources = { memoryMb: 1, diskMb: 1 };
  readonly said: string[] = [];

  constructor(
    private readonly garden: Garden,
    private readonly announced: Promise<boolean>,
  ) {}

  acquire(): Promise<boolean> {
    return Promise.resolve(true);
  }

  create(): Promise<Container> {
    return this.garden.create({
      handle: this.guid,
      rootfs: 'preloaded:base',
      env: [],
      limits: { memoryMb: 1, diskMb: 1, pids: 0, cpuShares: 0 },
      privileged: false,
      ports: [],
      properties: {},
    });
  }

  step(): Promise<Step> {
    const perform: Step['perform'] = (_signal, onReady) => {
      onReady();
      return Promise.resolve(SUCCEEDED);
    };
    return Promise.resolve({ perform });
  }

  processDefaults(): Promise<ProcessDefaults> {
    return Promise.resolve({ user: 'root', env: [] });
  }

  async ready(): Promise<boolean> {
    this.said.push('starting');
    const isWanted = await this.announced;
    this.said.push('started');
    return isWanted;
  }

  say(): void {}

  removed(): Promise<void> {
    this.said.push('removed');
    return Promise.resolve();
  }

  leave(): Promise<Leaving> {
    return Promise.resolve('gone');
  }

  handBack(): Promise<void> {
    this.said.push('handed back');
    return Promise.resolve();
  }

  ended(result: StepResult): Promise<void> {
    this.said.push(result.status);
    return Promise.resolve();
  }
}

describe('ContainerActor', () => {
  const garden = new FakeGarden({ owner: 'cell-1' });
  const run = async (work: BriefWork, begun: (actor: ContainerActor) => void = () => {}): Promise<void> => {
    await new Promise<void>((resolve) => {
      const actor = new ContainerActor({
        work,
        garden,
        cellId: 'cell-1',
        creating: limiter(1),
        deleting: limiter(1),
        logger: RiveraLogger.create({ app: 'cell', level: 'fatal' }),
        onGone: () => resolve(),
      });
      actor.begin();
      begun(actor);
    });
    expect(await garden.list()).toEqual([]);
  };

  it('reports the end of a brief program after its start, however long that takes to report', async () => {
    let announce: (isWanted: boolean) => void = () => undefined;
    const work = new BriefWork(garden, new Promise((resolve) => (announce = resolve)));
    const gone = run(work);
    await vi.waitFor(() => expect(work.said).toEqual(['starting']));
    // A turn of the loop is enough for an end that does not wait.
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(work.said).toEqual(['starting']);
    announce(true);
    await gone;
    expect(work.said).toEqual(['starting', 'started', 'succeeded', 'removed']);
  });

  it('reports the end also when the start could not be reported', async () => {
    const announced = Promise.reject<boolean>(new Error('no answer'));
    const work = new BriefWork(garden, announced);
    await run(work);
    expect(work.said).toEqual(['starting', 'succeeded', 'removed']);
  });

  it('what an earlier agent left and nobody wants is gone before the store may start it elsewhere', async () => {
    const work = new BriefWork(garden, Promise.resolve(true));
    await (await work.create()).start({ stdout: () => undefined, stderr: () => undefined });
    await run(work, (actor) => actor.stop());
    expect(work.said).toEqual(['removed', 'cancelled']);
  });

  it('what could not be taken up because the engine was away is looked at again before it counts as crashed', async () => {
    const away = new RiveraError('unavailable', 'The engine is away.');
    const work = new BriefWork(garden, Promise.resolve(true));
    await (await work.create()).start({ stdout: () => undefined, stderr: () => undefined });
    garden.host.inject({ operation: 'create', error: away, times: 1 });
    garden.host.inject({ operation: 'lookup', error: away, times: 1 });
    await run(work);
    expect(work.said).toEqual(['removed', 'failed']);
  });

  it('what has never run is told first, so that the next agent can tell it if this one ends', async () => {
    const work = new BriefWork(garden, Promise.resolve(true));
    garden.host.inject({ operation: 'create', error: new RiveraError('internal', 'no room'), times: 1 });
    await run(work);
    expect(work.said).toEqual(['failed', 'removed']);
  });
});
