import type { CellCapacity, HeldResources } from '#rivera/models';
import { nothingLike } from '../cell-load.js';
import type { Left } from '../constraints.js';
import { fillOf, ownPoints, packFromPercentOf, SCORE_UNIT } from '../score.js';
import { hash32 } from '../tie-break.js';
import type { AuctionCell, AuctionOptions, HeldWork } from '../types.js';
import { asksForMore, FurtherResources, isLimitedOtherwise } from './further-resources.js';
import { grown } from './grow.js';
import { InstanceTable } from './instance-table.js';

const FLOATS = [
  'totalMemory',
  'totalDisk',
  'totalContainers',
  'proxy',
  'memory',
  'disk',
  'packFrom',
  'maxStarting',
] as const;
const INTEGERS = ['containers', 'starting', 'tasks', 'proxyFree', 'zone', 'position'] as const;

/** The number of no app. */
export const NO_APP = -1;

/**
 * Both ledgers of the engine in columns: what each cell says of itself and what is held on it. A cell is a slot number
 * in here; it has one as long as it is known or holds something.
 */
export class CellTable {
  readonly instances = new InstanceTable();
  readonly further = new FurtherResources();
  readonly ids: string[] = [];
  /** Slots of the cells that are known, in the order in which they became so. */
  readonly known = new Set<number>();
  readonly cells: (AuctionCell | undefined)[] = [];

  hash = new Uint32Array(64);
  totalMemory = new Float64Array(64);
  totalDisk = new Float64Array(64);
  totalContainers = new Float64Array(64);
  proxy = new Float64Array(64);
  /** Policy of its pool, see `ownPoints`; infinite unless it packs. */
  packFrom = new Float64Array(64);
  /** How many containers may start at the same time; infinite where the cell says nothing of it. */
  maxStarting = new Float64Array(64);
  /** Held, without proxies. */
  memory = new Float64Array(64);
  disk = new Float64Array(64);
  containers = new Int32Array(64);
  starting = new Int32Array(64);
  tasks = new Int32Array(64);
  /** Instances placed in this batch whose proxy is not charged yet; only in strict mode. */
  proxyFree = new Int32Array(64);
  /** Number of its zone; −1 while it takes no part in auctions. */
  zone = new Int32Array(64).fill(-1);
  /** Position in its zone, for bin-packing. */
  position = new Int32Array(64);

  private readonly slots = new Map<string, number>();
  private readonly freeSlots: number[] = [];

  constructor(private readonly options: AuctionOptions) {}

  find(cellId: string): number | undefined {
    return this.slots.get(cellId);
  }

  slotOf(cellId: string): number {
    const known = this.slots.get(cellId);
    if (known !== undefined) return known;
    const slot = this.freeSlots.pop() ?? this.ids.length;
    if (slot === this.hash.length) this.grow();
    this.slots.set(cellId, slot);
    this.ids[slot] = cellId;
    this.hash[slot] = hash32(cellId);
    return slot;
  }

  describe(slot: number, cell: AuctionCell): void {
    const { capacity, proxyMemoryMb = 0 } = cell;
    this.cells[slot] = cell;
    this.known.add(slot);
    this.totalMemory[slot] = capacity.memoryMb;
    this.totalDisk[slot] = capacity.diskMb;
    this.totalContainers[slot] = capacity.containers;
    this.proxy[slot] = proxyMemoryMb;
    const { strict, pools } = this.options;
    this.packFrom[slot] = strict ? Infinity : packFromPercentOf(cell, pools);
    this.maxStarting[slot] = strict ? Infinity : (cell.maxStarting ?? Infinity);
  }

  /** Whether there is more to be considered about its room than memory, disk and containers. */
  isLimitedOtherwise(slot: number): boolean {
    return !this.options.strict && isLimitedOtherwise(this.cells[slot]!);
  }

  undescribe(slot: number): void {
    this.cells[slot] = undefined;
    this.known.delete(slot);
    this.forgetIfEmpty(slot);
  }

  forgetIfEmpty(slot: number): void {
    if (this.cells[slot] !== undefined || this.containers[slot]! !== 0) return;
    this.slots.delete(this.ids[slot]!);
    for (const column of [...FLOATS, ...INTEGERS]) this[column][slot] = 0;
    this.zone[slot] = -1;
    this.further.forget(slot);
    this.freeSlots.push(slot);
  }

  /** Returns the number of its app; −1 for a task. */
  add(slot: number, held: HeldWork): number {
    this.count(slot, held, 1, held.starting ? 1 : 0);
    if (held.processGuid !== undefined) return this.instances.add(held.processGuid, slot);
    this.tasks[slot]! += 1;
    return NO_APP;
  }

  /**
   * Returns the number its app had; −1 for a task.
   *
   * @throws RiveraError `internal` when nothing like it is held.
   */
  remove(slot: number, held: HeldWork): number {
    const { processGuid } = held;
    const app = processGuid === undefined ? NO_APP : this.instances.idOf(processGuid);
    const alike = processGuid === undefined ? this.tasks[slot]! : this.instances.instancesOn(app, slot);
    if (alike === 0 || (held.starting && this.starting[slot] === 0)) throw nothingLike(held);
    this.count(slot, held, -1, held.starting ? -1 : 0);
    if (processGuid === undefined) this.tasks[slot]! -= 1;
    else this.instances.remove(app, slot);
    return app;
  }

  private count(slot: number, held: HeldWork, step: 1 | -1, starting: number): void {
    this.memory[slot]! += step * held.memoryMb;
    this.disk[slot]! += step * held.diskMb;
    if (asksForMore(held)) this.further.count(slot, held, step);
    this.containers[slot]! += step;
    this.starting[slot]! += starting;
  }

  /** A capacity of 0 is never enough, and the used fraction of nothing has no value. */
  isWithoutCapacity(slot: number): boolean {
    return !(this.totalMemory[slot]! > 0 && this.totalDisk[slot]! > 0 && this.totalContainers[slot]! > 0);
  }

  leftMemory(slot: number): number {
    const proxies = this.containers[slot]! - this.tasks[slot]! - this.proxyFree[slot]!;
    return this.totalMemory[slot]! - this.memory[slot]! - proxies * this.proxy[slot]!;
  }

  leftDisk(slot: number): number {
    return this.totalDisk[slot]! - this.disk[slot]!;
  }

  leftContainers(slot: number): number {
    return this.totalContainers[slot]! - this.containers[slot]!;
  }

  leftStarts(slot: number): number {
    return this.maxStarting[slot]! - this.starting[slot]!;
  }

  leftOn(slot: number): CellCapacity {
    return {
      memoryMb: this.leftMemory(slot),
      diskMb: this.leftDisk(slot),
      containers: this.leftContainers(slot),
      ...this.further.left(slot, this.cells[slot]!.capacity),
    };
  }

  /** What is left, and how many more containers may start. */
  leftToStart(slot: number): Left {
    return { ...this.leftOn(slot), starts: this.leftStarts(slot) };
  }

  /** `further` is what is needed beside memory and disk, if anything is. */
  hasRoom(slot: number, memoryWithProxy: number, disk: number, further: HeldResources | undefined): boolean {
    return (
      this.leftContainers(slot) >= 1 &&
      this.leftDisk(slot) >= disk &&
      this.leftMemory(slot) >= memoryWithProxy &&
      this.leftStarts(slot) >= 1 &&
      (further === undefined || this.hasFurther(slot, further))
    );
  }

  hasFurther(slot: number, needed: HeldResources): boolean {
    return this.further.isEnough(slot, this.cells[slot]!.capacity, needed);
  }

  /** The part of a score that is the cell's alone: how full it is, what starts there, and for an LRP its position. */
  ownScore(slot: number, isTask: boolean): number {
    const totalMemory = this.totalMemory[slot]!;
    const totalDisk = this.totalDisk[slot]!;
    const fill = fillOf(
      (totalMemory - this.leftMemory(slot)) / totalMemory +
        (totalDisk - this.leftDisk(slot)) / totalDisk +
        this.containers[slot]! / this.totalContainers[slot]!,
    );
    const { startingContainerWeight, binPackFirstFitWeight } = this.options;
    const starting = Math.round(SCORE_UNIT * (startingContainerWeight * this.starting[slot]!));
    const points = ownPoints(fill, starting, this.packFrom[slot]!);
    if (isTask || binPackFirstFitWeight === 0) return points;
    return points + Math.round(SCORE_UNIT * (binPackFirstFitWeight * this.position[slot]!));
  }

  /** The part that is the request's on a cell of this capacity. */
  requestScore(slot: number, memoryWithProxy: number, disk: number): number {
    return fillOf(
      memoryWithProxy / this.totalMemory[slot]! +
        disk / this.totalDisk[slot]! +
        1 / this.totalContainers[slot]!,
    );
  }

  private grow(): void {
    const length = this.hash.length * 2;
    for (const column of FLOATS) this[column] = grown(this[column], length);
    for (const column of INTEGERS) this[column] = grown(this[column], length);
    this.hash = grown(this.hash, length);
    this.zone.fill(-1, length / 2);
  }
}
