import { firstMismatch, parseRootfs } from '../constraints.js';
import { isTaskAuction } from '../types.js';
import type { AuctionCell, LRPAuction } from '../types.js';
import type { SimulatedWork } from './books.js';

/**
 * For each app the difference between the zones with most and with fewest of its instances, over the zones where some
 * cell matches what it asks for, full or not.
 */
export function zoneSkews(cells: readonly AuctionCell[], work: readonly SimulatedWork[]): number[] {
  const zoneOf = new Map(cells.map(({ cellId, zone }) => [cellId, zone]));
  const usableZones = zonesByConstraint(cells);
  const apps = new Map<string, { zones: ReadonlySet<string>; counts: Map<string, number> }>();
  for (const { auction, cellId } of work) {
    const zone = cellId === undefined ? undefined : zoneOf.get(cellId);
    if (isTaskAuction(auction) || zone === undefined) continue;
    let app = apps.get(auction.processGuid);
    if (app === undefined) {
      app = { zones: usableZones(auction), counts: new Map() };
      apps.set(auction.processGuid, app);
    }
    app.counts.set(zone, (app.counts.get(zone) ?? 0) + 1);
  }
  return [...apps.values()].map(({ zones, counts }) => {
    const perZone = [...zones].map((zone) => counts.get(zone) ?? 0);
    return perZone.length === 0 ? 0 : Math.max(...perZone) - Math.min(...perZone);
  });
}

function zonesByConstraint(cells: readonly AuctionCell[]): (auction: LRPAuction) => ReadonlySet<string> {
  const known = new Map<string, ReadonlySet<string>>();
  return (auction) => {
    const { rootfs, placementTags = [], volumeDrivers = [] } = auction;
    const constraint = JSON.stringify([rootfs, placementTags, volumeDrivers]);
    const zones =
      known.get(constraint) ??
      new Set(
        cells
          .filter((cell) => firstMismatch(cell, auction, parseRootfs(rootfs)) === undefined)
          .map(({ zone }) => zone),
      );
    known.set(constraint, zones);
    return zones;
  };
}
