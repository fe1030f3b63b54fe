import type { Readable, Writable } from 'node:stream';

/** What a command touches of the world, so that tests can be the world. */
export interface CliContext {
  /** Of Rivera, for `--version`. */
  version: string;
  env: NodeJS.ProcessEnv;
  cwd: string;
  stdin: Readable;
  stdout: Writable;
  stderr: Writable;
  /** Milliseconds since the Unix epoch. */
  now: () => number;
  newGuid: () => string;
  /** Fires when the user wants the command to end (Ctrl-C). */
  signal: AbortSignal;
}
