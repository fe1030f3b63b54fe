import { offerKey } from '../offer.js';
import type { AuctionCell } from '../types.js';
import { positionsInZones } from '../zones.js';
import { Bucket } from './bucket.js';
import type { BucketContext } from './bucket.js';
import { Places } from './cell-order.js';
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

/**
 * Which cells take part in auctions and how they are grouped: classes of what they offer and, within a class, zones. With
 * labels, cells of one class also agree in these labels.
 */
export class Topology {
  /** Grows when a cell comes, goes or changes its group. */
  version = 0;
  cells = 0;
  /** Where each cell takes part, by slot; undefined while it is unknown or evacuating. */
  readonly buckets: (Bucket | undefined)[] = [];
  readonly classes = new Map<string, OfferClass>();
  private readonly keys: string[] = [];
  private readonly context: BucketContext;
  /** Ids of classes are never used twice. */
  private nextClass = 0;

  constructor(
    private readonly table: CellTable,
    context: Omit<BucketContext, 'table' | 'places'>,
    private readonly labels: readonly string[] = [],
  ) {
    this.context = { ...context, table, places: new Places() };
  }

  /** Takes the cell in as it is described now. */
  enter(slot: number): void {
    const cell = this.table.cells[slot]!;
    const key = this.keyOf(cell);
    const bucket = this.bucketOf(key, cell, this.table.zone[slot]!);
    this.keys[slot] = key;
    this.buckets[slot] = bucket;
    bucket.add(slot);
    this.cells += 1;
    this.version += 1;
  }

  leave(slot: number): void {
    const bucket = this.buckets[slot]!;
    const key = this.keys[slot]!;
    const offer = this.classes.get(key)!;
    bucket.remove(slot);
    this.buckets[slot] = undefined;
    this.cells -= 1;
    this.version += 1;
    offer.cells -= 1;
    if (bucket.size === 0) offer.buckets.delete(bucket.zone);
    if (offer.cells === 0) this.classes.delete(key);
  }

  get allBuckets(): Bucket[] {
    return [...this.classes.values()].flatMap(({ buckets }) => [...buckets.values()]);
  }

  private keyOf(cell: AuctionCell): string {
    if (this.labels.length === 0) return offerKey(cell);
    return JSON.stringify([offerKey(cell), this.labels.map((label) => cell.labels?.[label] ?? null)]);
  }

  private bucketOf(key: string, cell: AuctionCell, zone: number): Bucket {
    let offer = this.classes.get(key);
    if (offer === undefined) {
      offer = { id: this.nextClass++, example: cell, buckets: new Map(), cells: 0 };
      this.classes.set(key, offer);
    }
    offer.cells += 1;
    let bucket = offer.buckets.get(zone);
    if (bucket === undefined) {
      bucket = new Bucket(this.context, zone, offer.id, cell);
      offer.buckets.set(zone, bucket);
    }
    return bucket;
  }
}

/** The zones by number, and who is where in them. */
export class Zones {
  private readonly zones = new Map<string, { id: number; slots: Set<number> }>();
  private readonly stale = new Set<Set<number>>();

  constructor(
    private readonly table: CellTable,
    private readonly arePositionsUsed: boolean,
  ) {}

  /** Numbers are below this. */
  get count(): number {
    return this.zones.size;
  }

  /** Instances of an app by zone, over all cells that take part. */
  instancesOf(app: number) {
    const { instances, zone } = this.table;
    const counts = new Int32Array(this.zones.size);
    for (let pair = instances.firstOf(app); pair >= 0; pair = instances.next(pair)) {
      const id = zone[instances.slotOf(pair)]!;
      if (id >= 0) counts[id]! += instances.countOf(pair);
    }
    return counts;
  }

  enter(slot: number): void {
    const name = this.table.cells[slot]!.zone;
    let zone = this.zones.get(name);
    if (zone === undefined) {
      zone = { id: this.zones.size, slots: new Set() };
      this.zones.set(name, zone);
    }
    zone.slots.add(slot);
    this.table.zone[slot] = zone.id;
    if (this.arePositionsUsed) this.stale.add(zone.slots);
  }

  leave(slot: number): void {
    const { slots } = this.zones.get(this.table.cells[slot]!.zone)!;
    slots.delete(slot);
    this.table.zone[slot] = -1;
    if (this.arePositionsUsed) this.stale.add(slots);
  }

  /** Numbers the cells of the zones that have changed, if positions matter. Returns those cells. */
  renumber(): number[] {
    if (this.stale.size === 0) return [];
    const { table } = this;
    const renumbered: number[] = [];
    for (const slots of this.stale) {
      const positions = positionsInZones([...slots].map((slot) => table.cells[slot]!));
      for (const slot of slots) {
        table.position[slot] = positions.get(table.ids[slot]!)!;
        renumbered.push(slot);
      }
    }
    this.stale.clear();
    return renumbered;
  }
}
