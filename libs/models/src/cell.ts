import type { ModificationTag } from './modification-tag.js';

export class CellCapacity {
  memoryMb: number;
  diskMb: number;
  containers: number;
}

/**
 * Which root filesystems of one URL scheme a cell can run (Diego rep, RootFSProviders). No `stacks`: everything of the
 * scheme; otherwise only the listed ones.
 */
export class RootfsProvider {
  scheme: string;
  stacks?: string[];
}

/** What a cell says of itself when it starts and each time it renews its presence (Diego, CellPresence). */
export class CellRegistration {
  zone: string;
  /** Where the ports of its containers are reached. */
  address: string;
  backend: string;
  capacity: CellCapacity;
  rootfsProviders: RootfsProvider[];
  placementTags?: string[];
  optionalPlacementTags?: string[];
  volumeDrivers?: string[];
  /** Takes no new work while true (it is leaving). */
  evacuating?: boolean;
}

export const CELL_STATES = ['PRESENT', 'MISSING'] as const;
export type CellState = (typeof CELL_STATES)[number];

/** A worker host as the store knows it. MISSING: its presence ran out and it has not been heard of since. */
export interface Cell extends CellRegistration {
  cellId: string;
  state: CellState;
  /** Milliseconds since the Unix epoch of the last change of `state`. */
  since: number;
  /** Grows with each start of the agent; reports of an older start are refused. */
  epoch: number;
  modificationTag: ModificationTag;
}

/** A client's promise that its desired list is complete for `ttl` (Diego BBS, freshness). */
export interface Domain {
  domain: string;
  /** Milliseconds since the Unix epoch; absent = for ever. */
  expiresAt?: number;
  modificationTag: ModificationTag;
}
