import type { ActualLRP, ActualLRPInstanceKey } from '#rivera/models';

/** One run of an instance or task, and the cell that has its container. */
export interface Run {
  /** Instance guid or task guid. */
  guid: string;
  cellId: string;
  /** It has ended, or was lost; perhaps nothing is left of it. */
  isPast?: boolean;
}

/** An instance that a cell has, or is about to have. */
export type PlacedInstance = ActualLRP & ActualLRPInstanceKey;

export function isPlaced(actual: ActualLRP): actual is PlacedInstance {
  return actual.cellId !== undefined && actual.instanceGuid !== undefined;
}

/** What runs. */
export function runsOf(actuals: ActualLRP[]): Run[] {
  return actuals.filter(isPlaced).map(runOf);
}

/** What ran before: why an instance crashed stands in the log of the run that did. */
export function pastRunsOf(actuals: ActualLRP[]): Run[] {
  return actuals.flatMap(({ lastRun }) =>
    lastRun === undefined ? [] : [{ ...runOf(lastRun), isPast: true }],
  );
}

function runOf({ instanceGuid: guid, cellId }: ActualLRPInstanceKey): Run {
  return { guid, cellId };
}

/** What to ask each cell about. */
export function guidsByCell(runs: Run[]): [cellId: string, guids: string[]][] {
  const guids = new Map<string, string[]>();
  for (const { guid, cellId } of runs) guids.set(cellId, [...(guids.get(cellId) ?? []), guid]);
  return [...guids];
}
