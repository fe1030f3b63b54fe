import type { ActualLRP, ActualLRPInstanceKey, Task } from '#rivera/models';
import type { Transition } from './change.js';

/** Containers of one cell that the store no longer wants. */
export interface Stops {
  instanceGuids: string[];
  taskGuids: string[];
}

/**
 * Who has to be told about a transition beside those who follow its events, as the auctioneer and the converger do. Only
 * wake-ups: everything here can be read from the store again, so a lost message costs a moment, never an instance.
 */
export interface Effects {
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
  return { stops };
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
