import type { ActualLRPKey, HeldResources } from './actual-lrp.js';

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
  /** There may be unplaced work, or room for it. */
  wake: Record<string, never>;
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
  'wake',
  'rebalance',
] as const satisfies readonly (keyof AuctioneerMessages)[];
export const CONVERGER_MESSAGES = ['wake'] as const satisfies readonly (keyof ConvergerMessages)[];
