import type { Cell } from '#rivera/models';
import { changedCell } from './cell.js';
import type { Transition } from './change.js';

/** When losses look like a fault of the network rather than of cells. */
export interface CellLossLimits {
  /** Losses within this time count together. */
  windowMs: number;
  /** As many may go as this share of the cells that were there; 100 = no limit. */
  percent: number;
  /** As many may go whatever share of all cells they are. */
  minCells: number;
}

/**
 * Would losing these cells now be too many at once? Then their work is left alone, because starting it all again
 * elsewhere would make a fault of the network worse (the safety stop). Losses of the last `windowMs` count, and those
 * that are held already, so that the stop lasts until its cause is gone.
 */
export function isLossHeld(
  cells: readonly Cell[],
  losing: ReadonlySet<string>,
  limits: CellLossLimits,
  now: number,
): boolean {
  const lost = cells.filter(
    ({ cellId, state, since, replacementHeld }) =>
      losing.has(cellId) || (state === 'MISSING' && (replacementHeld || now - since < limits.windowMs)),
  );
  const present = cells.filter(({ cellId, state }) => state === 'PRESENT' && !losing.has(cellId));
  const known = lost.length + present.length;
  const allowed = Math.max(limits.minCells, Math.floor((known * limits.percent) / 100));
  return lost.length > allowed;
}

/** An operator says that a missing cell is lost indeed: its work is replaced now. */
export function releaseReplacement(cell: Cell): Transition {
  return changedCell(cell, { replacementHeld: undefined });
}
