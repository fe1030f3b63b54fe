import type { ActualLRPKey } from './actual-lrp.js';
import { Optional } from './validation/rule.js';
import { IsFlag, IsInteger } from './validation/rules.js';

/** Moves in one go: each starts a container, and all of them together should not be felt. */
const MAX_MOVES = 1_000;

/** Body of `POST /v1/rebalance`. */
export class RebalanceRequest {
  /** Say what would be moved and move nothing. */
  @Optional()
  @IsFlag()
  dryRun?: boolean;

  /** Most instances to be moved. Absent = 10. */
  @Optional()
  @IsInteger({ min: 1, max: MAX_MOVES })
  maxMoves?: number;
}

/** What a move is good for: zones of an app, cells of an app, holes for big instances, fill of cells. */
export const REBALANCE_REASONS = ['zone', 'locality', 'hole', 'fill'] as const;
export type RebalanceReason = (typeof REBALANCE_REASONS)[number];

/** One instance to be moved, its replacement started first. */
export interface Move extends ActualLRPKey {
  /** Cell ids. */
  from: string;
  to: string;
  /** Points of imbalance that go. */
  gain: number;
  /** One for the start, and one for each GB of its memory. */
  cost: number;
  /** What most of the gain comes from. */
  reason: RebalanceReason;
}

/** How uneven a foundation is. */
export interface Imbalance {
  /** All of it in one number; only differences mean anything. */
  points: number;
  /** Largest difference, for any app, between zones that it may use in instances of that app. */
  largestZoneSkew: number;
  /** Apps for which it is above 1. */
  skewedApps: number;
  /** Apps that have more instances on one cell than they would if they were spread evenly over the cells they may use. */
  crowdedApps: number;
  /** Population standard deviation of the used shares of all cells. */
  fillDeviation: number;
  /** Holes that zones should have and have not, in holes. */
  missingHoles: number;
}

export interface RebalancePlan {
  moves: Move[];
  before: Imbalance;
  /** When all moves are done. */
  after: Imbalance;
}

/** The answer to `POST /v1/rebalance`. */
export interface RebalanceResult extends RebalancePlan {
  dryRun: boolean;
  /** Moves that are under way now; the others came too late, because something of their app changed meanwhile. */
  started: ActualLRPKey[];
}
