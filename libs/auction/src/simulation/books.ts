import type { HeldResources } from '#rivera/models';
import type { Auction, AuctionCell } from '../types.js';

/** One cell and what is on it, without proxies. */
export interface SimulatedCell extends HeldResources {
  cell: AuctionCell;
  containers: number;
  /** Containers that the auction placed, as opposed to those that ran from the start, and their memory. */
  placed: number;
  placedMemoryMb: number;
}

export interface SimulatedWork {
  auction: Auction;
  /** Absent while it is on no cell. */
  cellId?: string;
  isStarting: boolean;
  /** Ran before anything was decided. */
  ranAtFirst: boolean;
}

export interface SimulationBooks {
  cells: SimulatedCell[];
  work: Iterable<SimulatedWork>;
}
