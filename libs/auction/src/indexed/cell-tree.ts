import type { CellOrder } from './cell-order.js';

/**
 * A tree over cells that knows something about all cells below each node. Brought up to date when it is looked at:
 * O(log n) for each cell that changed since.
 *
 * Node 1 is the root, below node i are 2i and 2i + 1, and the cell at place p of the order is node `width` + p.
 */
export abstract class CellTree {
  width = 0;
  private arrangement = -1;
  private seen = 0;

  constructor(readonly order: CellOrder) {}

  refresh(): void {
    const { order } = this;
    if (this.seen === order.changes) return;
    order.arrange();
    const missed = order.changes - this.seen;
    const isFar = missed > order.remembered || missed > order.slots.length / 4 + 4;
    if (this.arrangement !== order.arrangement || isFar) this.rebuild();
    else {
      for (let moment = this.seen; moment < order.changes; moment += 1) {
        const leaf = order.changeAt(moment);
        if (this.setLeaf(this.width + leaf, order.slots[leaf]!)) this.climb((this.width + leaf) >> 1);
      }
    }
    this.seen = order.changes;
  }

  /** Makes all nodes anew, without cells. */
  protected abstract clear(width: number): void;

  /** Takes over how the cell stands now; returns whether that is different. */
  protected abstract setLeaf(node: number, slot: number): boolean;

  /** Sums up the two nodes below; returns whether that is different. */
  protected abstract combine(node: number): boolean;

  private rebuild(): void {
    const { slots, width, arrangement } = this.order;
    if (this.arrangement !== arrangement) {
      this.width = width;
      this.clear(width);
      this.arrangement = arrangement;
    }
    for (let leaf = 0; leaf < slots.length; leaf += 1) this.setLeaf(width + leaf, slots[leaf]!);
    for (let node = width - 1; node >= 1; node -= 1) this.combine(node);
  }

  private climb(from: number): void {
    for (let node = from; node >= 1; node >>= 1) {
      if (!this.combine(node)) return;
    }
  }
}
