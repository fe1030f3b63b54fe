import { parseArgs } from 'node:util';
import { report } from './report.js';
import { Chance } from './random.js';
import { copyOfDist } from './copy-of-dist.js';
import { killCells } from './cell-kills.js';
import { findSeededBugs, SEEDED_BUGS } from './seeded-bugs.js';
import { storm } from './storm.js';

const USAGE = `usage: npm run chaos -- [--minutes M] [--seed N] [--backend fake|docker] [--cells C] [--lrps L] [--gap MS] [--json]
       npm run chaos -- cell [--kills N] [--lrps L] [--seed N] [--backend docker|fake] [--json]
       npm run chaos -- --seeded-bugs [--only TEXT] [--seed N]`;

const DEFAULTS = {
  fake: { cells: 20, lrps: 2_000, gapMs: 2_000 },
  docker: { cells: 3, lrps: 40, gapMs: 2_000 },
};
/** A storm, and the calm after it. */
const ROUND_MS = 240_000;
const CALM_SHARE = 0.15;
const LRPS_OF_A_CELL = 50;
const CONVERGENCE_MS = 90_000;

/** Runs what the command line asks for. Returns the exit code: 1 when anything was violated. */
export async function runChaos(args: string[]): Promise<number> {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      minutes: { type: 'string', default: '5' },
      seed: { type: 'string' },
      backend: { type: 'string' },
      cells: { type: 'string' },
      lrps: { type: 'string' },
      gap: { type: 'string' },
      kills: { type: 'string', default: '500' },
      json: { type: 'boolean', default: false },
      'seeded-bugs': { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
    },
  });
  const [what = 'storm', ...more] = positionals;
  const backend = values.backend ?? (what === 'cell' ? 'docker' : 'fake');
  if (more.length > 0 || !['storm', 'cell'].includes(what) || (backend !== 'fake' && backend !== 'docker')) {
    console.error(USAGE);
    return 1;
  }
  const durationMs = Number(values.minutes) * 60_000;
  const storms = Math.max(1, Math.round(durationMs / ROUND_MS));
  const seed = values.seed === undefined ? Chance.ofRun().seed : Number(values.seed);
  console.error(`seed ${seed}`);
  if (values['seeded-bugs']) {
    const bugs = SEEDED_BUGS.filter(({ name }) => name.includes(values.only));
    const unnoticed = await findSeededBugs({ seed, bugs, progress });
    return unnoticed.length === 0 ? 0 : 1;
  }
  if (what === 'cell') {
    const lrps = Number(values.lrps ?? LRPS_OF_A_CELL);
    const result = await killCells({ seed, kills: Number(values.kills), lrps, backend, progress });
    report(result, values.json);
    return result.violations.length === 0 ? 0 : 1;
  }
  const copy = await copyOfDist(`run-${process.pid}`);
  const result = await storm({
    seed,
    cluster: { dist: copy.dist },
    backend,
    cells: Number(values.cells ?? DEFAULTS[backend].cells),
    lrps: Number(values.lrps ?? DEFAULTS[backend].lrps),
    gapMs: Number(values.gap ?? DEFAULTS[backend].gapMs),
    storms,
    stormMs: (durationMs / storms) * (1 - CALM_SHARE),
    convergenceMs: CONVERGENCE_MS,
    progress,
  });
  await copy.remove();
  report(result, values.json);
  return result.violations.length === 0 ? 0 : 1;
}

function progress(text: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
}
