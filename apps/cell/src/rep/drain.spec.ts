import { RiveraLogger } from '#rivera/platform';
import { Drain } from './drain.js';

/** A rep that holds so many containers, each of which leaves when it was asked `patience` times. */
class FakeRep {
  readonly calls: string[] = [];
  constructor(
    public held: number,
    private readonly patience = Infinity,
  ) {}
  get isEmpty(): boolean {
    return this.held === 0;
  }
  close = (): void => void this.calls.push('close');
  open = (): void => void this.calls.push('open');
  census = (): Record<string, number> => ({});
  evacuate = (): void => {
    this.calls.push('evacuate');
    if (this.calls.filter((call) => call === 'evacuate').length >= this.patience) this.held = 0;
  };
  abandon = (): void => {
    this.calls.push('abandon');
    this.held = 0;
  };
}

const logger = RiveraLogger.create({ app: 'cell', destination: { write: () => undefined } });
const until = (deadline: number) => ({ since: 0, deadline });

beforeEach(() => vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => vi.useRealTimers());

describe('a drain', () => {
  it('asks everything to leave, again and again, and stops what is left at the deadline', async () => {
    const rep = new FakeRep(1);
    new Drain(rep, logger).follow(until(1_001_200));
    await vi.advanceTimersByTimeAsync(1_600);
    expect(rep.calls).toEqual(['close', 'evacuate', 'evacuate', 'evacuate', 'abandon']);
  });

  it('said again is the same drain, with the new deadline', async () => {
    const rep = new FakeRep(1);
    const drain = new Drain(rep, logger);
    drain.follow(until(1_000_000));
    drain.follow(until(2_000_000));
    await vi.advanceTimersByTimeAsync(600);
    expect(rep.calls).toEqual(['close', 'abandon', 'evacuate']);
  });

  it('that is called off asks no more, and takes work again', async () => {
    const rep = new FakeRep(1);
    const drain = new Drain(rep, logger);
    drain.follow(undefined);
    expect(drain.isDraining).toBe(false);
    drain.follow(until(2_000_000));
    expect(drain.isDraining).toBe(true);
    drain.follow(undefined);
    expect(drain.isDraining).toBe(false);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(rep.calls).toEqual(['close', 'evacuate', 'open']);
  });

  it.each([
    ['leaves in time', new FakeRep(1, 3), true],
    ['is stopped at the deadline', new FakeRep(1), true],
    ['cannot be stopped', Object.assign(new FakeRep(1), { abandon: () => undefined }), false],
  ])('because the agent ends, when what is here %s', async (_how, rep, isEmptied) => {
    const drain = new Drain(rep, logger);
    const left = drain.leave(5_000);
    expect(drain.isLeaving).toBe(true);
    // No operator calls this off.
    drain.follow(undefined);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await left).toBe(isEmptied);
    expect(rep.calls).not.toContain('open');
  });
});
