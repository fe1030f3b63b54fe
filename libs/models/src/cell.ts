import type { ModificationTag } from './modification-tag.js';
import { DeviceCount } from './placement-rules.js';

import { text } from './validation/checks.js';
import { LIMITS } from './validation/limits.js';
import { Optional, propertyRule } from './validation/rule.js';
import { IsFlag, IsInteger, IsName, IsNameList, IsPart, IsPartList, IsTextMap } from './validation/rules.js';

export class CellCapacity {
  @IsInteger({ min: 0 })
  memoryMb: number;

  @IsInteger({ min: 0 })
  diskMb: number;

  @IsInteger({ min: 0 })
  containers: number;

  /** Thousandths of a processor; absent = not counted. */
  @Optional()
  @IsInteger({ min: 0 })
  cpuMillicores?: number;

  /** Ports of the cell's address that containers can be given; absent = not counted. */
  @Optional()
  @IsInteger({ min: 0 })
  ports?: number;

  @Optional()
  @IsPartList(() => DeviceCount, { max: LIMITS.devices })
  devices?: DeviceCount[];
}

const scheme = text({
  min: 1,
  max: LIMITS.nameBytes,
  pattern: /^[a-zA-Z][a-zA-Z0-9+.-]*$/,
  patternInWords: 'be the scheme of a URL, without the colon',
});

/**
 * Which root filesystems of one URL scheme a cell can run (Diego rep, RootFSProviders). No `stacks`: everything of the
 * scheme; otherwise only the listed ones.
 */
export class RootfsProvider {
  @propertyRule('isScheme', scheme)
  scheme: string;

  @Optional()
  @IsNameList({ max: LIMITS.stacks })
  stacks?: string[];
}

/** What a cell says of itself when it starts and each time it renews its presence (Diego, CellPresence). */
export class CellRegistration {
  @IsName()
  zone: string;

  /** Where the ports of its containers are reached. */
  @IsName()
  address: string;

  @IsName()
  backend: string;

  @IsPart(() => CellCapacity)
  capacity: CellCapacity;

  @IsPartList(() => RootfsProvider, { max: LIMITS.rootfsProviders })
  rootfsProviders: RootfsProvider[];

  @Optional()
  @IsNameList({ max: LIMITS.placementTags })
  placementTags?: string[];

  @Optional()
  @IsNameList({ max: LIMITS.placementTags })
  optionalPlacementTags?: string[];

  @Optional()
  @IsNameList({ max: LIMITS.volumeDrivers })
  volumeDrivers?: string[];

  /** What else is to be known of it: rack, kind of disk, … */
  @Optional()
  @IsTextMap({ max: LIMITS.nameBytes }, { max: LIMITS.cellLabels })
  labels?: Record<string, string>;

  /** Cells of a pool may be filled by a policy of their own; see docs/placement.md. */
  @Optional()
  @IsName()
  pool?: string;

  /** No more containers than this start on it at the same time; absent = no limit. */
  @Optional()
  @IsInteger({ min: 1 })
  maxStarting?: number;

  /** Takes no new work while true (it is leaving). */
  @Optional()
  @IsFlag()
  evacuating?: boolean;
}

export const CELL_STATES = ['PRESENT', 'MISSING'] as const;
export type CellState = (typeof CELL_STATES)[number];

/** An operator moves the work off a cell. Both in milliseconds since the Unix epoch. */
export interface CellDrain {
  since: number;
  /** What is left on the cell then is stopped. */
  deadline: number;
}

/** A worker host as the store knows it. MISSING: its presence ran out and it has not been heard of since. */
export interface Cell extends CellRegistration {
  cellId: string;
  state: CellState;
  /** Milliseconds since the Unix epoch of the last change of `state`. */
  since: number;
  /** Grows with each start of the agent; reports of an older start are refused. */
  epoch: number;
  /** An operator wants it to take no new work. */
  cordoned?: boolean;
  /** An operator wants its work moved off it; a cell that drains is cordoned, too. */
  drain?: CellDrain;
  /**
   * It went MISSING together with too many others: its work is not replaced until the cell is back, is forgotten, or an
   * operator says so.
   */
  replacementHeld?: boolean;
  modificationTag: ModificationTag;
}

/** How much the store says a cell has; EVACUATING and SUSPECT instances are counted by themselves. */
export interface CellCensus {
  placed: number;
  claimed: number;
  running: number;
  evacuating: number;
  suspect: number;
  tasks: number;
}

/** A cell with what it holds: `GET /v1/cells/:cellId`. */
export interface CellDetail extends Cell {
  work: CellCensus;
}

/** A client's promise that its desired list is complete for `ttl` (Diego BBS, freshness). */
export interface Domain {
  domain: string;
  /** Milliseconds since the Unix epoch; absent = for ever. */
  expiresAt?: number;
  modificationTag: ModificationTag;
}
