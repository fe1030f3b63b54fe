import type { HeldResources } from '#rivera/models';
import { fillOf } from '../score.js';
import { tieRank } from '../tie-break.js';
import {
  BOUNDS_STRIDE,
  LARGEST_CONTAINERS,
  LARGEST_DISK,
  LARGEST_MEMORY,
  SMALLEST_PROXY,
} from './cell-order.js';
import type { CellOrder } from './cell-order.js';
import type { CellTable } from './cell-table.js';
import type { ScoreTree } from './score-tree.js';

const RING = 2 ** 32;
const NOBODY = -1;

/**
 * Branch and bound for the best cell with room: the lowest (alike, score, rank on the ring, id). It goes first where the
 * promise is best and leaves out every part of a tree that has no room or cannot beat the best cell found so far, so the
 * answer is that of looking at all of them.
 *
 * One object serves all searches; `begin` makes it anew.
 */
export class Search {
  /** The best cell so far, or −1. */
  slot = NOBODY;
  /** Marked cells met on the way: work for nothing. */
  wasted = 0;
  /** Of the best cell so far; infinite when there is none. */
  alike = Infinity;
  score = Infinity;
  private rank = Infinity;

  private memoryMb = 0;
  private diskMb = 0;
  /** Needed beside memory and disk, if anything is. */
  private further: HeldResources | undefined;
  private isTask = false;
  private hash = 0;
  /** Cells with this mark are passed over. */
  private mark = 0;
  private marks = new Int32Array(64);

  // The tree that is being searched.
  private order: CellOrder;
  private tree: ScoreTree;
  /** What the request adds on every cell when all have the same capacity. */
  private requestScore = 0;

  constructor(private readonly table: CellTable) {}

  /**
   * For work of this size, which needs `further` beside memory and disk. `hash` is where it starts on the ring of the
   * tie-break.
   */
  begin(
    { memoryMb, diskMb }: HeldResources,
    further: HeldResources | undefined,
    isTask: boolean,
    hash: number,
  ): void {
    this.memoryMb = memoryMb;
    this.diskMb = diskMb;
    this.further = further;
    this.isTask = isTask;
    this.hash = hash;
    this.mark += 1;
    if (this.marks.length < this.table.hash.length) this.marks = new Int32Array(this.table.hash.length);
    this.wasted = 0;
    this.reset();
  }

  /** Forgets what was found; marks stay. */
  reset(): void {
    this.slot = NOBODY;
    this.alike = this.score = this.rank = Infinity;
  }

  passOver(slot: number): void {
    this.marks[slot] = this.mark;
  }

  isPassedOver(slot: number): boolean {
    return this.marks[slot] === this.mark;
  }

  /** Looks at the cells of some trees, first where the lowest score is. */
  inTrees(trees: readonly ScoreTree[]): void {
    let first = 0;
    for (let at = 0; at < trees.length; at += 1) {
      trees[at]!.refresh();
      trees[at]!.room.refresh();
      if (at > 0 && trees[at]!.score[1]! < trees[first]!.score[1]!) first = at;
    }
    if (trees.length > 0) this.inTree(trees[first]!);
    for (let at = 0; at < trees.length; at += 1) {
      if (at !== first) this.inTree(trees[at]!);
    }
  }

  /** Looks at one cell, which has this many instances alike and is known to match. */
  atCell(slot: number, alike: number, ownScore: number): void {
    if (!this.hasRoom(slot)) return;
    this.offer(slot, alike, ownScore + this.requestScoreOn(slot));
  }

  private inTree(tree: ScoreTree): void {
    const { order } = tree;
    if (order.slots.length === 0) return;
    this.tree = tree;
    this.order = order;
    this.requestScore = order.isUniform ? this.requestScoreOn(order.slots[0]!) : 0;
    if (!this.isWorthwhile(1, 0, tree.width)) return;
    if (!order.isUniform || !this.firstOfBest(tree)) this.below(1, 0, tree.width);
  }

  /**
   * The short way when all cells have the same capacity: the first one from the hash on that is as good as the best. When
   * it has room there is none better; whether it has is all this returns.
   */
  private firstOfBest(tree: ScoreTree): boolean {
    const { ring, slots } = this.order;
    const { alike, score, width } = tree;
    const bestAlike = alike[1]!;
    const bestScore = score[1]!;
    let node = width + placeOnRing(ring, this.hash);
    while (alike[node] !== bestAlike || score[node] !== bestScore) {
      while (node % 2 === 1) node >>= 1;
      // Nothing to the right: once more from the beginning of the ring.
      node = node === 0 ? 1 : node + 1;
    }
    while (node < width) {
      node *= 2;
      if (alike[node] !== bestAlike || score[node] !== bestScore) node += 1;
    }
    const slot = slots[node - width]!;
    if (!this.mayHold(node) || this.marks[slot] === this.mark || !this.hasDevices(slot)) return false;
    this.offer(slot, bestAlike, bestScore + this.requestScore);
    return true;
  }

  private below(node: number, from: number, width: number): void {
    if (width === 1) {
      this.atLeaf(node, from);
      return;
    }
    const half = width >> 1;
    const left = 2 * node;
    const right = left + 1;
    const isLeftFirst = this.comparePromises(left, right, from, half) <= 0;
    const first = isLeftFirst ? left : right;
    const second = isLeftFirst ? right : left;
    const firstFrom = isLeftFirst ? from : from + half;
    const secondFrom = isLeftFirst ? from + half : from;
    if (this.isWorthwhile(first, firstFrom, half)) this.below(first, firstFrom, half);
    if (this.isWorthwhile(second, secondFrom, half)) this.below(second, secondFrom, half);
  }

  private atLeaf(node: number, leaf: number): void {
    const slot = this.order.slots[leaf]!;
    if (this.marks[slot] === this.mark) {
      this.wasted += 1;
      return;
    }
    if (!this.hasDevices(slot)) return;
    const request = this.order.isUniform ? this.requestScore : this.requestScoreOn(slot);
    this.offer(slot, this.tree.alike[node]!, this.tree.score[node]! + request);
  }

  private offer(slot: number, alike: number, score: number): void {
    if (alike > this.alike || (alike === this.alike && score > this.score)) return;
    const rank = tieRank(this.hash, this.table.hash[slot]!);
    if (alike === this.alike && score === this.score) {
      if (rank > this.rank) return;
      if (rank === this.rank && this.table.ids[slot]! >= this.table.ids[this.slot]!) return;
    }
    this.slot = slot;
    this.alike = alike;
    this.score = score;
    this.rank = rank;
  }

  /** Whether a cell below the node may have room and be better than the best so far. */
  private isWorthwhile(node: number, from: number, width: number): boolean {
    if (!this.mayHold(node)) return false;
    const alike = this.tree.alike[node]!;
    if (alike !== this.alike) return alike < this.alike;
    const score = this.promise(node);
    if (score !== this.score) return score < this.score;
    return this.nearestRank(from, width) <= this.rank;
  }

  private mayHold(node: number): boolean {
    return this.tree.room.mayHold(node, this.memoryMb, this.diskMb, this.further);
  }

  /** Trees know only the most of any one device. */
  private hasDevices(slot: number): boolean {
    return this.further?.devices === undefined || this.table.hasFurther(slot, this.further);
  }

  private comparePromises(left: number, right: number, from: number, width: number): number {
    const alike = this.tree.alike[left]! - this.tree.alike[right]!;
    // Two Infinities make NaN: there is nobody on either side.
    if (alike !== 0) return alike;
    const score = this.promise(left) - this.promise(right);
    if (score !== 0) return score;
    return this.nearestRank(from, width) - this.nearestRank(from + width, width);
  }

  /** No cell below the node has a lower score. */
  private promise(node: number): number {
    const own = this.tree.score[node]!;
    if (this.order.isUniform) return own + this.requestScore;
    const { bounds } = this.order;
    const at = node * BOUNDS_STRIDE;
    const proxy = this.isTask ? 0 : bounds[at + SMALLEST_PROXY]!;
    const request = fillOf(
      (this.memoryMb + proxy) / bounds[at + LARGEST_MEMORY]! +
        this.diskMb / bounds[at + LARGEST_DISK]! +
        1 / bounds[at + LARGEST_CONTAINERS]!,
    );
    return own + request;
  }

  /** No cell at these places has a lower rank. */
  private nearestRank(from: number, width: number): number {
    const { ring, kind } = this.order;
    const last = Math.min(from + width, ring.length) - 1;
    if (last < from) return Infinity;
    if (kind[from] !== kind[last]) return 0;
    const { hash } = this;
    const first = ring[from]!;
    if (hash <= first) return first - hash;
    return hash > ring[last]! ? first - hash + RING : 0;
  }

  hasRoom(slot: number): boolean {
    return this.table.hasRoom(slot, this.memoryOn(slot), this.diskMb, this.further);
  }

  private memoryOn(slot: number): number {
    return this.memoryMb + (this.isTask ? 0 : this.table.proxy[slot]!);
  }

  private requestScoreOn(slot: number): number {
    return this.table.requestScore(slot, this.memoryOn(slot), this.diskMb);
  }
}

/** The first place at or after the hash; 0 when there is none, for the ring closes. */
function placeOnRing(ring: Uint32Array, hash: number): number {
  let from = 0;
  let to = ring.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (ring[middle]! < hash) from = middle + 1;
    else to = middle;
  }
  return from === ring.length ? 0 : from;
}
