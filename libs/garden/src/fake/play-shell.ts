import type { FakeScript } from './fake-types.js';

/** What a program takes to end once it is asked to. */
const STOPPING_MS = 300;

/**
 * Plays shell lines of the form `sleep 2; exit 1` or `sleep 2` as a shell would; whatever else is run goes on until it is
 * signalled.
 */
export const playShell: FakeScript = (program) => {
  const { path, args } = program.spec;
  program.onSignal(() => program.after(STOPPING_MS, () => program.exit(143)));
  const line = path === '/bin/sh' && args[0] === '-c' ? args[1] : undefined;
  const found = /^sleep ([\d.]+)(?:; exit (\d+))?$/.exec(line ?? '');
  if (found === null) return;
  program.after(Number(found[1]) * 1_000, () => program.exit(Number(found[2] ?? 0)));
};
