import type { Report } from './output.js';

/** A program to keep running. */
export interface Program {
  name: string;
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  logFile: string;
  /** Clears what an earlier run left in the way; runs before each start. */
  beforeStart?: () => void;
  /** How long it may take to end after SIGTERM; then it is killed. */
  stopWithinMs: number;
}

/** How a process ended: an exit code, a signal, or the reason why it never ran. */
export type Exit = { code: number } | { signal: string } | { error: string };

export interface RunningProcess {
  exited: Promise<Exit>;
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

export interface SupervisorOptions {
  spawn: (program: Program) => RunningProcess;
  report: Report;
  /** Milliseconds on any clock that does not jump. */
  now: () => number;
  /** Resolves after `ms`, or as soon as the signal fires. */
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export const RESTART_BACK_OFF = { firstMs: 200, maxMs: 5_000, resetAfterMs: 10_000 } as const;

/** Keeps programs running: one that ends is started again, without a word to the others. */
export class Supervisor {
  private readonly programs = new Map<string, SupervisedProgram>();

  constructor(private readonly options: SupervisorOptions) {}

  start(program: Program): void {
    if (this.programs.has(program.name)) throw new Error(`${program.name} is already supervised.`);
    this.programs.set(program.name, new SupervisedProgram(program, this.options));
  }

  /** Ends the named programs at the same time and waits until they are gone. Unknown names are gone already. */
  async stop(...names: string[]): Promise<void> {
    const programs = names.flatMap((name) => this.programs.get(name) ?? []);
    await Promise.all(programs.map((program) => program.stop()));
    names.forEach((name) => this.programs.delete(name));
  }

  /** The supervised programs, in the order in which they were started. */
  names(): string[] {
    return [...this.programs.keys()];
  }
}

class SupervisedProgram {
  private readonly stopping = new AbortController();
  private readonly done: Promise<void>;
  private current: RunningProcess | undefined;

  constructor(
    private readonly program: Program,
    private readonly options: SupervisorOptions,
  ) {
    this.done = this.keepRunning();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.current?.kill('SIGTERM');
    const inTime = new AbortController();
    await Promise.race([this.done, this.options.sleep(this.program.stopWithinMs, inTime.signal)]);
    inTime.abort();
    this.current?.kill('SIGKILL');
    await this.done;
  }

  private async keepRunning(): Promise<void> {
    const { spawn, report, now, sleep } = this.options;
    const { name, logFile } = this.program;
    let delayMs: number = RESTART_BACK_OFF.firstMs;
    while (!this.stopping.signal.aborted) {
      const startedAt = now();
      this.current = spawn(this.program);
      const exit = await this.current.exited;
      this.current = undefined;
      if (this.stopping.signal.aborted) return;
      const livedMs = now() - startedAt;
      if (livedMs >= RESTART_BACK_OFF.resetAfterMs) delayMs = RESTART_BACK_OFF.firstMs;
      report(
        `${name} ended (${describeExit(exit)}) after ${seconds(livedMs)}; starting it again in ${seconds(delayMs)}. Log: ${logFile}`,
      );
      await sleep(delayMs, this.stopping.signal);
      delayMs = Math.min(delayMs * 2, RESTART_BACK_OFF.maxMs);
    }
  }
}

function describeExit(exit: Exit): string {
  if ('error' in exit) return exit.error;
  return 'signal' in exit ? exit.signal : `exit code ${exit.code}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
