import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from './wait-for.js';

const RESTART_DELAY_MS = 200;
const STOP_DEADLINE_MS = 10_000;

export interface ProgramOptions {
  name: string;
  /** The compiled main module. */
  main: string;
  /** Of Node itself. */
  nodeArgs?: readonly string[];
  env: Record<string, string>;
  /** Answers 200 when the program can do its work. */
  readyUrl: string;
  logFile: string;
  /** Start it again when it ends by itself, as a supervisor would. */
  supervised?: boolean;
}

/** One process of a cluster, and where its output goes. */
export class Program {
  private child: ChildProcess | undefined;
  private isWanted = false;

  constructor(readonly options: ProgramOptions) {}

  get name(): string {
    return this.options.name;
  }

  /** Of the process that runs now. */
  get pid(): number {
    if (this.child?.pid === undefined) throw new Error(`${this.name} does not run.`);
    return this.child.pid;
  }

  get isRunning(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** How it is, in words. */
  get state(): string {
    if (this.child === undefined) return 'never started';
    if (this.isRunning) return `running, pid ${this.child.pid}`;
    return this.child.signalCode === null
      ? `exited with ${this.child.exitCode}`
      : `ended by ${this.child.signalCode}`;
  }

  /** Starts it and waits until it is ready. */
  async start(): Promise<void> {
    this.launch();
    await this.ready();
  }

  /** Starts it. */
  launch(): void {
    if (this.isRunning) return;
    this.isWanted = true;
    const { main, nodeArgs = [], env, logFile } = this.options;
    const log = openSync(logFile, 'a');
    const child = spawn(process.execPath, [...nodeArgs, main], { env, stdio: ['ignore', log, log] });
    closeSync(log);
    this.child = child;
    const killWithUs = (): boolean => child.kill('SIGKILL');
    process.once('exit', killWithUs);
    child.once('exit', () => {
      process.off('exit', killWithUs);
      this.note(this.state);
      if (this.options.supervised && this.isWanted && this.child === child) void this.restart(child);
    });
  }

  /** Waits until it is ready, or has ended for good. */
  async ready(timeoutMs = 60_000): Promise<void> {
    const { name, readyUrl, supervised } = this.options;
    const look = async (): Promise<string> => {
      if (!this.isRunning && !supervised) return this.state;
      const answer = await fetch(readyUrl);
      return `${answer.status} ${await answer.text()}`;
    };
    const what = `${name} is ready (${readyUrl})`;
    const hasEnded = (): boolean => !this.isRunning && !supervised;
    const seen = await waitFor(look, {
      what,
      until: (answer) => answer.startsWith('200 ') || hasEnded(),
      timeoutMs,
      intervalMs: 100,
    });
    if (hasEnded()) throw new Error(`expected: ${what}\nactual: ${seen}\n${this.logTail()}`);
  }

  /** As a crash of the machine would look. Resolves when the process is gone; a supervisor leaves it so. */
  async kill9(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Asks it to stop, and makes it after a while. */
  async stop(): Promise<void> {
    const killer = setTimeout(() => this.child?.kill('SIGKILL'), STOP_DEADLINE_MS);
    await this.end('SIGTERM');
    clearTimeout(killer);
  }

  /** Freezes it: alive, but silent. */
  pause(): void {
    this.child?.kill('SIGSTOP');
  }

  resume(): void {
    this.child?.kill('SIGCONT');
  }

  /** Resolves when it has ended, by itself or not. */
  async exited(): Promise<void> {
    if (this.child !== undefined && this.isRunning) await once(this.child, 'exit');
  }

  logTail(lines = 15): string {
    try {
      return readFileSync(this.options.logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
    } catch (error) {
      return String(error);
    }
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    this.isWanted = false;
    if (!this.isRunning) return;
    const gone = this.exited();
    this.child?.kill(signal);
    await gone;
  }

  private async restart(ended: ChildProcess): Promise<void> {
    await sleep(RESTART_DELAY_MS);
    if (this.isWanted && this.child === ended) this.launch();
  }

  private note(text: string): void {
    appendFileSync(this.options.logFile, `--- ${text}\n`);
  }
}
