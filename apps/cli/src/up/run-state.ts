import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Layout } from './layout.js';
import { readPidFile } from './pid-file.js';
import type { Program } from './supervisor.js';

/** What a launcher tells the others: a second `up`, the parent of a detached one, `down`. */
export interface RunState {
  /** Once everything is up: what to tell the user. */
  summary?: string[];
  /** Set with the summary: whether the sample runs, as far as it was asked for. */
  isSampleWell?: boolean;
}

/** What must be known to end what a killed launcher left behind. It holds tokens. */
export interface LeftBehind {
  cells: Program[];
  hasOwnEngine: boolean;
}

/** The small files in `<state>/run`. */
export class RunFiles {
  readonly lock: string;
  /** What the launcher says, attached or not. */
  readonly log: string;
  private readonly state: string;
  private readonly leftBehind: string;

  constructor(private readonly layout: Layout) {
    this.lock = join(layout.run, 'up.pid');
    this.log = join(layout.logs, 'up.log');
    this.state = join(layout.run, 'state.json');
    this.leftBehind = join(layout.run, 'left-behind.json');
  }

  /** The pid of the launcher of this state directory; undefined when none runs. */
  launcher(): number | undefined {
    return readPidFile(this.lock);
  }

  pidFile(program: string): string {
    return join(this.layout.run, `${program}.pid`);
  }

  readState(): RunState {
    return read(this.state) ?? {};
  }

  writeState(state: RunState): void {
    write(this.state, state);
  }

  readLeftBehind(): LeftBehind | undefined {
    return read(this.leftBehind) as LeftBehind | undefined;
  }

  writeLeftBehind(leftBehind: LeftBehind): void {
    write(this.leftBehind, leftBehind);
  }

  /** Once nothing runs any more. */
  clear(): void {
    for (const file of [this.state, this.leftBehind, this.lock]) rmSync(file, { force: true });
  }
}

function read(file: string): unknown {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

/** Readers see the old content or the new. */
function write(file: string, content: unknown): void {
  writeFileSync(`${file}.part`, JSON.stringify(content), { mode: 0o600 });
  renameSync(`${file}.part`, file);
}
