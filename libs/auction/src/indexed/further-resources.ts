import { countOf, hasDevices, isEnough } from '#rivera/models';
import type { CellCapacity, DeviceCount, HeldResources } from '#rivera/models';
import type { AuctionCell } from '../types.js';

/** Whether a container holds, or work needs, more than memory and disk. */
export const asksForMore = ({ cpuMillicores, ports, devices }: HeldResources): boolean =>
  cpuMillicores !== undefined || ports !== undefined || devices !== undefined;

/** Whether a cell limits more than memory, disk and containers. */
export const isLimitedOtherwise = ({ capacity, maxStarting }: AuctionCell): boolean =>
  [maxStarting, capacity.cpuMillicores, capacity.ports, capacity.devices].some(
    (limit) => limit !== undefined,
  );

interface Held {
  cpuMillicores: number;
  ports: number;
  devices: Map<string, number>;
}

/**
 * The resources that few cells limit and little work asks for, and so are not kept in columns: processors, ports, devices.
 * What a cell does not limit is endless; devices that it does not have it does not have.
 */
export class FurtherResources {
  /** By slot, of cells that hold any. */
  private readonly held: (Held | undefined)[] = [];

  count(slot: number, { cpuMillicores = 0, ports = 0, devices = [] }: HeldResources, step: 1 | -1): void {
    const held = (this.held[slot] ??= { cpuMillicores: 0, ports: 0, devices: new Map() });
    held.cpuMillicores += step * cpuMillicores;
    held.ports += step * ports;
    for (const { name, count } of devices) {
      held.devices.set(name, (held.devices.get(name) ?? 0) + step * count);
    }
  }

  forget(slot: number): void {
    this.held[slot] = undefined;
  }

  leftCpu(slot: number, { cpuMillicores }: CellCapacity): number {
    return cpuMillicores === undefined ? Infinity : cpuMillicores - (this.held[slot]?.cpuMillicores ?? 0);
  }

  leftPorts(slot: number, { ports }: CellCapacity): number {
    return ports === undefined ? Infinity : ports - (this.held[slot]?.ports ?? 0);
  }

  leftDevices(slot: number, { devices = [] }: CellCapacity): DeviceCount[] {
    const held = this.held[slot]?.devices;
    return devices.map(({ name, count }) => ({ name, count: count - (held?.get(name) ?? 0) }));
  }

  /** The most that is left of any one device. */
  mostDevices(slot: number, capacity: CellCapacity): number {
    const left = this.leftDevices(slot, capacity);
    return left.reduce((most, { name }) => Math.max(most, countOf(left, name)), 0);
  }

  isEnough(slot: number, capacity: CellCapacity, needed: HeldResources): boolean {
    return (
      isEnough(this.leftCpu(slot, capacity), needed.cpuMillicores) &&
      isEnough(this.leftPorts(slot, capacity), needed.ports) &&
      hasDevices(this.leftDevices(slot, capacity), needed.devices)
    );
  }

  /** What is left of those that the cell limits. */
  left(slot: number, capacity: CellCapacity): Partial<CellCapacity> {
    return {
      ...(capacity.cpuMillicores !== undefined && { cpuMillicores: this.leftCpu(slot, capacity) }),
      ...(capacity.ports !== undefined && { ports: this.leftPorts(slot, capacity) }),
      ...(capacity.devices !== undefined && { devices: this.leftDevices(slot, capacity) }),
    };
  }
}
