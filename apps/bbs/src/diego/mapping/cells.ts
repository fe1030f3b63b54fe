import type * as wire from '#rivera/diego-wire';
import type { Cell } from '#rivera/models';
import { messageOf } from './records.js';

/** @param repUrl where the cell's state can be asked for; empty when nowhere */
export function wireCell(cell: Cell, repUrl: string): wire.CellPresence {
  const { placementTags, optionalPlacementTags } = cell;
  return {
    cellId: cell.cellId,
    zone: cell.zone,
    capacity: messageOf('CellCapacity', cell.capacity),
    rootfsProviders: cell.rootfsProviders.map(({ scheme, stacks }) => ({ name: scheme, properties: stacks })),
    placementTags,
    optionalPlacementTags,
    repUrl: repUrl || undefined,
  };
}
