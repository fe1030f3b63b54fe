import type { ActualLRP, Cell, CellCensus, Task } from '#rivera/models';
import { changedCell } from './cell.js';
import type { Transition } from './change.js';
import type { Context } from './context.js';
import { EVACUATION_TIMEOUT_MS } from './indexes.js';

/** An operator wants the cell to take no new work; what it has stays. */
export function cordonCell(cell: Cell): Transition {
  return changedCell(cell, { cordoned: true });
}

/** The cell takes work again. A drain that goes on ends: what has moved stays where it is, what has not stays here. */
export function uncordonCell(cell: Cell): Transition {
  return changedCell(cell, { cordoned: undefined, drain: undefined });
}

/**
 * An operator wants the work moved off the cell; what is left after `timeoutMs` is stopped. Its agent does the moving
 * (Diego rep, evacuation). Asked again, a drain goes on with the new deadline.
 */
export function drainCell(
  cell: Cell,
  { now }: Context,
  timeoutMs: number = EVACUATION_TIMEOUT_MS,
): Transition {
  const drain = { since: cell.drain?.since ?? now, deadline: now + timeoutMs };
  return changedCell(cell, { cordoned: true, drain });
}

/** The drain ends where it is; the cell stays cordoned. */
export function cancelDrain(cell: Cell): Transition {
  return changedCell(cell, { drain: undefined });
}

/** Does the auctioneer pass over this cell? Because an operator wants it, or because its agent is leaving. */
export function isClosedToWork({ evacuating, cordoned, drain }: Cell): boolean {
  return evacuating === true || cordoned === true || drain !== undefined;
}

/** What a cell holds, counted; a drained cell holds nothing. */
export function censusOf(actuals: readonly ActualLRP[], tasks: readonly Task[]): CellCensus {
  const count = (isCounted: (actual: ActualLRP) => boolean) => actuals.filter(isCounted).length;
  return {
    placed: count(({ placement }) => placement !== undefined),
    claimed: count(({ state, presence }) => state === 'CLAIMED' && presence === 'ORDINARY'),
    running: count(({ state, presence }) => state === 'RUNNING' && presence === 'ORDINARY'),
    evacuating: count(({ presence }) => presence === 'EVACUATING'),
    suspect: count(({ presence }) => presence === 'SUSPECT'),
    tasks: tasks.length,
  };
}
