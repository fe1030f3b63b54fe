import type { CellCapacity, HeldResources } from '#rivera/models';
import type { AuctionCell, PoolPolicy } from './types.js';

/**
 * Scores are whole numbers of billionths. Sums of whole numbers are exact in any order, so an engine may keep a cell's
 * own part and a request's part apart and still agree with this one to the last bit, ties included.
 */
export const SCORE_UNIT = 1e9;

/** One instance of the same app weighs more than anything else on a cell (Diego auction, LocalityOffset). */
export const LOCALITY_WEIGHT = 1000;

/** A cell that is packed is worse than any that is still being filled evenly. */
export const PACKED_WEIGHT = 100;

/** Small work avoids a cell that is kept for larger work, unless its own instances are on all others. */
export const HOLE_WEIGHT = 500;

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
  /** Of the cell's pool, if that packs. */
  packFromPercent?: number;
  /** The cell is a hole kept for larger work. */
  isKept?: boolean;
}

/** How bad a cell is for a request, in billionths: how full it would be, plus what the weights add (Diego rep, ScoreForLRP). */
export function score({
  capacity,
  left,
  needed,
  instances,
  starting,
  binPack,
  packFromPercent = Infinity,
  isKept = false,
}: ScoreInput): number {
  const used = {
    memoryMb: capacity.memoryMb - left.memoryMb,
    diskMb: capacity.diskMb - left.diskMb,
    containers: capacity.containers - left.containers,
  };
  return (
    ownPoints(fill(used, capacity), Math.round(SCORE_UNIT * starting), packFromPercent) +
    fill({ ...needed, containers: 1 }, capacity) +
    (isKept ? SCORE_UNIT * HOLE_WEIGHT : 0) +
    Math.round(SCORE_UNIT * binPack) +
    SCORE_UNIT * LOCALITY_WEIGHT * instances
  );
}

/** From which fill on the cell's pool packs; infinite when it never does. */
export function packFromPercentOf(
  { pool }: Pick<AuctionCell, 'pool'>,
  pools: Record<string, PoolPolicy>,
): number {
  const policy = pool !== undefined && Object.hasOwn(pools, pool) ? pools[pool] : undefined;
  return policy?.packFromPercent ?? Infinity;
}

/**
 * What a cell adds to a score by itself (Diego rep, ScoreForLRP), or by the policy of its pool: from some fill on the
 * fullest cell is the best, and any cell below that fill is better still.
 */
export function ownPoints(fillPoints: number, startingPoints: number, packFromPercent: number): number {
  if (fillPoints * 100 < packFromPercent * SCORE_UNIT) return fillPoints + startingPoints;
  return SCORE_UNIT * (PACKED_WEIGHT + 1) - fillPoints;
}
