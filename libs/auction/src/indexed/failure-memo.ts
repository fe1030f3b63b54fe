import { isTaskAuction } from '../types.js';
import type { Auction, PlacementFailure } from '../types.js';
import { asksForMore } from './further-resources.js';

/** A failure that stays one until room is made, and is told in the same numbers until anything changes. */
export interface RememberedFailure {
  /** Moment of the last growth of anything when it failed. */
  growth: number;
  /** Changes of the matching cells up to then. */
  changes: number;
  why: PlacementFailure;
  error: string;
}

const LIMIT = 1_000;

/** Failures of one constraint, by what is needed. */
export class FailureMemo {
  private readonly byNeeds = new Map<string, RememberedFailure>();

  find(auction: Auction, growth: number): RememberedFailure | undefined {
    if (this.byNeeds.size === 0) return undefined;
    const failure = this.byNeeds.get(keyOf(auction));
    return failure?.growth === growth ? failure : undefined;
  }

  remember(auction: Auction, failure: RememberedFailure): void {
    if (this.byNeeds.size >= LIMIT) this.byNeeds.clear();
    this.byNeeds.set(keyOf(auction), failure);
  }

  clear(): void {
    this.byNeeds.clear();
  }
}

function keyOf(auction: Auction): string {
  const { memoryMb, diskMb, cpuMillicores, ports, devices } = auction;
  const sizes = `${isTaskAuction(auction) ? 'task' : 'lrp'}/${memoryMb}/${diskMb}`;
  return asksForMore(auction) ? `${sizes}/${JSON.stringify([cpuMillicores, ports, devices])}` : sizes;
}
