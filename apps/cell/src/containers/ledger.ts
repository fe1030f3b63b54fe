import type { CellCapacity, HeldResources } from '#rivera/models';

/** What of the cell's capacity is taken. Counted synchronously, so that two placements cannot both have the last slot. */
export class Ledger {
  private readonly held = new Map<string, HeldResources>();

  constructor(readonly capacity: CellCapacity) {}

  /** False when there is not enough of something. Reserving again what is reserved is success. */
  reserve(guid: string, wanted: HeldResources): boolean {
    if (this.held.has(guid)) return true;
    const left = this.remaining();
    if (wanted.memoryMb > left.memoryMb || wanted.diskMb > left.diskMb || left.containers < 1) return false;
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

  remaining(): CellCapacity {
    const left = { ...this.capacity };
    for (const { memoryMb, diskMb } of this.held.values()) {
      left.memoryMb -= memoryMb;
      left.diskMb -= diskMb;
      left.containers -= 1;
    }
    return left;
  }
}
