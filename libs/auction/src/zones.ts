import type { AuctionCell } from './types.js';
import type { CellLoad } from './cell-load.js';

/** Instances of an app per zone, over all given cells, also those the app could not use any more (Diego auction, zone). */
export function instancesByZone(
  cells: readonly { cell: AuctionCell; load: CellLoad }[],
  processGuid: string,
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { cell, load } of cells) {
    counts.set(cell.zone, (counts.get(cell.zone) ?? 0) + load.instancesOf(processGuid));
  }
  return counts;
}

/** The position of each cell in its zone for bin-packing, by cell id: 0…n−1 by configured index, then by id. */
export function positionsInZones(cells: readonly AuctionCell[]): Map<string, number> {
  const sorted = cells.toSorted((a, b) => (a.index ?? 0) - (b.index ?? 0) || (a.cellId < b.cellId ? -1 : 1));
  const sizes = new Map<string, number>();
  const positions = new Map<string, number>();
  for (const { cellId, zone } of sorted) {
    const position = sizes.get(zone) ?? 0;
    positions.set(cellId, position);
    sizes.set(zone, position + 1);
  }
  return positions;
}
