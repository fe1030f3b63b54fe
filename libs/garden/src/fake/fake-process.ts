import { constants } from 'node:os';
import { PassThrough } from 'node:stream';
import type {
  ContainerProcess,
  ContainerSpec,
  ProcessExit,
  ProcessOutput,
  ProcessSignal,
  ProcessSpec,
} from '../container.js';
import { mergeEnvironment, withUser } from '../environment.js';
import { ProcessInput, refuseResize } from '../process-input.js';
import type { FakeClock, FakeProgram } from './fake-types.js';

/** Output kept for those who attach later. */
const KEPT_BYTES = 1024 * 1024;
const DEFAULT_PATH = 'PATH=/usr/local/bin:/usr/bin:/bin';

interface Written {
  atMs: number;
  stream: 'stdout' | 'stderr';
  chunk: Buffer;
}

/** A process that is played. */
export class FakeProcess implements ContainerProcess, FakeProgram {
  readonly env: string[];
  exited?: ProcessExit;
  /** Its script has been told to it. */
  isUnderWay = false;
  private readonly sinks = new Set<ProcessOutput>();
  private readonly written: Written[] = [];
  private writtenBytes = 0;
  private readonly timers = new Set<() => void>();
  private readonly ended: Promise<ProcessExit>;
  private end: (exit: ProcessExit) => void;
  private handler?: (signal: string) => void;
  private readonly input: ProcessInput;
  private readonly pipe = new PassThrough();

  constructor(
    private readonly options: {
      id: string;
      spec: ProcessSpec;
      container: ContainerSpec;
      files: Map<string, Buffer>;
      clock: FakeClock;
      /** How long it has run already, under an earlier agent. */
      elapsedMs: number;
      whenEnded(): void;
    },
  ) {
    const { spec, container } = options;
    this.env = withUser(mergeEnvironment([DEFAULT_PATH], container.env, spec.env), spec.user);
    this.ended = new Promise((resolve) => (this.end = resolve));
    this.input = new ProcessInput(spec.stdin ? this.pipe : undefined);
  }

  get id(): string {
    return this.options.id;
  }

  get spec(): ProcessSpec {
    return this.options.spec;
  }

  get container(): ContainerSpec {
    return this.options.container;
  }

  get files(): Map<string, Buffer> {
    return this.options.files;
  }

  wait(): Promise<ProcessExit> {
    return this.ended;
  }

  signal(signal: ProcessSignal): Promise<void> {
    if (this.handler && signal !== 'SIGKILL') this.handler(signal);
    else this.exit(128 + constants.signals[signal]);
    return Promise.resolve();
  }

  write(chunk: Buffer): Promise<void> {
    return this.input.write(chunk);
  }

  closeInput(): void {
    this.input.close();
  }

  resize(): Promise<void> {
    return this.spec.tty ? Promise.resolve() : refuseResize();
  }

  onInput(handler: (chunk: Buffer | undefined) => void): void {
    if (!this.spec.stdin) return handler(undefined);
    this.pipe.on('data', handler);
    this.pipe.once('end', () => handler(undefined));
  }

  /** Hands on what was written from `sinceMs`, and what will be. */
  attach(output: ProcessOutput, sinceMs = 0): void {
    for (const { atMs, stream, chunk } of this.written) if (atMs >= sinceMs) output[stream](chunk);
    this.sinks.add(output);
  }

  stdout(text: string): void {
    this.emit('stdout', text);
  }

  stderr(text: string): void {
    this.emit('stderr', text);
  }

  exit(status: number): void {
    this.finish({ status, outOfMemory: false });
  }

  runOutOfMemory(): void {
    this.finish({ status: 137, outOfMemory: true });
  }

  onSignal(handler: (signal: string) => void): void {
    this.handler = handler;
  }

  after(delayMs: number, callback: () => void): void {
    const leftMs = this.isUnderWay ? delayMs : Math.max(0, delayMs - this.options.elapsedMs);
    const cancel = this.options.clock.after(leftMs, () => {
      this.timers.delete(cancel);
      callback();
    });
    this.timers.add(cancel);
  }

  private emit(stream: 'stdout' | 'stderr', text: string): void {
    if (this.exited) return;
    const chunk = Buffer.from(text);
    this.written.push({ atMs: this.options.clock.now(), stream, chunk });
    this.writtenBytes += chunk.length;
    while (this.writtenBytes > KEPT_BYTES && this.written.length > 1) {
      this.writtenBytes -= this.written.shift()!.chunk.length;
    }
    for (const sink of this.sinks) sink[stream](chunk);
  }

  private finish(exit: ProcessExit): void {
    if (this.exited) return;
    this.exited = exit;
    for (const cancel of this.timers) cancel();
    this.timers.clear();
    this.options.whenEnded();
    this.end(exit);
  }
}
