import type { PlacementFailure } from '../types.js';

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

/** Failures of one constraint by size. */
export class FailureMemo {
  private readonly bySize = new Map<string, RememberedFailure>();

  find(isTask: boolean, memoryMb: number, diskMb: number, growth: number): RememberedFailure | undefined {
    if (this.bySize.size === 0) return undefined;
    const failure = this.bySize.get(keyOf(isTask, memoryMb, diskMb));
    return failure?.growth === growth ? failure : undefined;
  }

  remember(isTask: boolean, memoryMb: number, diskMb: number, failure: RememberedFailure): void {
    if (this.bySize.size >= LIMIT) this.bySize.clear();
    this.bySize.set(keyOf(isTask, memoryMb, diskMb), failure);
  }

  clear(): void {
    this.bySize.clear();
  }
}

const keyOf = (isTask: boolean, memoryMb: number, diskMb: number): string =>
  `${isTask ? 'task' : 'lrp'}/${memoryMb}/${diskMb}`;
