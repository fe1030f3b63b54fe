import type { Fence } from '#rivera/store';

/** The agent that reports. */
export interface Reporter {
  cellId: string;
  epoch: number;
  zone: string;
  /** When the drain of its cell is over, if an operator wants it drained; milliseconds since the Unix epoch. */
  deadline?: number;
}

/** What a cell's agent writes is written under its epoch, so that an older agent is refused. */
export function fenceOf({ cellId, epoch }: Reporter): Fence {
  return { role: `cell:${cellId}`, token: epoch };
}
