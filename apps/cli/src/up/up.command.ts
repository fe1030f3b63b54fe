import { type Command, InvalidArgumentError, Option } from 'commander';

import { detach } from './detach.js';
import { registerDown } from './down.command.js';
import { type Backend, BACKENDS } from './engine.js';
import { Launcher, type UpSettings } from './launcher.js';
import { openLayout } from './layout.js';
import { reportTo } from './output.js';
import { takeLock } from './pid-file.js';
import { RunFiles } from './run-state.js';
import { sayItRuns } from './say-it-runs.js';

interface UpOptions {
  cells: number;
  backend?: Backend;
  port?: number;
  sample: boolean;
  detach?: boolean;
}

/** Adds `up` and `down`: a whole cluster on this machine, e.g. to try Rivera out. */
export function registerUp(program: Command): void {
  program
    .command('up')
    .description('start a whole cluster on this machine, until Ctrl-C')
    .option('--cells <n>', 'how many cells', parseWhole(1, 100), 2)
    .addOption(
      new Option('--backend <backend>', 'what runs the containers; the best there is').choices(BACKENDS),
    )
    .option('--port <port>', 'port of the API on 127.0.0.1', parseWhole(1, 65_535))
    .option('--no-sample', 'do not desire the sample')
    .option('-d, --detach', 'return once everything runs; `rivera down` stops it')
    .action(up);
  registerDown(program);
}

async function up(options: UpOptions): Promise<void> {
  const { cells, backend, port, sample } = options;
  const settings: UpSettings = {
    cells,
    sample,
    ...(backend === undefined ? {} : { backend }),
    ...(port === undefined ? {} : { port }),
  };
  const layout = openLayout(process.env);
  const files = new RunFiles(layout);
  if (options.detach) return detach(files, settings);

  const holder = takeLock(files.lock);
  if (holder !== undefined) {
    sayItRuns(files, holder);
    return;
  }
  const isDetached = process.env['RIVERA_DETACHED'] === '1';
  // The reader of a pipe may leave; the cluster goes on, and is stopped in order later.
  process.stdout.removeAllListeners('error');
  const report = reportTo(files.log, isDetached ? undefined : process.stdout);
  await new Launcher(layout, files, report).run(settings, stopSignal(report));
}

/** Fires at the first Ctrl-C, SIGTERM or closed terminal; npm and the terminal both pass Ctrl-C on, so more may follow. */
function stopSignal(report: (line: string) => void): AbortSignal {
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (stopping.signal.aborted) return;
      report(`Stopping (${name}) ...`);
      stopping.abort();
    });
  }
  return stopping.signal;
}

function parseWhole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Give a whole number from ${min} to ${max}.`);
  };
}
