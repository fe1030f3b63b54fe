import { type Cell, type CellRegistration, RiveraError } from '#rivera/models';
import { newTag, nextTag, type Transition } from './change.js';
import type { Context } from './context.js';
import { defined, withFields } from './with-fields.js';

/**
 * A cell says it is there. Without `epoch` an agent has just started and gets the next one, so that whatever the agent
 * before it still says is refused; `lastEpoch` is the highest one given before, also if the cell was removed since. The
 * same registration again changes nothing.
 *
 * Errors: `stale-epoch` (a newer agent of this cell has started).
 */
export function registerCell(
  cell: Cell | undefined,
  cellId: string,
  registration: Readonly<CellRegistration>,
  { epoch, lastEpoch = 0 }: { epoch?: number; lastEpoch?: number },
  context: Context,
): Transition {
  if (epoch !== undefined) requireEpoch(cell, cellId, epoch);
  const fields = defined({
    ...registration,
    cellId,
    state: 'PRESENT' as const,
    epoch: epoch ?? Math.max(lastEpoch, cell?.epoch ?? 0) + 1,
  });
  if (cell === undefined) {
    return [{ kind: 'cell', after: { ...fields, since: context.now, modificationTag: newTag(context) } }];
  }
  const since = cell.state === 'PRESENT' ? cell.since : context.now;
  // What an operator wants of a cell outlives its agents.
  const { cordoned, drain, modificationTag } = cell;
  const after = { ...fields, ...defined({ cordoned, drain }), since, modificationTag };
  if (JSON.stringify(sorted(after)) === JSON.stringify(sorted(cell))) return [];
  return [{ kind: 'cell', before: cell, after: { ...after, modificationTag: nextTag(cell) } }];
}

/**
 * A cell's presence ran out: its instances become suspect and are replaced. With `isHeld` they are left alone for now:
 * too many cells went at once (`isLossHeld`).
 */
export function loseCell(cell: Cell | undefined, isHeld: boolean, context: Context): Transition {
  if (cell?.state !== 'PRESENT') return [];
  const fields = { state: 'MISSING' as const, since: context.now, replacementHeld: isHeld || undefined };
  return changedCell(cell, fields);
}

/** A cell leaves for good, or has been missing for so long that nobody expects it back. */
export function removeCell(cell: Cell | undefined): Transition {
  return cell === undefined ? [] : [{ kind: 'cell', before: cell }];
}

/** The record with these fields; those that are undefined go. No change if it reads the same. */
export function changedCell(before: Cell, fields: Partial<Cell>): Transition {
  const after = withFields(before, fields);
  if (JSON.stringify(sorted(after)) === JSON.stringify(sorted(before))) return [];
  return [{ kind: 'cell', before, after: { ...after, modificationTag: nextTag(before) } }];
}

/** Errors: `stale-epoch` unless `epoch` is that of the agent that started last. */
export function requireEpoch(cell: Cell | undefined, cellId: string, epoch: number): void {
  if (cell?.epoch === epoch) return;
  throw new RiveraError(
    'stale-epoch',
    `Cell ${cellId} is at epoch ${cell?.epoch ?? 'none'}, not ${epoch}: another agent with this cell id has started ` +
      `since, or the cell was removed. Register again without an epoch, or stop this agent.`,
  );
}

function sorted(cell: object): [string, unknown][] {
  return Object.entries(cell).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
