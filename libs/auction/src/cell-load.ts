import type { CellCapacity } from '#rivera/models';
import { RiveraError } from '#rivera/models';
import type { AuctionCell, HeldWork } from './types.js';

/** What is held on one cell, in sums. Proxies are not in `memoryMb`: they follow from the number of instances. */
export class CellLoad {
  memoryMb = 0;
  diskMb = 0;
  containers = 0;
  starting = 0;
  tasks = 0;
  private readonly instances = new Map<string, number>();

  instancesOf(processGuid: string): number {
    return this.instances.get(processGuid) ?? 0;
  }

  add(held: HeldWork): void {
    this.count(held, 1);
  }

  /** @throws RiveraError `internal` when nothing like it is held. */
  remove(held: HeldWork): void {
    const alike = held.processGuid === undefined ? this.tasks : this.instancesOf(held.processGuid);
    if (alike === 0 || (held.starting && this.starting === 0)) {
      throw nothingLike(held);
    }
    this.count(held, -1);
  }

  /** What is left of the cell's capacity, its proxies subtracted except for `proxyFree` instances; may be negative. */
  leftOn(cell: AuctionCell, proxyFree = 0): CellCapacity {
    const proxies = this.containers - this.tasks - proxyFree;
    return {
      memoryMb: cell.capacity.memoryMb - this.memoryMb - proxies * (cell.proxyMemoryMb ?? 0),
      diskMb: cell.capacity.diskMb - this.diskMb,
      containers: cell.capacity.containers - this.containers,
    };
  }

  private count(held: HeldWork, step: 1 | -1): void {
    this.memoryMb += step * held.memoryMb;
    this.diskMb += step * held.diskMb;
    this.containers += step;
    if (held.starting) this.starting += step;
    if (held.processGuid === undefined) {
      this.tasks += step;
      return;
    }
    const instances = this.instancesOf(held.processGuid) + step;
    if (instances === 0) this.instances.delete(held.processGuid);
    else this.instances.set(held.processGuid, instances);
  }
}

export function nothingLike(held: HeldWork): RiveraError {
  return new RiveraError(
    'internal',
    `Nothing like ${JSON.stringify(held)} is held here. Release only what was reserved before, with the same values.`,
  );
}
