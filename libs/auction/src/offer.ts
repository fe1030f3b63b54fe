import type { AuctionCell } from './types.js';

/** The same for cells that offer the same (rootfs, drivers, tags), and so match the same work, labels aside. */
export function offerKey(cell: AuctionCell): string {
  const sorted = (names: readonly string[] = []) => names.toSorted();
  return JSON.stringify([
    cell.rootfsProviders.map(({ scheme, stacks }) => JSON.stringify([scheme, stacks?.toSorted()])).toSorted(),
    sorted(cell.volumeDrivers),
    sorted(cell.placementTags),
    sorted(cell.optionalPlacementTags),
  ]);
}
