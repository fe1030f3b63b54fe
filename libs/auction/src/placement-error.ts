import { BARS, MISMATCHES, RESOURCES } from './types.js';
import type { CellVerdict, PlacementFailure } from './types.js';

const NOTHING_SHORT = { containers: 0, disk: 0, memory: 0 };

/** A failure in which nothing is counted yet. */
export function failure(reason: PlacementFailure['reason'], cells: number): PlacementFailure {
  return {
    reason,
    cells,
    mismatched: { rootfs: 0, 'volume-drivers': 0, 'placement-tags': 0 },
    full: 0,
    short: { ...NOTHING_SHORT },
  };
}

/** There is no usable cell at all. */
export const noCells = (): PlacementFailure => failure('no-cells', 0);

/** As many containers are starting as are allowed to. */
export const startLimitReached = (): PlacementFailure => failure('start-limit', 0);

/**
 * Sums up what the cells said of work that none could take. The reason is the furthest any cell of any zone got, which
 * is one of the answers Diego may give when its zones disagree; Diego's own depends on the order of a map.
 */
export function summarize(verdicts: readonly CellVerdict[]): PlacementFailure {
  const why = failure('resources', verdicts.length);
  for (const { mismatch, short, barred } of verdicts) {
    if (mismatch !== undefined) why.mismatched[mismatch] = (why.mismatched[mismatch] ?? 0) + 1;
    if (short.length > 0) why.full += 1;
    for (const resource of short) why.short[resource] = (why.short[resource] ?? 0) + 1;
    if (barred !== undefined) why.barred = { ...why.barred, [barred]: (why.barred?.[barred] ?? 0) + 1 };
  }
  if (verdicts.every(({ mismatch }) => mismatch !== undefined)) {
    why.reason = MISMATCHES.findLast((mismatch) => why.mismatched[mismatch]) ?? 'no-cells';
  } else {
    why.reason = BARS.findLast((bar) => why.barred?.[bar]) ?? 'resources';
  }
  return why;
}

function tagsText(tags: readonly string[]): string {
  const quoted = tags.map((tag) => `"${tag}"`);
  const last = quoted.pop();
  if (last === undefined) return 'no placement tags';
  if (quoted.length === 0) return `placement tag ${last}`;
  return `placement tags ${quoted.join(', ')} and ${last}`;
}

function resourcesText({ short, full }: PlacementFailure): string {
  // Diego names its three even when no cell is short of anything (a quirk of strict mode); ours only where they are short.
  const everywhere = RESOURCES.filter((resource) =>
    full === 0 ? resource in NOTHING_SHORT : short[resource] === full,
  );
  if (everywhere.length === 1 && everywhere[0] === 'starts') return FIXED_TEXTS.starts;
  const named = everywhere.filter((resource) => resource !== 'starts').join(', ');
  return named === '' ? 'insufficient resources' : `insufficient resources: ${named}`;
}

const FIXED_TEXTS = {
  'no-cells': 'unable to communicate to compatible cells',
  'start-limit': 'waiting to start instance: reached in-flight start limit',
  rootfs: 'found no compatible cell for required rootfs',
  'volume-drivers': 'found no compatible cell with required volume drivers',
  labels: 'found no compatible cell with required labels',
  affinity: 'found no compatible cell with required affinity',
  spread: 'found no compatible cell within the allowed skew',
  starts: 'waiting to start instance: reached start limit of compatible cells',
};

/** The placement error in Diego's exact words. Resources are named when every matching cell is short of them. */
export function placementErrorText(why: PlacementFailure, requestedTags: readonly string[] = []): string {
  if (why.reason === 'resources') return resourcesText(why);
  if (why.reason === 'placement-tags') return `found no compatible cell with ${tagsText(requestedTags)}`;
  return FIXED_TEXTS[why.reason];
}
