import type { AuctionCell } from '../types.js';
import { CellOrder } from './cell-order.js';
import type { Places } from './cell-order.js';
import type { CellTable } from './cell-table.js';
import { RoomTree } from './room-tree.js';
import { ScoreTree } from './score-tree.js';
import type { Preference } from './score-tree.js';

const NO_PLACE = -1;

/** By what LRPs and tasks choose. */
export interface Preferences {
  lrp: Preference;
  task: Preference;
}

/** What the buckets of one partition share. */
export interface BucketContext {
  table: CellTable;
  preferences: Preferences;
  places: Places;
  /** A cell with this much memory free is a hole; 0 = none is. */
  holeMb: number;
}

/**
 * The cells of one zone that offer the same (rootfs, drivers, tags). What work thinks of them differs only by capacity,
 * by what they hold, and by instances of its own app.
 */
export class Bucket {
  /** Cells that have none of some resource. They count when work fails and can never win. */
  readonly withoutCapacity = new Set<number>();
  /** Cells with room for large work. */
  readonly holes = new Set<number>();
  readonly order: CellOrder;
  readonly lrps: ScoreTree;
  readonly tasks: ScoreTree;
  private otherChanges = 0;

  constructor(
    private readonly context: BucketContext,
    readonly zone: number,
    readonly offerClass: number,
    /** One of its cells, as it was described once: zone and labels of the partition are those of all its cells. */
    readonly example: AuctionCell,
  ) {
    const { table, preferences, places } = context;
    this.order = new CellOrder(table, places);
    const roomFor = (isTask: boolean) => new RoomTree(table, this.order, isTask);
    this.lrps = new ScoreTree(table, this.order, roomFor(false), preferences.lrp);
    this.tasks = new ScoreTree(table, this.order, roomFor(true), preferences.task);
  }

  get size(): number {
    return this.order.size + this.withoutCapacity.size;
  }

  /** Grows with every change to any of its cells. */
  get changes(): number {
    return this.order.changes + this.otherChanges;
  }

  add(slot: number): void {
    const { table, places } = this.context;
    places.reserve(slot);
    if (table.isWithoutCapacity(slot)) {
      this.withoutCapacity.add(slot);
      places.of[slot] = NO_PLACE;
      this.otherChanges += 1;
      return;
    }
    places.of[slot] = 0;
    this.order.add(slot);
    this.noteHole(slot);
  }

  remove(slot: number): void {
    this.holes.delete(slot);
    if (this.withoutCapacity.delete(slot)) this.otherChanges += 1;
    else this.order.remove(slot);
  }

  /** What the cell holds has changed. */
  touch(slot: number): void {
    if (this.context.places.of[slot] === NO_PLACE) {
      this.otherChanges += 1;
      return;
    }
    this.order.touch(slot);
    this.noteHole(slot);
  }

  private noteHole(slot: number): void {
    const { holeMb, table } = this.context;
    if (holeMb <= 0) return;
    if (table.leftMemory(slot) >= holeMb) this.holes.add(slot);
    else this.holes.delete(slot);
  }
}
