import type { RunFiles } from './run-state.js';

/** What a second `up` says. */
export function sayItRuns(files: RunFiles, pid: number): void {
  const { summary } = files.readState();
  const state = summary === undefined ? 'is being started or stopped' : 'runs already';
  process.stdout.write([`Rivera ${state} (launcher: process ${pid}).`, ...(summary ?? []), ''].join('\n'));
}
