import type { CellOrder } from './cell-order.js';
import type { CellTable } from './cell-table.js';

/** Columns of a node. A node is the best and the most of what lies below it; a leaf is a cell. */
export const STRIDE = 8;
export const ALIKE = 0;
export const SCORE = 1;
export const MOST_MEMORY = 2;
export const MOST_DISK = 3;
export const MOST_CONTAINERS = 4;
export const LEAST_MEMORY = 5;
export const LEAST_DISK = 6;
export const LEAST_CONTAINERS = 7;
/** What makes a cell better than another in a tree, for the kind of work the tree is for. */
export interface Preference {
  isTask: boolean;
  /** Instances of the app, or tasks, on a cell: they go before the score. */
  alikeOn(slot: number): number;
  /** What the same count adds to the score instead, as in strict mode. */
  alikeWeight: number;
}

/**
 * A tournament over cells. Each node knows the best (`ALIKE`, `SCORE`) below it and the most that is
 * free there, so that a search can leave out what cannot win or has no room. Brought up to date when it is looked at:
 * O(log n) for each cell that changed since.
 */
export class CellTree {
  nodes = new Float64Array(0);
  /** Leaf i is node `width + i`. */
  width = 0;
  private arrangement = -1;
  private seen = 0;

  constructor(
    private readonly table: CellTable,
    readonly order: CellOrder,
    private readonly preference: Preference,
  ) {}

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
        if (this.setLeaf(leaf)) this.climb((this.width + leaf) >> 1);
      }
    }
    this.seen = order.changes;
  }

  private rebuild(): void {
    const { slots, width, arrangement } = this.order;
    if (this.arrangement !== arrangement) {
      this.width = width;
      this.nodes = new Float64Array(2 * width * STRIDE);
      for (let leaf = slots.length; leaf < width; leaf += 1) this.setNobody((width + leaf) * STRIDE);
      this.arrangement = arrangement;
    }
    for (let leaf = 0; leaf < slots.length; leaf += 1) this.setLeaf(leaf);
    for (let node = width - 1; node >= 1; node -= 1) this.combine(node);
  }

  private setNobody(at: number): void {
    this.nodes.fill(Infinity, at + ALIKE, at + MOST_MEMORY);
    this.nodes.fill(-Infinity, at + MOST_MEMORY, at + LEAST_MEMORY);
    this.nodes.fill(Infinity, at + LEAST_MEMORY, at + STRIDE);
  }

  /** Whether anything about it is different. */
  private setLeaf(leaf: number): boolean {
    const { nodes, table, preference } = this;
    const at = (this.width + leaf) * STRIDE;
    const slot = this.order.slots[leaf]!;
    const count = preference.alikeOn(slot);
    const alike = preference.alikeWeight === 0 ? count : 0;
    const score = table.ownScore(slot, preference.isTask) + count * preference.alikeWeight;
    const memory = table.leftMemory(slot) - (preference.isTask ? 0 : table.proxy[slot]!);
    const disk = table.leftDisk(slot);
    const containers = table.leftContainers(slot);
    if (
      nodes[at + ALIKE] === alike &&
      nodes[at + SCORE] === score &&
      nodes[at + MOST_MEMORY] === memory &&
      nodes[at + MOST_DISK] === disk &&
      nodes[at + MOST_CONTAINERS] === containers
    ) {
      return false;
    }
    nodes[at + ALIKE] = alike;
    nodes[at + SCORE] = score;
    nodes[at + MOST_MEMORY] = nodes[at + LEAST_MEMORY] = memory;
    nodes[at + MOST_DISK] = nodes[at + LEAST_DISK] = disk;
    nodes[at + MOST_CONTAINERS] = nodes[at + LEAST_CONTAINERS] = containers;
    return true;
  }

  private climb(from: number): void {
    for (let node = from; node >= 1; node >>= 1) {
      if (!this.combine(node)) return;
    }
  }

  /** Sums up the two nodes below; whether that made a difference. */
  private combine(node: number): boolean {
    const { nodes } = this;
    const at = node * STRIDE;
    const left = 2 * at;
    const right = left + STRIDE;
    const leftAlike = nodes[left + ALIKE]!;
    const rightAlike = nodes[right + ALIKE]!;
    const isLeft =
      leftAlike < rightAlike || (leftAlike === rightAlike && nodes[left + SCORE]! <= nodes[right + SCORE]!);
    const best = isLeft ? left : right;
    let isChanged = this.set(at + ALIKE, nodes[best + ALIKE]!);
    isChanged = this.set(at + SCORE, nodes[best + SCORE]!) || isChanged;
    for (let column = MOST_MEMORY; column <= MOST_CONTAINERS; column += 1) {
      isChanged = this.set(at + column, Math.max(nodes[left + column]!, nodes[right + column]!)) || isChanged;
    }
    for (let column = LEAST_MEMORY; column <= LEAST_CONTAINERS; column += 1) {
      isChanged = this.set(at + column, Math.min(nodes[left + column]!, nodes[right + column]!)) || isChanged;
    }
    return isChanged;
  }

  private set(at: number, value: number): boolean {
    if (this.nodes[at] === value) return false;
    this.nodes[at] = value;
    return true;
  }

  /** Of the cell that comes first. */
  get lowestScore(): number {
    return this.nodes[STRIDE + SCORE]!;
  }

  /** How many cells have less free than this, by a pair of columns. */
  countBelow(most: number, least: number, needed: number): number {
    return this.countBelowIn(1, 0, this.width, most, least, needed);
  }

  private countBelowIn(
    node: number,
    from: number,
    width: number,
    most: number,
    least: number,
    needed: number,
  ): number {
    const leaves = Math.min(this.order.slots.length, from + width) - from;
    if (leaves <= 0) return 0;
    if (this.nodes[node * STRIDE + most]! < needed) return leaves;
    if (this.nodes[node * STRIDE + least]! >= needed) return 0;
    const half = width >> 1;
    return (
      this.countBelowIn(2 * node, from, half, most, least, needed) +
      this.countBelowIn(2 * node + 1, from + half, half, most, least, needed)
    );
  }
}
