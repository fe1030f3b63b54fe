import { readdirSync } from 'node:fs';

import { stopLeftover } from './child-process.js';
import type { Layout } from './layout.js';
import type { Report } from './output.js';
import { readPidFile } from './pid-file.js';
import { PrivateEngine } from './private-engine.js';
import type { RunFiles } from './run-state.js';
import { openSecrets } from './secrets.js';
import { shutDown } from './shut-down.js';

/** What others stand on, and therefore ends last. */
const FOUNDATIONS = [PrivateEngine.programName, 'redis'];

/** The programs that outlived a launcher which was killed. */
export function leftovers(layout: Layout, files: RunFiles): string[] {
  return readdirSync(layout.run)
    .filter((file) => file.endsWith('.pid') && file !== 'up.pid')
    .map((file) => file.slice(0, -'.pid'.length))
    .filter((name) => readPidFile(files.pidFile(name)) !== undefined);
}

/** Ends them, so that a new launcher starts on clear ground. Containers stay: the new cells take them over. */
export async function stopLeftovers(layout: Layout, files: RunFiles, report: Report): Promise<void> {
  const names = leftovers(layout, files);
  if (names.length === 0) return;
  report(`An earlier launcher was killed; stopping what it left: ${names.join(', ')} ...`);
  const stop = (name: string): Promise<boolean> => stopLeftover(files.pidFile(name), 5_000);
  await Promise.all(names.filter((name) => !FOUNDATIONS.includes(name)).map(stop));
  for (const name of FOUNDATIONS) await stop(name);
}

/** Ends them, and their containers, as the launcher would have done. */
export async function shutDownLeftovers(layout: Layout, files: RunFiles, report: Report): Promise<void> {
  const { cells = [], hasOwnEngine = false } = files.readLeftBehind() ?? {};
  await shutDown({
    names: leftovers(layout, files),
    cells,
    engine: hasOwnEngine ? new PrivateEngine(layout, openSecrets(layout).clusterId) : undefined,
    stop: async (...names) => {
      await Promise.all(names.map((name) => stopLeftover(files.pidFile(name), 5_000)));
    },
    report,
  });
  // Whatever is not in the plan any more.
  await stopLeftovers(layout, files, report);
  files.clear();
}
