import { CellOrder } from './cell-order.js';
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

/**
 * The cells of one zone that offer the same (rootfs, drivers, tags). What work thinks of them differs only by capacity,
 * by what they hold, and by instances of its own app.
 */
export class Bucket {
  /** Cells that have none of some resource. They count when work fails and can never win. */
  readonly withoutCapacity = new Set<number>();
  readonly order: CellOrder;
  readonly lrps: ScoreTree;
  readonly tasks: ScoreTree;
  private otherChanges = 0;

  constructor(
    private readonly table: CellTable,
    preferences: Preferences,
    readonly zone: number,
    readonly offerClass: number,
  ) {
    this.order = new CellOrder(table);
    this.lrps = new ScoreTree(table, this.order, new RoomTree(table, this.order, false), preferences.lrp);
    this.tasks = new ScoreTree(table, this.order, new RoomTree(table, this.order, true), preferences.task);
  }

  get size(): number {
    return this.order.size + this.withoutCapacity.size;
  }

  /** Grows with every change to any of its cells. */
  get changes(): number {
    return this.order.changes + this.otherChanges;
  }

  add(slot: number): void {
    if (this.table.isWithoutCapacity(slot)) {
      this.withoutCapacity.add(slot);
      this.table.leaf[slot] = NO_PLACE;
      this.otherChanges += 1;
    } else {
      this.table.leaf[slot] = 0;
      this.order.add(slot);
    }
  }

  remove(slot: number): void {
    if (this.withoutCapacity.delete(slot)) this.otherChanges += 1;
    else this.order.remove(slot);
  }

  /** What the cell holds has changed. */
  touch(slot: number): void {
    if (this.table.leaf[slot] === NO_PLACE) this.otherChanges += 1;
    else this.order.touch(slot);
  }
}
