import type { Command } from 'commander';

import { isGone } from './child-process.js';
import { openLayout } from './layout.js';
import { leftovers, shutDownLeftovers } from './leftovers.js';
import { follow, printLine, reportTo, sizeOf } from './output.js';
import { RunFiles } from './run-state.js';

/** The launcher promises to be done within 30 s. */
const PATIENCE_MS = 45_000;

export function registerDown(program: Command): void {
  program.command('down').description('stop the cluster that `up` started').action(down);
}

async function down(): Promise<void> {
  const layout = openLayout(process.env);
  const files = new RunFiles(layout);
  const pid = files.launcher();
  if (pid === undefined) {
    if (leftovers(layout, files).length === 0 && files.readLeftBehind() === undefined) {
      files.clear();
      printLine('Nothing is running.');
      return;
    }
    await shutDownLeftovers(layout, files, reportTo(files.log, process.stdout));
    return;
  }
  const from = sizeOf(files.log);
  process.kill(pid, 'SIGTERM');
  let isOver = false;
  const following = follow({ file: files.log, from, report: printLine, isOver: () => isOver });
  const isStopped = await isGone(files.lock, PATIENCE_MS);
  isOver = true;
  await following;
  if (!isStopped) throw new Error(`The launcher (process ${pid}) does not end; see ${files.log}.`);
}
