import type { PortMapping } from '#rivera/models';
import type { ContainerSpec, ProcessExit, ProcessSpec } from '../container.js';

/** What a script sees of the process it plays. */
export interface FakeProgram {
  readonly spec: ProcessSpec;
  readonly container: ContainerSpec;
  /** The container's environment and the process's own. */
  readonly env: string[];
  /** The container's files by absolute path. */
  readonly files: Map<string, Buffer>;
  stdout(text: string): void;
  stderr(text: string): void;
  exit(status: number): void;
  /** Ends the process as the kernel does when memory runs out. */
  runOutOfMemory(): void;
  /** Replaces the default action of every signal but SIGKILL. */
  onSignal(handler: (signal: string) => void): void;
  /** Gets what is written to its input, and undefined for its end. */
  onInput(handler: (chunk: Buffer | undefined) => void): void;
  /** Nothing is called back after the end of the process. */
  after(delayMs: number, callback: () => void): void;
}

/** Plays a program; a `RiveraError` it throws is a start that fails. A program that does nothing runs until signalled. */
export type FakeScript = (program: FakeProgram) => void;

/** Time as the fake sees it; give it a fake clock to own time in a test. */
export interface FakeClock {
  now(): number;
  /** Calls back once after so many milliseconds; the answer cancels it. */
  after(delayMs: number, callback: () => void): () => void;
}

export type FakeOperation =
  | 'ping'
  | 'create'
  | 'lookup'
  | 'list'
  | 'destroy'
  | 'start'
  | 'run'
  | 'attachMain'
  | 'streamIn'
  | 'streamOut'
  | 'metrics';

/** The part of the host a container needs. */
export interface FakeMachine {
  readonly clock: FakeClock;
  readonly script: FakeScript;
  /** Carries out a call unless a fault says otherwise. */
  perform<T>(operation: FakeOperation, handle: string | undefined, call: () => T | Promise<T>): Promise<T>;
  /** An address and host ports nobody else has. */
  network(spec: ContainerSpec): FakeNetwork;
  /** Keeps what happened to a container, where that is kept. */
  note(owner: string, handle: string, what: FakeNote): void;
}

/** What can happen to a container. */
export type FakeNote =
  | { type: 'created'; spec: ContainerSpec; network: FakeNetwork }
  | { type: 'started' }
  | ({ type: 'ended' } & ProcessExit)
  | { type: 'removed' };

export interface FakeNetwork {
  address: string;
  ports: PortMapping[];
}
