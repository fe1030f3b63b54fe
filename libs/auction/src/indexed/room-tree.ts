import { isEnough } from '#rivera/models';
import type { HeldResources } from '#rivera/models';
import type { CellOrder } from './cell-order.js';
import type { CellTable } from './cell-table.js';
import { CellTree } from './cell-tree.js';

/** Resources: columns of a node for the most that is free on any cell below it; then come those for the least. */
export const MEMORY = 0;
export const DISK = 1;
export const CONTAINERS = 2;
/** Where cells limit nothing else, a node has no more. */
const FEW = 3;
export const STARTS = 3;
export const CPU = 4;
export const PORTS = 5;
/** The most that is left of any one device. */
const DEVICES = 6;
const ALL = 7;

/** The most and the least that is free on any cell below each node; for LRPs the memory is what a proxy leaves of it. */
export class RoomTree extends CellTree {
  private room = new Float64Array(0);
  /** How many resources there are columns for. */
  private resources = FEW;

  constructor(
    private readonly table: CellTable,
    order: CellOrder,
    private readonly isTask: boolean,
  ) {
    super(order);
  }

  /** Whether below the node each resource suffices on some cell. `further`: needed beside memory and disk, if anything. */
  mayHold(node: number, memoryMb: number, diskMb: number, further: HeldResources | undefined): boolean {
    const { room, resources } = this;
    const at = node * 2 * resources;
    return (
      room[at + MEMORY]! >= memoryMb &&
      room[at + DISK]! >= diskMb &&
      room[at + CONTAINERS]! >= 1 &&
      (resources === FEW ? further === undefined || !hasDevices(further) : this.mayHoldFurther(at, further))
    );
  }

  private mayHoldFurther(at: number, further: HeldResources | undefined): boolean {
    const { room } = this;
    if (!(room[at + STARTS]! >= 1)) return false;
    if (further === undefined) return true;
    const { cpuMillicores = 0, ports = 0, devices = [] } = further;
    return (
      isEnough(room[at + CPU], cpuMillicores) &&
      isEnough(room[at + PORTS], ports) &&
      devices.every(({ count }) => isEnough(room[at + DEVICES], count))
    );
  }

  /** Whether cells limit more than memory, disk and containers. */
  get isLimitedOtherwise(): boolean {
    return this.resources === ALL;
  }

  /** How many cells have less free of a resource than this. */
  countBelow(resource: number, needed: number): number {
    return this.countBelowIn(1, 0, this.width, resource, needed);
  }

  protected clear(width: number): void {
    this.resources = this.order.isLimitedOtherwise ? ALL : FEW;
    const { resources } = this;
    this.room = new Float64Array(2 * width * 2 * resources);
    for (let node = width; node < 2 * width; node += 1) {
      const at = node * 2 * resources;
      this.room.fill(-Infinity, at, at + resources).fill(Infinity, at + resources, at + 2 * resources);
    }
  }

  protected setLeaf(node: number, slot: number): boolean {
    const { table } = this;
    const at = node * 2 * this.resources;
    const memory = table.leftMemory(slot) - (this.isTask ? 0 : table.proxy[slot]!);
    let isChanged = this.set(at + MEMORY, memory);
    isChanged = this.set(at + DISK, table.leftDisk(slot)) || isChanged;
    isChanged = this.set(at + CONTAINERS, table.leftContainers(slot)) || isChanged;
    return this.resources === ALL ? this.setFurther(at, slot) || isChanged : isChanged;
  }

  private setFurther(at: number, slot: number): boolean {
    const { table } = this;
    const { capacity } = table.cells[slot]!;
    let isChanged = this.set(at + STARTS, table.leftStarts(slot));
    isChanged = this.set(at + CPU, table.further.leftCpu(slot, capacity)) || isChanged;
    isChanged = this.set(at + PORTS, table.further.leftPorts(slot, capacity)) || isChanged;
    return this.set(at + DEVICES, table.further.mostDevices(slot, capacity)) || isChanged;
  }

  /** Of one cell, so the most is the least. */
  private set(at: number, value: number): boolean {
    if (this.room[at] === value) return false;
    this.room[at] = this.room[at + this.resources] = value;
    return true;
  }

  protected combine(node: number): boolean {
    const { room, resources } = this;
    const at = node * 2 * resources;
    const left = 2 * at;
    const right = left + 2 * resources;
    let isChanged = false;
    for (let column = 0; column < resources; column += 1) {
      const most = Math.max(room[left + column]!, room[right + column]!);
      if (room[at + column] !== most) {
        room[at + column] = most;
        isChanged = true;
      }
    }
    for (let column = resources; column < 2 * resources; column += 1) {
      const least = Math.min(room[left + column]!, room[right + column]!);
      if (room[at + column] !== least) {
        room[at + column] = least;
        isChanged = true;
      }
    }
    return isChanged;
  }

  private countBelowIn(node: number, from: number, width: number, resource: number, needed: number): number {
    const cells = Math.min(this.order.slots.length, from + width) - from;
    if (cells <= 0) return 0;
    const at = node * 2 * this.resources + resource;
    if (this.room[at]! < needed) return cells;
    if (this.room[at + this.resources]! >= needed) return 0;
    const half = width >> 1;
    return (
      this.countBelowIn(2 * node, from, half, resource, needed) +
      this.countBelowIn(2 * node + 1, from + half, half, resource, needed)
    );
  }
}

const hasDevices = (further: HeldResources | undefined): boolean => (further?.devices?.length ?? 0) > 0;
