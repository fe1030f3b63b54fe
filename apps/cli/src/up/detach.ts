import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

import type { UpSettings } from './launcher.js';
import { follow, printLine, sizeOf } from './output.js';
import type { RunFiles } from './run-state.js';
import { sayItRuns } from './say-it-runs.js';

/** Starts the launcher in a session of its own and shows what it says until everything runs. */
export async function detach(files: RunFiles, settings: UpSettings): Promise<void> {
  const running = files.launcher();
  if (running !== undefined) {
    sayItRuns(files, running);
    return;
  }
  const from = sizeOf(files.log);
  const log = openSync(files.log, 'a');
  const launcher = spawn(
    process.execPath,
    [...process.execArgv, process.argv[1] ?? '', ...wordsOf(settings)],
    {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, RIVERA_DETACHED: '1' },
    },
  );
  closeSync(log);
  let isEnded = false;
  launcher.once('exit', () => (isEnded = true)).once('error', () => (isEnded = true));
  // Ctrl-C before everything runs: nobody wants it any more.
  const giveUp = (): boolean => launcher.kill('SIGTERM');
  process.on('SIGINT', giveUp).on('SIGTERM', giveUp);

  const isUp = (): boolean => files.launcher() === launcher.pid && files.readState().summary !== undefined;
  await follow({ file: files.log, from, report: printLine, isOver: () => isEnded || isUp() });
  process.off('SIGINT', giveUp).off('SIGTERM', giveUp);
  launcher.unref();
  if (isEnded) throw new Error('Rivera did not start; its last words are above.');
  if (files.readState().isSampleWell === false) {
    throw new Error('Rivera is up, but the sample is not well; see above. `npm stop` ends it.');
  }
}

function wordsOf({ cells, backend, port, sample }: UpSettings): string[] {
  return [
    ['up', '--cells', String(cells)],
    backend === undefined ? [] : ['--backend', backend],
    port === undefined ? [] : ['--port', String(port)],
    sample ? [] : ['--no-sample'],
  ].flat();
}
