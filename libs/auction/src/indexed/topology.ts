import type { AuctionCell } from '../types.js';
import { positionsInZones } from '../zones.js';
import { Bucket } from './bucket.js';
import type { Preferences } from './bucket.js';
import type { CellTable } from './cell-table.js';

/** All cells that offer the same (rootfs, drivers, tags), in any zone: work either matches all of them or none. */
export interface OfferClass {
  id: number;
  /** Any cell of the class; what it offers is what all offer. */
  example: AuctionCell;
  /** By zone. */
  buckets: Map<number, Bucket>;
  cells: number;
}

interface Zone {
  id: number;
  slots: Set<number>;
}

/** Which cells take part in auctions and how they are grouped: zones, classes of what they offer, buckets. */
export class Topology {
  /** Grows when a cell comes, goes or changes its group. */
  version = 0;
  cells = 0;
  /** Where each cell takes part, by slot; undefined while it is unknown or evacuating. */
  readonly buckets: (Bucket | undefined)[] = [];
  readonly classes = new Map<string, OfferClass>();
  private readonly zones = new Map<string, Zone>();
  private readonly staleZones = new Set<Zone>();
  /** Ids of classes are never used twice. */
  private nextClass = 0;

  constructor(
    private readonly table: CellTable,
    private readonly preferences: Preferences,
    private readonly arePositionsUsed: boolean,
  ) {}

  /** Numbers of zones are below this. */
  get zoneCount(): number {
    return this.zones.size;
  }

  /** Takes the cell in as it is described now. */
  enter(slot: number): void {
    const cell = this.table.cells[slot]!;
    const zone = this.zoneOf(cell.zone);
    const bucket = this.bucketOf(cell, zone);
    this.buckets[slot] = bucket;
    this.table.zone[slot] = zone.id;
    bucket.add(slot);
    this.change(zone, slot, true);
  }

  leave(slot: number): void {
    const bucket = this.buckets[slot]!;
    bucket.remove(slot);
    this.buckets[slot] = undefined;
    this.table.zone[slot] = -1;
    const zone = this.zoneOf(this.table.cells[slot]!.zone);
    this.change(zone, slot, false);
    const key = offerKey(this.table.cells[slot]!);
    const offer = this.classes.get(key)!;
    offer.cells -= 1;
    if (bucket.size === 0) offer.buckets.delete(zone.id);
    if (offer.cells === 0) this.classes.delete(key);
  }

  /** Whether the cell would stand where it stands if it were described like this. */
  isUnmoved(slot: number, next: AuctionCell): boolean {
    const known = this.table.cells[slot]!;
    return (
      known.zone === next.zone &&
      (known.index ?? 0) === (next.index ?? 0) &&
      (known.proxyMemoryMb ?? 0) === (next.proxyMemoryMb ?? 0) &&
      known.capacity.memoryMb === next.capacity.memoryMb &&
      known.capacity.diskMb === next.capacity.diskMb &&
      known.capacity.containers === next.capacity.containers &&
      (this.buckets[slot] === undefined) === (next.evacuating === true) &&
      offerKey(known) === offerKey(next)
    );
  }

  /** Numbers the cells of each zone that has changed, if their positions matter. */
  renumber(): void {
    if (this.staleZones.size === 0) return;
    for (const zone of this.staleZones) {
      const cells = [...zone.slots].map((slot) => this.table.cells[slot]!);
      const positions = positionsInZones(cells);
      const buckets = new Set<Bucket>();
      for (const slot of zone.slots) {
        this.table.position[slot] = positions.get(this.table.ids[slot]!)!;
        buckets.add(this.buckets[slot]!);
      }
      for (const bucket of buckets) bucket.order.rearrange();
    }
    this.staleZones.clear();
  }

  /** Instances of an app by zone, over all cells that take part. */
  instancesByZone(app: number) {
    const { instances, zone } = this.table;
    const counts = new Int32Array(this.zones.size);
    for (let pair = instances.firstOf(app); pair >= 0; pair = instances.next(pair)) {
      const id = zone[instances.slotOf(pair)]!;
      if (id >= 0) counts[id]! += instances.countOf(pair);
    }
    return counts;
  }

  private change(zone: Zone, slot: number, isIn: boolean): void {
    if (isIn) zone.slots.add(slot);
    else zone.slots.delete(slot);
    this.cells += isIn ? 1 : -1;
    this.version += 1;
    if (this.arePositionsUsed) this.staleZones.add(zone);
  }

  private zoneOf(name: string): Zone {
    let zone = this.zones.get(name);
    if (zone === undefined) {
      zone = { id: this.zones.size, slots: new Set() };
      this.zones.set(name, zone);
    }
    return zone;
  }

  private bucketOf(cell: AuctionCell, zone: Zone): Bucket {
    const key = offerKey(cell);
    let offer = this.classes.get(key);
    if (offer === undefined) {
      offer = { id: this.nextClass++, example: cell, buckets: new Map(), cells: 0 };
      this.classes.set(key, offer);
    }
    offer.cells += 1;
    let bucket = offer.buckets.get(zone.id);
    if (bucket === undefined) {
      bucket = new Bucket(this.table, this.preferences, zone.id, offer.id);
      offer.buckets.set(zone.id, bucket);
    }
    return bucket;
  }
}

/** The same for cells that match the same work. Order plays no part; a provider may be named more than once. */
function offerKey(cell: AuctionCell): string {
  const sorted = (names: readonly string[] = []) => names.toSorted();
  return JSON.stringify([
    cell.rootfsProviders.map(({ scheme, stacks }) => JSON.stringify([scheme, stacks?.toSorted()])).toSorted(),
    sorted(cell.volumeDrivers),
    sorted(cell.placementTags),
    sorted(cell.optionalPlacementTags),
  ]);
}
