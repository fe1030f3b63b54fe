import { FakeGarden } from '#rivera/garden';
import type { Container, Garden } from '#rivera/garden';
import { RiveraLogger } from '#rivera/platform';
import type { ProcessDefaults } from '../exec/instances.js';
import { limiter } from '../executor/limiter.js';
import { CANCELLED, type Step, type StepResult } from '../executor/step.js';
import { ContainerActor, type Leaving, type Work } from './container-actor.js';

/** Work that runs until it is stopped. What it is told when it asks to leave is up to the test. */
class PatientWork implements Work {
  readonly guid = 'patient';
  readonly kind = 'lrp';
  readonly resources = { memoryMb: 1, diskMb: 1 };
  /** How it was when it asked. */
  readonly asked: ('running' | 'not running')[] = [];
  readonly ends: string[] = [];
  grant: () => void = () => undefined;
  private readonly granted = new Promise<boolean>((resolve) => (this.grant = () => resolve(true)));

  constructor(
    private readonly garden: Garden,
    private readonly answer: () => Promise<Leaving>,
  ) {}

  acquire(): Promise<boolean> {
    return this.granted;
  }

  create(): Promise<Container> {
    const limits = { memoryMb: 1, diskMb: 1, pids: 0, cpuShares: 0 };
    const { guid: handle } = this;
    return this.garden.create({
      handle,
      rootfs: 'preloaded:base',
      env: [],
      limits,
      privileged: false,
      ports: [],
      properties: {},
    });
  }

  step(): Promise<Step> {
    const perform: Step['perform'] = (signal, onReady) => {
      onReady();
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve(CANCELLED)));
    };
    return Promise.resolve({ perform });
  }

  processDefaults(): Promise<ProcessDefaults> {
    return Promise.resolve({ user: 'root', env: [] });
  }

  ready(): Promise<boolean> {
    return Promise.resolve(true);
  }

  leave(_container: Container | undefined, isRunning: boolean): Promise<Leaving> {
    this.asked.push(isRunning ? 'running' : 'not running');
    return this.answer();
  }

  handBack(): Promise<void> {
    this.ends.push('handed back');
    return Promise.resolve();
  }

  ended(result: StepResult): Promise<void> {
    this.ends.push(result.status);
    return Promise.resolve();
  }

  removed(): Promise<void> {
    return Promise.resolve();
  }

  say(): void {}
}

const garden = new FakeGarden({ owner: 'cell-1' });
let isGone: boolean;
function actorOf(work: Work, { isAdopted = false } = {}): ContainerActor {
  isGone = false;
  const actor = new ContainerActor({
    work,
    garden,
    cellId: 'cell-1',
    creating: limiter(1),
    deleting: limiter(1),
    ...(isAdopted ? {} : { reservationTtlMs: 60_000 }),
    logger: RiveraLogger.create({ app: 'cell', level: 'fatal' }),
    onGone: () => (isGone = true),
  });
  actor.begin();
  return actor;
}
const running = async (work: PatientWork): Promise<ContainerActor> => {
  const actor = actorOf(work);
  work.grant();
  await vi.waitFor(() => expect(actor.state).toBe('running'));
  return actor;
};
/** Enough turns of the loop for what an actor was told to be done. */
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};
const askTwice = async (actor: ContainerActor): Promise<void> => {
  for (let time = 0; time < 2; time += 1) {
    actor.leave();
    await settled();
  }
};

describe('asked to leave, what runs', () => {
  it('is stopped when it may go', async () => {
    const work = new PatientWork(garden, () => Promise.resolve('gone'));
    await askTwice(await running(work));
    await vi.waitFor(() => expect(isGone).toBe(true));
    expect(work.asked).toEqual(['running']);
    expect(work.ends).toEqual(['cancelled']);
    expect(await garden.list()).toEqual([]);
  });

  it.each<[string, () => Promise<Leaving>, number]>([
    ['has to wait its turn: asks again each time', () => Promise.resolve('waiting'), 2],
    ['is on the move: does not ask again soon', () => Promise.resolve('moving'), 1],
    ['gets no answer: asks again', () => Promise.reject(new Error('no answer')), 2],
    ['waits for its answer: does not ask meanwhile', () => new Promise(() => undefined), 1],
  ])('%s, and goes on', async (_what, answer, asked) => {
    const work = new PatientWork(garden, answer);
    const actor = await running(work);
    await askTwice(actor);
    expect(work.asked).toHaveLength(asked);
    expect(actor.state).toBe('running');
    actor.stop();
    await vi.waitFor(() => expect(isGone).toBe(true));
  });
});

describe('asked to leave, what is not granted yet', () => {
  it('is given back as soon as it is', async () => {
    const work = new PatientWork(garden, () => Promise.resolve('gone'));
    const actor = actorOf(work);
    await askTwice(actor);
    expect(work.asked).toEqual(['not running']);
    work.grant();
    await vi.waitFor(() => expect(isGone).toBe(true));
    expect(work.ends).toEqual(['cancelled']);
  });

  it('begins all the same when it is to go on, as tasks do', async () => {
    const work = new PatientWork(garden, () => Promise.resolve('waiting'));
    const actor = actorOf(work);
    await askTwice(actor);
    work.grant();
    await vi.waitFor(() => expect(actor.state).toBe('running'));
    actor.stop();
    await vi.waitFor(() => expect(isGone).toBe(true));
  });
});

describe('handed back as the agent ends', () => {
  it('is what is not granted yet, and it is not begun when it is', async () => {
    const work = new PatientWork(garden, () => Promise.resolve('gone'));
    const actor = actorOf(work);
    expect(actor.isStarting).toBe(true);
    actor.handBack();
    work.grant();
    await vi.waitFor(() => expect(isGone).toBe(true));
    expect(actor.isStarting).toBe(false);
    expect(work.ends).toEqual(['handed back']);
    expect(await garden.list()).toEqual([]);
  });

  it('is what waits for its container, which is removed as soon as it is there', async () => {
    const work = new PatientWork(garden, () => Promise.resolve('gone'));
    const actor = actorOf(work);
    const lift = garden.host.inject({ operation: 'create' });
    work.grant();
    await vi.waitFor(() => expect(actor.state).toBe('initializing'));
    actor.handBack();
    await vi.waitFor(() => expect(work.ends).toEqual(['handed back']));
    expect(isGone).toBe(false);
    lift();
    await vi.waitFor(() => expect(isGone).toBe(true));
    expect(await garden.list()).toEqual([]);
  });

  it('is not what runs, nor what an earlier agent left', async () => {
    const ran = new PatientWork(garden, () => Promise.resolve('gone'));
    const actor = await running(ran);
    actor.handBack();
    await settled();
    expect(actor.state).toBe('running');
    actor.stop();
    await vi.waitFor(() => expect(isGone).toBe(true));
    const left = new PatientWork(garden, () => Promise.resolve('gone'));
    const adopted = actorOf(left, { isAdopted: true });
    expect(adopted.isStarting).toBe(false);
    adopted.handBack();
    left.grant();
    await vi.waitFor(() => expect(adopted.state).toBe('running'));
    adopted.stop();
    await vi.waitFor(() => expect(isGone).toBe(true));
  });
});

describe('asked to leave, what an earlier agent left', () => {
  it('is not given back before it is known whether it runs', async () => {
    const work = new PatientWork(garden, () => Promise.resolve('gone'));
    const actor = actorOf(work, { isAdopted: true });
    await askTwice(actor);
    expect(work.asked).toEqual([]);
    work.grant();
    await vi.waitFor(() => expect(actor.state).toBe('running'));
    actor.leave();
    await vi.waitFor(() => expect(isGone).toBe(true));
    expect(work.asked).toEqual(['running']);
  });
});
