import type { ActualLRPKey } from './actual-lrp.js';
import type { HeldResources } from './held-resources.js';
import type { CapacityQuestion, PlanQuestion } from './placement.js';

/** An instance the auctioneer put on a cell. `instanceGuid` makes delivering it twice harmless. */
export interface PlacedLRP extends ActualLRPKey {
  instanceGuid: string;
  resources: HeldResources;
}

export interface PlacedTask {
  taskGuid: string;
  resources: HeldResources;
}

/** What a cell's mailbox accepts. */
export interface CellMessages {
  /** Take this work, or refuse it at once. */
  place: { lrps: PlacedLRP[]; tasks: PlacedTask[] };
  /** The store wants these stopped; the truth is re-read from `GET /v1/cells/:cellId/work`. */
  stop: { instanceGuids: string[]; taskGuids: string[] };
  /** A bbs at `url` wants to talk: connect to it there. What about, it says then; after a while it waits no longer. */
  connect: { sessionId: string; url: string };
}

/** What the auctioneer's mailbox accepts. */
export interface AuctioneerMessages {
  /** Asked: where would this go? Answers `PlacementPlan`. */
  plan: PlanQuestion;
  /** Asked: why is this instance where it is, or nowhere? Answers `PlacementExplanation`. */
  explain: ActualLRPKey;
  /** Asked: how many more of this size fit? Answers `Capacity`. */
  capacity: CapacityQuestion;
  /** Asked: move instances to better cells, or say which; answers `RebalanceResult`. */
  rebalance: { dryRun: boolean; maxMoves: number };
}

/** What the converger's mailbox accepts. */
export interface ConvergerMessages {
  /** Look at the due-time index now. */
  wake: Record<string, never>;
}

/** The message names of each actor: an actor refuses to start unless it handles exactly these. */
export const CELL_MESSAGES = ['place', 'stop', 'connect'] as const satisfies readonly (keyof CellMessages)[];
export const AUCTIONEER_MESSAGES = [
  'plan',
  'explain',
  'capacity',
  'rebalance',
] as const satisfies readonly (keyof AuctioneerMessages)[];
export const CONVERGER_MESSAGES = ['wake'] as const satisfies readonly (keyof ConvergerMessages)[];
