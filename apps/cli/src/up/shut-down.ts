import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import type { Report } from './output.js';
import { PrivateEngine } from './private-engine.js';
import type { Program } from './supervisor.js';

/** What runs, and how to end it. */
export interface Running {
  /** The names of all programs that were started. */
  names: readonly string[];
  cells: readonly Program[];
  engine: PrivateEngine | undefined;
  /** Ends the named programs and waits until they are gone. */
  stop: (...names: string[]) => Promise<void>;
  report: Report;
}

const REMOVE_CONTAINERS_MS = 20_000;

/**
 * Ends a cluster in the order in which its parts need each other; what is desired stays in Redis for the next start.
 * The limits of all steps add up to less than 30 s.
 */
export async function shutDown({ names, cells, engine, stop, report }: Running): Promise<void> {
  const stopAll = async (...wanted: string[]): Promise<void> => {
    const started = wanted.filter((name) => names.includes(name));
    if (started.length === 0) return;
    report(`Stopping ${started.join(', ')} ...`);
    await stop(...started);
  };
  await stopAll(...cells.map(({ name }) => name));
  if (cells.length > 0) {
    report('Removing the containers ...');
    // A cell leaves its containers running when it ends, so that agents can be replaced under them.
    await (engine === undefined ? removeContainers(cells, report) : engine.removeContainers());
  }
  await stopAll('auctioneer', 'converger');
  await stopAll('bbs');
  await stopAll(PrivateEngine.programName);
  engine?.cleanUp();
  await stopAll('redis');
}

async function removeContainers(cells: readonly Program[], report: Report): Promise<void> {
  await Promise.all(
    cells.map(async ({ name, command, args, env }) => {
      try {
        const options = { env, timeout: REMOVE_CONTAINERS_MS, killSignal: 'SIGKILL' as const };
        await promisify(execFile)(command, [...args, '--remove-containers'], options);
      } catch (error) {
        const [reason] = String(error).split('\n');
        report(`The containers of ${name} may still run (${reason}); its log says more.`);
      }
    }),
  );
}
