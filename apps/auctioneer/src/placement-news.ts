import { isUnplaced, isUnplacedTask } from '#rivera/lifecycle';
import type { ActualLRP, RiveraEvent, Task } from '#rivera/models';
import { type Member, memberOfActual, memberOfTask } from './work-member.js';

/** What an event of the log means for the work that waits and for the trust in cells. */
export interface PlacementNews {
  /** Waits for a cell from now on. */
  unplaced?: Member;
  /** Waits no longer. */
  settled?: Member;
  /** The cell did not take what it was given. */
  refusedBy?: string;
  /** The cell took what it was given. */
  takenBy?: string;
  /** The cell's agent started anew, or the cell left: what was held against it is void. */
  renewed?: string;
}

export function newsOf(event: RiveraEvent): PlacementNews {
  switch (event.type) {
    case 'actual_lrp_created':
      return waits(memberOfActual(event.after), isUnplaced(event.after));
    case 'actual_lrp_changed':
      return {
        ...change(memberOfActual(event.after), isUnplaced(event.before), isUnplaced(event.after)),
        ...answer(event.before, event.after),
      };
    case 'actual_lrp_removed':
      // A claimed instance that goes may be followed, in the same slot, by one that waits.
      return isUnplaced(event.before) ? { settled: memberOfActual(event.before) } : {};
    case 'task_created':
      return waits(memberOfTask(event.after), isUnplacedTask(event.after));
    case 'task_changed':
      return {
        ...change(memberOfTask(event.after), isUnplacedTask(event.before), isUnplacedTask(event.after)),
        ...answer(event.before, event.after),
      };
    case 'task_removed':
      return { settled: memberOfTask(event.before) };
    case 'cell_changed':
      return event.before.epoch === event.after.epoch ? {} : { renewed: event.after.cellId };
    case 'cell_removed':
      return { renewed: event.before.cellId };
    default:
      return {};
  }
}

function waits(member: Member, isWaiting: boolean): PlacementNews {
  return isWaiting ? { unplaced: member } : { settled: member };
}

/** Nothing when it waited before and still does: an error or a rejection was noted. */
function change(member: Member, didWait: boolean, isWaiting: boolean): PlacementNews {
  return didWait && isWaiting ? {} : waits(member, isWaiting);
}

function answer(before: ActualLRP | Task, after: ActualLRP | Task): PlacementNews {
  const cellId = before.placement?.cellId;
  if (cellId === undefined || after.placement !== undefined) return {};
  if (after.cellId === cellId) return { takenBy: cellId };
  return after.refusedBy?.includes(cellId) ? { refusedBy: cellId } : {};
}

/** A cell came, went or is another now: that may change what no cell could take, and why. */
export function isAboutCells({ type }: RiveraEvent): boolean {
  return type === 'cell_created' || type === 'cell_changed' || type === 'cell_removed';
}

/** The cell on which an instance crashed, or that refused it. */
export function failureOf(event: RiveraEvent): { processGuid: string; cellId: string } | undefined {
  if (event.type === 'actual_lrp_crashed') {
    const { processGuid, cellId } = event.before;
    return cellId === undefined ? undefined : { processGuid, cellId };
  }
  if (event.type !== 'actual_lrp_changed') return undefined;
  const { refusedBy } = answer(event.before, event.after);
  return refusedBy === undefined ? undefined : { processGuid: event.after.processGuid, cellId: refusedBy };
}
