import { type Exit, type Program, RESTART_BACK_OFF, type RunningProcess, Supervisor } from './supervisor.js';

const PROGRAM: Program = {
  name: 'bbs',
  command: 'bbs',
  args: [],
  env: {},
  logFile: '/logs/bbs.log',
  stopWithinMs: 3_000,
};

/** A process that lives until the test ends it. */
class FakeProcess implements RunningProcess {
  readonly signals: string[] = [];
  readonly exited: Promise<Exit>;
  end!: (exit: Exit) => void;

  constructor(private readonly onTerm: (process: FakeProcess) => void) {
    this.exited = new Promise((resolve) => (this.end = resolve));
  }

  kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.signals.push(signal);
    if (signal === 'SIGKILL') this.end({ signal });
    else this.onTerm(this);
  }
}

/** A supervisor whose processes and time the test controls. */
function harness(onTerm = (process: FakeProcess): void => process.end({ code: 0 })) {
  const started: { name: string; process: FakeProcess }[] = [];
  const reports: string[] = [];
  const slept: number[] = [];
  let now = 0;
  let wake: (() => void) | undefined;
  const supervisor = new Supervisor({
    spawn: ({ name }) => {
      const process = new FakeProcess(onTerm);
      started.push({ name, process });
      return process;
    },
    report: (line) => reports.push(line),
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        slept.push(ms);
        wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      }),
  });
  /** The newest process ends after that many milliseconds of life; its successor starts at once. */
  const die = async (livedMs: number, exit: Exit = { code: 1 }): Promise<void> => {
    const [count, naps] = [started.length, slept.length];
    now += livedMs;
    started.at(-1)?.process.end(exit);
    await vi.waitFor(() => expect(slept.length).toBe(naps + 1));
    wake?.();
    await vi.waitFor(() => expect(started.length).toBe(count + 1));
  };
  return { supervisor, started, reports, slept, die, wakeUp: () => wake?.() };
}

describe('Supervisor', () => {
  it('starts again what ends, after a delay that doubles up to a limit', async () => {
    const { supervisor, slept, die } = harness();
    supervisor.start(PROGRAM);
    for (let death = 0; death < 7; death += 1) await die(50);
    expect(slept).toEqual([200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
    await supervisor.stop('bbs');
  });

  it('forgets the deaths of a program that lived long enough', async () => {
    const { supervisor, slept, die } = harness();
    supervisor.start(PROGRAM);
    await die(50);
    await die(RESTART_BACK_OFF.resetAfterMs - 1);
    await die(RESTART_BACK_OFF.resetAfterMs);
    expect(slept).toEqual([200, 400, 200]);
    await supervisor.stop('bbs');
  });

  it('says what ended, how, and where to look', async () => {
    const { supervisor, reports, die } = harness();
    supervisor.start(PROGRAM);
    await die(1_500, { signal: 'SIGSEGV' });
    await die(0, { error: 'spawn bbs ENOENT' });
    expect(reports).toEqual([
      'bbs ended (SIGSEGV) after 1.5 s; starting it again in 0.2 s. Log: /logs/bbs.log',
      'bbs ended (spawn bbs ENOENT) after 0.0 s; starting it again in 0.4 s. Log: /logs/bbs.log',
    ]);
    await supervisor.stop('bbs');
  });

  it('leaves the others alone when one ends', async () => {
    const { supervisor, started, die } = harness();
    supervisor.start({ ...PROGRAM, name: 'auctioneer' });
    supervisor.start(PROGRAM);
    await die(50);
    expect(started.map(({ name }) => name)).toEqual(['auctioneer', 'bbs', 'bbs']);
    expect(started[0]?.process.signals).toEqual([]);
    await supervisor.stop('bbs', 'auctioneer');
  });

  it('stops with SIGTERM, says nothing of it, and starts nothing again', async () => {
    const { supervisor, started, reports, slept } = harness();
    supervisor.start(PROGRAM);
    await supervisor.stop('bbs');
    expect(started).toHaveLength(1);
    expect(started[0]?.process.signals[0]).toBe('SIGTERM');
    expect(reports).toEqual([]);
    expect(slept).toEqual([PROGRAM.stopWithinMs]);
    expect(supervisor.names()).toEqual([]);
  });

  it('stops a program only once the ones named before it are gone', async () => {
    const terms: FakeProcess[] = [];
    const { supervisor, started } = harness((process) => terms.push(process));
    supervisor.start({ ...PROGRAM, name: 'redis' });
    supervisor.start(PROGRAM);
    const stopped = supervisor.stop('bbs').then(() => supervisor.stop('redis'));
    await vi.waitFor(() => expect(terms).toEqual([started[1]?.process]));
    terms[0]?.end({ code: 0 });
    await vi.waitFor(() => expect(terms).toHaveLength(2));
    terms[1]?.end({ code: 0 });
    await stopped;
    expect(terms).toEqual([started[1]?.process, started[0]?.process]);
  });

  it('kills what does not end in time', async () => {
    const { supervisor, started, wakeUp, slept } = harness(() => undefined);
    supervisor.start(PROGRAM);
    const stopped = supervisor.stop('bbs');
    await vi.waitFor(() => expect(slept).toEqual([PROGRAM.stopWithinMs]));
    wakeUp();
    await stopped;
    expect(started[0]?.process.signals).toEqual(['SIGTERM', 'SIGKILL']);
  });

  it('does not start again a program that is stopped during its delay', async () => {
    const { supervisor, started, slept } = harness();
    supervisor.start(PROGRAM);
    started[0]?.process.end({ code: 1 });
    await vi.waitFor(() => expect(slept).toEqual([200]));
    await supervisor.stop('bbs');
    expect(started).toHaveLength(1);
  });

  it('takes an unknown name for one that is stopped already, and refuses a second program of a name', async () => {
    const { supervisor } = harness();
    await supervisor.stop('nobody');
    supervisor.start(PROGRAM);
    expect(() => supervisor.start(PROGRAM)).toThrow('bbs is already supervised.');
    await supervisor.stop('bbs');
  });
});
