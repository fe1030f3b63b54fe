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
  cpuMillicores = 0;
  ports = 0;
  /** By name. */
  readonly devices = new Map<string, number>();
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
    const { cpuMillicores, ports, devices } = cell.capacity;
    return {
      memoryMb: cell.capacity.memoryMb - this.memoryMb - proxies * (cell.proxyMemoryMb ?? 0),
      diskMb: cell.capacity.diskMb - this.diskMb,
      containers: cell.capacity.containers - this.containers,
      ...(cpuMillicores !== undefined && { cpuMillicores: cpuMillicores - this.cpuMillicores }),
      ...(ports !== undefined && { ports: ports - this.ports }),
      ...(devices !== undefined && {
        devices: devices.map(({ name, count }) => ({ name, count: count - (this.devices.get(name) ?? 0) })),
      }),
    };
  }

  private count(held: HeldWork, step: 1 | -1): void {
    this.memoryMb += step * held.memoryMb;
    this.diskMb += step * held.diskMb;
    this.containers += step;
    this.cpuMillicores += step * (held.cpuMillicores ?? 0);
    this.ports += step * (held.ports ?? 0);
    for (const { name, count } of held.devices ?? []) {
      this.devices.set(name, (this.devices.get(name) ?? 0) + step * count);
    }
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
