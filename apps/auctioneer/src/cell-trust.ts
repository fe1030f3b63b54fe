/** How a cell that refuses stands. */
export interface Distrust {
  /** In a row, without taking anything in between. */
  refusals: number;
  /** How often it has been left alone. */
  rests: number;
  /** Milliseconds since the Unix epoch; it is left alone until then, and afterwards on trial. */
  restsUntil?: number;
}

/** A refusal or two may come from a picture that is a moment behind. */
const REFUSALS_BEFORE_REST = 3;
const FIRST_REST_MS = 1_000;
const LONGEST_REST_MS = 60_000;

/**
 * Remembers which cells do not take what they are given: because they refuse, or because they let its deadline pass.
 * After three refusals in a row a cell is left alone, for longer each time; then it is on trial: one container at a time
 * until it takes one. All other cells are trusted and take no memory.
 */
export class CellTrust {
  private readonly byCell = new Map<string, Distrust>();

  get(cellId: string): Readonly<Distrust> | undefined {
    return this.byCell.get(cellId);
  }

  /** True when it begins to rest. What it refuses while it rests had been given to it before. */
  refused(cellId: string, now: number): boolean {
    const distrust = this.byCell.get(cellId) ?? { refusals: 0, rests: 0 };
    this.byCell.set(cellId, distrust);
    distrust.refusals += 1;
    const isOnTrial = distrust.restsUntil !== undefined && distrust.restsUntil <= now;
    if (this.isResting(cellId, now)) return false;
    if (!isOnTrial && distrust.refusals < REFUSALS_BEFORE_REST) return false;
    distrust.restsUntil = now + Math.min(FIRST_REST_MS * 2 ** distrust.rests, LONGEST_REST_MS);
    distrust.rests += 1;
    return true;
  }

  /** It took something, or is another agent now: trusted again. True when it was not before. */
  restore(cellId: string): boolean {
    const wasLimited = this.byCell.get(cellId)?.restsUntil !== undefined;
    this.byCell.delete(cellId);
    return wasLimited;
  }

  isResting(cellId: string, now: number): boolean {
    return (this.byCell.get(cellId)?.restsUntil ?? 0) > now;
  }

  isOnTrial(cellId: string, now: number): boolean {
    return this.byCell.get(cellId)?.restsUntil !== undefined && !this.isResting(cellId, now);
  }

  /** Cells whose rest ended after `since`, up to now. */
  restedSince(since: number, now: number): string[] {
    return [...this.byCell]
      .filter(([, { restsUntil = 0 }]) => restsUntil > since && restsUntil <= now)
      .map(([cellId]) => cellId);
  }

  /** When the next rest ends. */
  nextEnd(now: number): number | undefined {
    const ends = [...this.byCell.values()].flatMap(({ restsUntil = 0 }) =>
      restsUntil > now ? [restsUntil] : [],
    );
    return ends.length === 0 ? undefined : Math.min(...ends);
  }

  /** Cells that rest or are on trial. */
  get distrusted(): [string, Readonly<Distrust>][] {
    return [...this.byCell].filter(([, { restsUntil }]) => restsUntil !== undefined);
  }
}
