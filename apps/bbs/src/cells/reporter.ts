import type { WriteOptions } from '#rivera/store';

/** The agent that reports. */
export interface Reporter {
  cellId: string;
  /** Absent: nothing says which start of the agent this is, and what an older one says is not refused. */
  epoch?: number;
  zone: string;
  /** Of the request that the report came in. */
  traceId?: string;
  /** When the drain of its cell is over, if an operator wants it drained; milliseconds since the Unix epoch. */
  deadline?: number;
}

/** What a cell's agent writes is written under its epoch, so that an older agent is refused. */
export function writeOptionsOf({ cellId, epoch, traceId }: Reporter): WriteOptions {
  return { traceId, fence: epoch === undefined ? undefined : { role: `cell:${cellId}`, token: epoch } };
}
