import type { ActualLRP, ActualLRPInstanceKey } from '#rivera/models';

/** One run of an instance or task, and the cell that has its container. */
export interface Run {
  /** Instance guid or task guid. */
  guid: string;
  cellId: string;
}

/** An instance that a cell has, or is about to have. */
export type PlacedInstance = ActualLRP & ActualLRPInstanceKey;

export function isPlaced(actual: ActualLRP): actual is PlacedInstance {
  return actual.cellId !== undefined && actual.instanceGuid !== undefined;
}

export function runsOf(actuals: ActualLRP[]): Run[] {
  return actuals.filter(isPlaced).map(({ instanceGuid: guid, cellId }) => ({ guid, cellId }));
}

/** What to ask each cell about. */
export function guidsByCell(runs: Run[]): [cellId: string, guids: string[]][] {
  const guids = new Map<string, string[]>();
  for (const { guid, cellId } of runs) guids.set(cellId, [...(guids.get(cellId) ?? []), guid]);
  return [...guids];
}
