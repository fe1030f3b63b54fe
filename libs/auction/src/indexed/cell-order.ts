import type { CellTable } from './cell-table.js';
import { grown } from './grow.js';

/** Columns of `bounds`. */
export const BOUNDS_STRIDE = 4;
export const LARGEST_MEMORY = 0;
export const LARGEST_DISK = 1;
export const LARGEST_CONTAINERS = 2;
export const SMALLEST_PROXY = 3;

/** The places of cells in their orders, by slot; a cell is in one order only. */
export class Places {
  of = new Int32Array(64);

  reserve(slot: number): void {
    if (slot >= this.of.length) this.of = grown(this.of, Math.max(slot + 1, this.of.length * 2));
  }
}

/**
 * Cells in a fixed order, by capacity and then along the ring of the tie-break, and a log of which of them changed.
 * Trees are built over the order and learn from the log which places to look at again.
 */
export class CellOrder {
  private readonly members = new Set<number>();
  /** Cells by place, once arranged. */
  slots = new Int32Array(0);
  /** By place: where the cell is on the ring, and the number of its capacity. */
  ring = new Uint32Array(0);
  kind = new Int32Array(0);
  /** Number of places, rounded up to a power of two: the width of a tree over them. */
  width = 1;
  /** Whether all cells have the same capacity and proxy. */
  isUniform = true;
  /** Unless uniform: the largest capacity and the smallest proxy below each node of a tree over the places. */
  bounds = new Float64Array(0);
  /** Grows whenever `slots` changes. */
  arrangement = 0;
  /** Whether any cell limits more than memory, disk and containers. */
  isLimitedOtherwise = false;
  private isArranged = false;

  private log = new Int32Array(64);
  /** Changes logged so far. */
  changes = 0;

  constructor(
    private readonly table: CellTable,
    private readonly places: Places,
  ) {}

  get size(): number {
    return this.members.size;
  }

  add(slot: number): void {
    this.members.add(slot);
    this.rearrange();
  }

  remove(slot: number): void {
    this.members.delete(slot);
    this.rearrange();
  }

  /** Everything is to be looked at again. */
  rearrange(): void {
    this.isArranged = false;
    this.changes += 1;
  }

  /** What the cell holds has changed. */
  touch(slot: number): void {
    this.log[this.changes & (this.log.length - 1)] = this.places.of[slot]!;
    this.changes += 1;
  }

  /** The place that changed at this moment; only the last `remembered` ones are known. */
  changeAt(moment: number): number {
    return this.log[moment & (this.log.length - 1)]!;
  }

  get remembered(): number {
    return this.log.length;
  }

  /** Puts the cells in order if any came or went. */
  arrange(): void {
    if (this.isArranged) return;
    const { table } = this;
    const order = Int32Array.from(this.members).toSorted((a, b) => this.compare(a, b));
    const ring = new Uint32Array(order.length);
    const kind = new Int32Array(order.length);
    for (let leaf = 0; leaf < order.length; leaf += 1) {
      const slot = order[leaf]!;
      this.places.of[slot] = leaf;
      ring[leaf] = table.hash[slot]!;
      if (leaf > 0) kind[leaf] = kind[leaf - 1]! + (this.compareKinds(order[leaf - 1]!, slot) === 0 ? 0 : 1);
    }
    this.slots = order;
    this.ring = ring;
    this.kind = kind;
    this.isLimitedOtherwise = order.some((slot) => table.isLimitedOtherwise(slot));
    this.isUniform = order.length === 0 || kind[order.length - 1] === 0;
    this.width = 2 ** Math.ceil(Math.log2(Math.max(order.length, 1)));
    this.bounds = this.isUniform ? new Float64Array(0) : this.boundsOf(order);
    if (this.log.length < this.width) this.log = new Int32Array(this.width);
    this.arrangement += 1;
    this.isArranged = true;
  }

  private boundsOf(order: Int32Array) {
    const { totalMemory, totalDisk, totalContainers, proxy } = this.table;
    const bounds = new Float64Array(2 * this.width * BOUNDS_STRIDE);
    for (let leaf = 0; leaf < this.width; leaf += 1) {
      const at = (this.width + leaf) * BOUNDS_STRIDE;
      const slot = order[leaf];
      bounds[at + LARGEST_MEMORY] = slot === undefined ? 0 : totalMemory[slot]!;
      bounds[at + LARGEST_DISK] = slot === undefined ? 0 : totalDisk[slot]!;
      bounds[at + LARGEST_CONTAINERS] = slot === undefined ? 0 : totalContainers[slot]!;
      bounds[at + SMALLEST_PROXY] = slot === undefined ? Infinity : proxy[slot]!;
    }
    for (let node = this.width - 1; node >= 1; node -= 1) {
      const at = node * BOUNDS_STRIDE;
      const left = 2 * at;
      const right = left + BOUNDS_STRIDE;
      for (let column = LARGEST_MEMORY; column <= LARGEST_CONTAINERS; column += 1) {
        bounds[at + column] = Math.max(bounds[left + column]!, bounds[right + column]!);
      }
      bounds[at + SMALLEST_PROXY] = Math.min(bounds[left + SMALLEST_PROXY]!, bounds[right + SMALLEST_PROXY]!);
    }
    return bounds;
  }

  private compare(a: number, b: number): number {
    const { hash, ids } = this.table;
    return this.compareKinds(a, b) || hash[a]! - hash[b]! || (ids[a]! < ids[b]! ? -1 : 1);
  }

  private compareKinds(a: number, b: number): number {
    const { totalMemory, totalDisk, totalContainers, proxy } = this.table;
    return (
      totalMemory[a]! - totalMemory[b]! ||
      totalDisk[a]! - totalDisk[b]! ||
      totalContainers[a]! - totalContainers[b]! ||
      proxy[a]! - proxy[b]!
    );
  }
}
