import type { ActualLRP, ActualLRPInstanceKey, Task } from '#rivera/models';
import { isUnplaced } from './actual-lrp-records.js';
import type { RecordChange, Transition } from './change.js';
import { isUnplacedTask } from './task.js';

/** Containers of one cell that the store no longer wants. */
export interface Stops {
  instanceGuids: string[];
  taskGuids: string[];
}

/**
 * Who has to be told about a transition. Only wake-ups: everything here can be read from the store again, so a lost
 * message costs a moment, never an instance.
 */
export interface Effects {
  /** Something waits for a cell. */
  wakeAuctioneer: boolean;
  /** Cell id → what it should stop. */
  stops: Map<string, Stops>;
}

/** The effects of a transition. What `reportedBy`, a cell id, said itself it is not told again. */
export function effectsOf(transition: Transition, reportedBy?: string): Effects {
  const stops = new Map<string, Stops>();
  const stopsOf = (cellId: string) => {
    const known = stops.get(cellId) ?? { instanceGuids: [], taskGuids: [] };
    stops.set(cellId, known);
    return known;
  };
  const kept = new Set(
    transition.map((change) => (change.kind === 'actual' ? heldBy(change.after)?.instanceGuid : undefined)),
  );
  for (const change of transition) {
    const instance = change.kind === 'actual' ? endedInstance(change.before, change.after, kept) : undefined;
    if (instance !== undefined && instance.cellId !== reportedBy) {
      stopsOf(instance.cellId).instanceGuids.push(instance.instanceGuid);
    }
    const task = change.kind === 'task' ? endedTask(change.before, change.after) : undefined;
    if (task !== undefined && task.cellId !== reportedBy) stopsOf(task.cellId).taskGuids.push(task.taskGuid);
  }
  return { wakeAuctioneer: transition.some(needsPlacement), stops };
}

/**
 * A container that is no longer wanted: its record asks for it to be stopped, or lost it and no other record (of another
 * presence) has taken it over.
 */
function endedInstance(
  before: ActualLRP | undefined,
  after: ActualLRP | undefined,
  kept: ReadonlySet<string | undefined>,
): ActualLRPInstanceKey | undefined {
  const instance = heldBy(before);
  if (instance === undefined) return undefined;
  const isAskedToStop = after?.stopping === true && before?.stopping !== true;
  return isAskedToStop || !kept.has(instance.instanceGuid) ? instance : undefined;
}

/** The run that a record holds, or that a cell was given to start. */
function heldBy(actual: ActualLRP | undefined): ActualLRPInstanceKey | undefined {
  const { instanceGuid, cellId } = actual?.placement ?? actual ?? {};
  return instanceGuid === undefined || cellId === undefined ? undefined : { instanceGuid, cellId };
}

function endedTask(
  before: Task | undefined,
  after: Task | undefined,
): { cellId: string; taskGuid: string } | undefined {
  const cellId = before?.cellId ?? before?.placement?.cellId;
  if (before === undefined || cellId === undefined) return undefined;
  const isKept = after?.cellId === cellId || after?.placement?.cellId === cellId;
  return isKept ? undefined : { cellId, taskGuid: before.taskGuid };
}

function needsPlacement(change: RecordChange): boolean {
  if (change.kind === 'actual') return change.after !== undefined && isUnplaced(change.after);
  return change.kind === 'task' && change.after !== undefined && isUnplacedTask(change.after);
}
