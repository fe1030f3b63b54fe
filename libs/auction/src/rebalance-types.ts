import type { RebalanceReason, SpreadRule } from '#rivera/models';
import type { AuctionCell, HeldWork, PlacementRequest } from './types.js';

/** An app and where its instances run. */
export interface RebalanceApp extends Omit<PlacementRequest, 'refusedBy'> {
  processGuid: string;
  spread?: SpreadRule[];
  instances: readonly { index: number; cellId: string }[];
  /** May be moved now: all its desired instances run, none is on its way, and a second copy may run for a moment. */
  isMovable: boolean;
}

export interface RebalanceWorld {
  cells: readonly AuctionCell[];
  apps: readonly RebalanceApp[];
  /** Everything else that cells hold: tasks, and instances that are starting or leaving. */
  others: readonly { cellId: string; held: HeldWork }[];
}

/**
 * What one point of imbalance is made of. zone: × half the square of an app's instances in a zone; locality: × half the
 * square of its instances on a cell; hole: × the share of a hole that is missing; fill: × the square of a cell's used share.
 */
export type RebalanceWeights = Record<RebalanceReason, number>;

export interface RebalanceOptions {
  /** Most moves in one plan. */
  maxMoves: number;
  /** In points for each unit of cost; a move that gains less is not worth it. */
  minGain: number;
  /** Apps with fewer instances stay where they are. */
  minInstances: number;
  /** Free memory that a zone should have in one piece on some cells; 0 = none. */
  holeMemoryMb: number;
  /** On how many cells of each zone. */
  holesPerZone: number;
  weights: RebalanceWeights;
}

export const DEFAULT_REBALANCE_OPTIONS: RebalanceOptions = {
  maxMoves: 10,
  minGain: 0.02,
  minInstances: 2,
  holeMemoryMb: 0,
  holesPerZone: 0,
  weights: { zone: 1000, locality: 100, hole: 200, fill: 100 },
};
