import { parseArgs } from 'node:util';
import { report } from './report.js';
import { Chance } from './random.js';
import { storm } from './storm.js';

const USAGE = `usage: npm run chaos -- [--minutes M] [--seed N] [--backend fake|docker] [--cells C] [--lrps L] [--gap MS] [--json]`;

const DEFAULTS = {
  fake: { cells: 20, lrps: 2_000, gapMs: 2_500 },
  docker: { cells: 3, lrps: 40, gapMs: 2_500 },
};
/** A storm, and the calm after it. */
const ROUND_MS = 240_000;
const CALM_SHARE = 0.15;
const CONVERGENCE_MS = 90_000;

/** Runs what the command line asks for. Returns the exit code: 1 when anything was violated. */
export async function runChaos(args: string[]): Promise<number> {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      minutes: { type: 'string', default: '5' },
      seed: { type: 'string' },
      backend: { type: 'string', default: 'fake' },
      cells: { type: 'string' },
      lrps: { type: 'string' },
      gap: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const { backend } = values;
  if (positionals.length > 0 || (backend !== 'fake' && backend !== 'docker')) {
    console.error(USAGE);
    return 1;
  }
  const durationMs = Number(values.minutes) * 60_000;
  const storms = Math.max(1, Math.round(durationMs / ROUND_MS));
  const seed = values.seed === undefined ? Chance.ofRun().seed : Number(values.seed);
  console.error(`seed ${seed}`);
  const result = await storm({
    seed,
    backend,
    cells: Number(values.cells ?? DEFAULTS[backend].cells),
    lrps: Number(values.lrps ?? DEFAULTS[backend].lrps),
    gapMs: Number(values.gap ?? DEFAULTS[backend].gapMs),
    storms,
    stormMs: (durationMs / storms) * (1 - CALM_SHARE),
    convergenceMs: CONVERGENCE_MS,
    progress,
  });
  report(result, values.json);
  return result.violations.length === 0 ? 0 : 1;
}

function progress(text: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
}
