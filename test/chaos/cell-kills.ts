import type { Fault } from './fault-plan.js';
import type { Chance } from './random.js';
import { type StormOptions, storm, type StormResult } from './storm.js';

export interface CellKillsOptions {
  seed: number;
  kills: number;
  lrps: number;
  backend?: 'fake' | 'docker';
  progress(text: string): void;
}

/** Between two kills: some hit an agent that starts, some one that has taken everything back. */
const GAP_MS = { least: 200, most: 5_000 };
/** After so many kills everything must come to rest. */
const KILLS_OF_A_STORM = 50;

/** One agent, killed again and again while instances and tasks come and go. */
export function killCells({ kills, backend = 'docker', ...options }: CellKillsOptions): Promise<StormResult> {
  const storms = Math.ceil(kills / KILLS_OF_A_STORM);
  const each = Math.ceil(kills / storms);
  const shape: Omit<StormOptions, 'seed' | 'lrps' | 'progress'> = {
    backend,
    cells: 1,
    storms,
    stormMs: (each * (GAP_MS.least + GAP_MS.most)) / 2,
    gapMs: 0,
    convergenceMs: 120_000,
    replicas: 1,
    // Long, so that the agent comes back in time: this is about what it takes back and not about lost cells.
    presenceTtlMs: 30_000,
    pauseMs: 1_000,
    drains: false,
    plan: (chance) => planKills(chance, each),
    cluster: { links: false },
  };
  return storm({ ...options, ...shape });
}

function planKills(chance: Chance, count: number): Fault[] {
  let atMs = 0;
  return Array.from({ length: count }, () => {
    atMs += chance.between(GAP_MS.least, GAP_MS.most);
    return { atMs, kind: 'kill', target: 'cell-1', forMs: chance.between(0, 100), amount: 0 };
  });
}
