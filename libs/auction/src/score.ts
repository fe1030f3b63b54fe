import type { CellCapacity, HeldResources } from '#rivera/models';

/**
 * Scores are whole numbers of billionths. Sums of whole numbers are exact in any order, so an engine may keep a cell's
 * own part and a request's part apart and still agree with this one to the last bit, ties included.
 */
export const SCORE_UNIT = 1e9;

/** One instance of the same app weighs more than anything else on a cell (Diego auction, LocalityOffset). */
export const LOCALITY_WEIGHT = 1000;

/** A score from here on never wins in strict mode (Diego auction, scheduler); neither does one that is not a number. */
export const SCORE_CEILING = 1e20 * SCORE_UNIT;

/** The mean of three used fractions, equally weighted, given their sum (Diego rep, ComputeScore). */
export function fillOf(fractions: number): number {
  return Math.round((SCORE_UNIT * fractions) / 3);
}

function fill(used: CellCapacity, capacity: CellCapacity): number {
  return fillOf(
    used.memoryMb / capacity.memoryMb + used.diskMb / capacity.diskMb + used.containers / capacity.containers,
  );
}

export interface ScoreInput {
  capacity: CellCapacity;
  /** Before this placement, proxies subtracted. */
  left: CellCapacity;
  /** Proxy included. */
  needed: HeldResources;
  /** Instances of the same app on the cell, or all its tasks. */
  instances: number;
  /** Weighted number of containers starting on the cell, before this placement. */
  starting: number;
  /** Weighted position of the cell in its zone; 0 for a task. */
  binPack: number;
}

/** How bad a cell is for a request, in billionths: how full it would be, plus what the weights add (Diego rep, ScoreForLRP). */
export function score({ capacity, left, needed, instances, starting, binPack }: ScoreInput): number {
  const used = {
    memoryMb: capacity.memoryMb - left.memoryMb,
    diskMb: capacity.diskMb - left.diskMb,
    containers: capacity.containers - left.containers,
  };
  return (
    fill(used, capacity) +
    fill({ ...needed, containers: 1 }, capacity) +
    Math.round(SCORE_UNIT * starting) +
    Math.round(SCORE_UNIT * binPack) +
    SCORE_UNIT * LOCALITY_WEIGHT * instances
  );
}
