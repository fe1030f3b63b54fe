/** Apps remembered at most; the one that failed longest ago is forgotten first. */
const APPS = 10_000;

/**
 * On which cells an app has lately failed, so that they are tried last for it: a cell with a fault of its own does not get
 * the same app back at once. Keeps nothing when it forgets after 0 ms.
 */
export class FailureMemory {
  /** Process guid → cell → when it failed there last, in milliseconds since the Unix epoch; by the latest failure. */
  private readonly byApp = new Map<string, Map<string, number>>();

  constructor(private readonly forgetAfterMs: number) {}

  /** An instance crashed on the cell, or was refused by it. */
  note(processGuid: string, cellId: string, now: number): void {
    if (this.forgetAfterMs <= 0) return;
    const cells = this.byApp.get(processGuid) ?? new Map<string, number>();
    cells.set(cellId, now);
    this.byApp.delete(processGuid);
    this.byApp.set(processGuid, cells);
    if (this.byApp.size > APPS) this.byApp.delete(this.byApp.keys().next().value!);
  }

  cellsThatFailed(processGuid: string, now: number): string[] {
    const cells = this.byApp.get(processGuid);
    if (cells === undefined) return [];
    for (const [cellId, since] of cells) if (since + this.forgetAfterMs <= now) cells.delete(cellId);
    if (cells.size === 0) this.byApp.delete(processGuid);
    return [...cells.keys()];
  }
}
