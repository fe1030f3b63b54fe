#!/usr/bin/env node
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { CliContext } from './cli-context.js';
import { createProgram, runProgram } from './program.js';
import { registerUp } from './up/up.command.js';

/** The command runs built: this file is `dist/apps/cli/src/main.js` of the package. */
function packageVersion(): string {
  const file = new URL('../../../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return version;
}

const interrupted = new AbortController();
const interrupt = (): void => interrupted.abort(new Error('Interrupted.'));

const context: CliContext = {
  version: packageVersion(),
  env: process.env,
  cwd: process.cwd(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  now: Date.now,
  newGuid: randomUUID,
  signal: interrupted.signal,
};

// The reader of a pipe may leave before us (`rivera events | head -1`): there is nobody left to tell.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});
// Asked once, a command ends in good order; asked again, it ends.
process.once('SIGINT', interrupt);
process.once('SIGTERM', interrupt);

const program = createProgram(context);
registerUp(program);
process.exitCode = await runProgram(program, process.argv.slice(2), context);
