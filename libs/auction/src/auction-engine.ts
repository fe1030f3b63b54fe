import type { CellCapacity } from '#rivera/models';
import type { Auction, AuctionBatch, AuctionCell, AuctionResult, CellVerdict, HeldWork } from './types.js';

/**
 * Decides where work goes, on an in-memory picture of the cells that its owner keeps between batches.
 *
 * The picture is two independent ledgers: what cells say of themselves (`upsertCell`, `removeCell`) and what is held on
 * them (`reserve`, `release`). They may be updated in any order: work may be reserved on a cell not known yet, and what
 * a removed cell holds stays booked until it is released.
 *
 * An engine is a pure state machine: no I/O, no clock, no randomness. The same calls give the same answers, whatever
 * the order in which cells were told of. It keeps the objects it is given and expects them not to change.
 */
export interface AuctionEngine {
  /** Make a cell known, or replace its description. An evacuating cell is passed over and its instances not counted. */
  upsertCell(cell: AuctionCell): void;

  /** Forget a cell's description. */
  removeCell(cellId: string): void;

  /** Book what a cell holds. This states a fact, so it is never refused: a cell may end up with less than no room. */
  reserve(cellId: string, held: HeldWork): void;

  /**
   * Undo one `reserve`, given the same values.
   *
   * @throws RiveraError `internal` when the cell holds no such work.
   */
  release(cellId: string, held: HeldWork): void;

  /** What is left on a cell, proxies subtracted; undefined when the cell is not known. */
  available(cellId: string): CellCapacity | undefined;

  /**
   * Place everything that can be placed, in the order of work, and reserve each placement as starting. A placement that
   * comes to nothing is to be released, as `{ ...auction, starting: true }`.
   */
  auction(batch: AuctionBatch): AuctionResult;

  /** What `auction` would decide now. Reserves nothing. */
  plan(batch: AuctionBatch): AuctionResult;

  /** How each usable cell stands with this work now, the start limit aside. Changes nothing. */
  explain(auction: Auction): CellVerdict[];
}
