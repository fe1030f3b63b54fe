import { countOf, hasDevices, isEnough } from '#rivera/models';
import type { CellCapacity, DeviceCount, HeldResources } from '#rivera/models';

/** What of the cell's capacity is taken. Counted synchronously, so that two placements cannot both have the last slot. */
export class Ledger {
  private readonly held = new Map<string, HeldResources>();

  constructor(readonly capacity: CellCapacity) {}

  /** False when there is not enough of something. Reserving again what is reserved is success. */
  reserve(guid: string, wanted: HeldResources): boolean {
    if (this.held.has(guid)) return true;
    const left = this.remaining();
    if (!hasRoom(left, wanted)) return false;
    this.held.set(guid, wanted);
    return true;
  }

  /** For what runs already: it is a fact, whether there is room for it or not. */
  adopt(guid: string, held: HeldResources): void {
    this.held.set(guid, held);
  }

  release(guid: string): void {
    this.held.delete(guid);
  }

  /** Whether all of these fit, in this order, once what `ended` holds is free. */
  willFit(wanted: readonly HeldResources[], ended: ReadonlySet<string>): boolean {
    const later = new Ledger(this.capacity);
    for (const [guid, held] of this.held) if (!ended.has(guid)) later.adopt(guid, held);
    return wanted.every((resources, i) => later.reserve(`wanted ${i}`, resources));
  }

  remaining(): CellCapacity {
    const left = { ...this.capacity };
    for (const { memoryMb, diskMb, cpuMillicores = 0, ports = 0, devices = [] } of this.held.values()) {
      left.memoryMb -= memoryMb;
      left.diskMb -= diskMb;
      left.containers -= 1;
      if (left.cpuMillicores !== undefined) left.cpuMillicores -= cpuMillicores;
      if (left.ports !== undefined) left.ports -= ports;
      if (left.devices !== undefined && devices.length > 0) left.devices = without(left.devices, devices);
    }
    return left;
  }
}

function hasRoom(left: CellCapacity, wanted: HeldResources): boolean {
  return (
    wanted.memoryMb <= left.memoryMb &&
    wanted.diskMb <= left.diskMb &&
    left.containers >= 1 &&
    isEnough(left.cpuMillicores, wanted.cpuMillicores) &&
    isEnough(left.ports, wanted.ports) &&
    hasDevices(left.devices, wanted.devices)
  );
}

const without = (all: readonly DeviceCount[], taken: readonly DeviceCount[]): DeviceCount[] =>
  all.map(({ name, count }) => ({ name, count: count - countOf(taken, name) }));
