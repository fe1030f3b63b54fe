import type { CellOrder } from './cell-order.js';
import type { CellTable } from './cell-table.js';
import { CellTree } from './cell-tree.js';

const STRIDE = 6;
/** Resources: columns of a node for the most that is free on any cell below it; the least is `LEAST` further on. */
export const MEMORY = 0;
export const DISK = 1;
export const CONTAINERS = 2;
const LEAST = 3;

/** The most and the least that is free on any cell below each node; for LRPs the memory is what a proxy leaves of it. */
export class RoomTree extends CellTree {
  private room = new Float64Array(0);

  constructor(
    private readonly table: CellTable,
    order: CellOrder,
    private readonly isTask: boolean,
  ) {
    super(order);
  }

  /** Whether below the node each resource suffices on some cell. */
  mayHold(node: number, memoryMb: number, diskMb: number): boolean {
    const at = node * STRIDE;
    return (
      this.room[at + MEMORY]! >= memoryMb &&
      this.room[at + DISK]! >= diskMb &&
      this.room[at + CONTAINERS]! >= 1
    );
  }

  /** How many cells have less free of a resource than this. */
  countBelow(resource: number, needed: number): number {
    return this.countBelowIn(1, 0, this.width, resource, needed);
  }

  protected clear(width: number): void {
    this.room = new Float64Array(2 * width * STRIDE);
    for (let node = width; node < 2 * width; node += 1) {
      const at = node * STRIDE;
      this.room.fill(-Infinity, at, at + LEAST).fill(Infinity, at + LEAST, at + STRIDE);
    }
  }

  protected setLeaf(node: number, slot: number): boolean {
    const { table, room } = this;
    const at = node * STRIDE;
    const memory = table.leftMemory(slot) - (this.isTask ? 0 : table.proxy[slot]!);
    const disk = table.leftDisk(slot);
    const containers = table.leftContainers(slot);
    if (room[at + MEMORY] === memory && room[at + DISK] === disk && room[at + CONTAINERS] === containers) {
      return false;
    }
    room[at + MEMORY] = room[at + LEAST + MEMORY] = memory;
    room[at + DISK] = room[at + LEAST + DISK] = disk;
    room[at + CONTAINERS] = room[at + LEAST + CONTAINERS] = containers;
    return true;
  }

  protected combine(node: number): boolean {
    const { room } = this;
    const at = node * STRIDE;
    const left = 2 * at;
    const right = left + STRIDE;
    let isChanged = false;
    for (let column = 0; column < LEAST; column += 1) {
      const most = Math.max(room[left + column]!, room[right + column]!);
      const least = Math.min(room[left + LEAST + column]!, room[right + LEAST + column]!);
      isChanged = isChanged || room[at + column] !== most || room[at + LEAST + column] !== least;
      room[at + column] = most;
      room[at + LEAST + column] = least;
    }
    return isChanged;
  }

  private countBelowIn(node: number, from: number, width: number, resource: number, needed: number): number {
    const cells = Math.min(this.order.slots.length, from + width) - from;
    if (cells <= 0) return 0;
    const at = node * STRIDE + resource;
    if (this.room[at]! < needed) return cells;
    if (this.room[at + LEAST]! >= needed) return 0;
    const half = width >> 1;
    return (
      this.countBelowIn(2 * node, from, half, resource, needed) +
      this.countBelowIn(2 * node + 1, from + half, half, resource, needed)
    );
  }
}
