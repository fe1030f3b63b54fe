import type { CellVerdict } from './types.js';

/**
 * The cell that takes the work, or undefined when none can. Zones before scores: the zone with the fewest instances of
 * the app wins whatever its cells score, and zones with equally many compete as one (Diego auction, scheduler). In
 * strict mode the same app's instances on a cell count only within the score, where large weights can outdo them.
 */
export function chooseCell(verdicts: readonly CellVerdict[], strict: boolean): CellVerdict | undefined {
  let best: CellVerdict | undefined;
  for (const verdict of verdicts) {
    if (verdict.score === undefined) continue;
    if (best === undefined || compare(verdict, best, strict) < 0) best = verdict;
  }
  return best;
}

function compare(a: CellVerdict, b: CellVerdict, strict: boolean): number {
  return (
    Number(a.refused) - Number(b.refused) ||
    (a.violations ?? 0) - (b.violations ?? 0) ||
    a.zoneInstances - b.zoneInstances ||
    compareLists(a.spreadInstances ?? [], b.spreadInstances ?? []) ||
    (strict ? 0 : a.instances - b.instances) ||
    (a.score ?? Infinity) - (b.score ?? Infinity) ||
    a.tieRank - b.tieRank ||
    (a.cellId < b.cellId ? -1 : 1)
  );
}

/** Of the same length; the first difference decides. */
export function compareLists(a: readonly number[], b: readonly number[]): number {
  for (let at = 0; at < a.length; at += 1) {
    const difference = a[at]! - b[at]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
