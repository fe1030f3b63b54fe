import type { AffinityRule, CellRegistration, HeldResources, SpreadRule } from '#rivera/models';

/** What placement needs to know of a cell. A `Cell` record of the store fits as it is. */
export interface AuctionCell extends Pick<
  CellRegistration,
  | 'zone'
  | 'capacity'
  | 'rootfsProviders'
  | 'placementTags'
  | 'optionalPlacementTags'
  | 'volumeDrivers'
  | 'evacuating'
  | 'labels'
  | 'pool'
  | 'maxStarting'
> {
  cellId: string;
  /** Position for bin-packing; cells are renumbered 0…n−1 within their zone, equal positions by cell id. */
  index?: number;
  /** Memory the cell adds to every LRP instance for its proxy. Absent = 0. */
  proxyMemoryMb?: number;
}

/**
 * What one container holds on a cell, without the proxy's memory. To say that a container has started, release it as
 * starting and reserve it as not starting.
 */
export interface HeldWork extends HeldResources {
  /** The app of an LRP instance; absent for a task. */
  processGuid?: string;
  /** Placed, claimed or being created, but not running yet. */
  starting?: boolean;
}

/** What an instance or a task asks of its cell. */
export interface PlacementRequest extends HeldResources {
  rootfs: string;
  placementTags?: string[];
  volumeDrivers?: string[];
  /** Cells that refused it; tried only when no other cell has room. */
  refusedBy?: string[];
  /** Cells on which its app has failed lately; treated like those that refused. */
  failedOn?: string[];
  /** Higher ones are decided first; absent = 0. Strict mode knows no priorities, and none of what follows. */
  priority?: number;
  affinity?: AffinityRule[];
}

export interface LRPAuction extends PlacementRequest {
  processGuid: string;
  index: number;
  spread?: SpreadRule[];
}

export interface TaskAuction extends PlacementRequest {
  taskGuid: string;
}

export type Auction = LRPAuction | TaskAuction;

export function isTaskAuction(auction: Auction): auction is TaskAuction {
  return 'taskGuid' in auction;
}

/** The identity of a piece of work: `<process guid>.<index>` or the task guid (Diego auctioneer, batch). */
export function workId(auction: Auction): string {
  return isTaskAuction(auction) ? auction.taskGuid : `${auction.processGuid}.${auction.index}`;
}

export interface AuctionBatch {
  lrps: readonly LRPAuction[];
  tasks: readonly TaskAuction[];
}

/** How the cells of a pool are filled: evenly, or the fullest first from some fill on. */
export interface PoolPolicy {
  /** 0 = pack always; 70 = spread until a cell is 70 % full, then pack. */
  packFromPercent: number;
}

/** Room that is kept for large instances. */
export interface HolePolicy {
  /** A cell with this much memory free is a hole, and work of less than half of it is small; 0 = keep none. */
  memoryMb: number;
  /** Small work stays away from holes while its bucket (zone and what the cells offer) has no more than this. */
  count: number;
}

export interface AuctionOptions {
  /** Score added per container starting on a cell. */
  startingContainerWeight: number;
  /** Score added per position of a cell in its zone; 0 = no bin-packing. */
  binPackFirstFitWeight: number;
  /** No more work is placed while this many containers are starting on all cells together; 0 or less = no limit. */
  startingContainerCountMaximum: number;
  /** Decide as Diego does, accidents included (docs/placement.md lists them). */
  strict: boolean;
  /** By name of the pool; cells of any other pool, and of none, are filled evenly. */
  pools: Record<string, PoolPolicy>;
  holes: HolePolicy;
}

/** Diego's values (auctioneer, configuration). */
export const DEFAULT_AUCTION_OPTIONS: AuctionOptions = {
  startingContainerWeight: 0.25,
  binPackFirstFitWeight: 0,
  startingContainerCountMaximum: 0,
  strict: false,
  pools: {},
  holes: { memoryMb: 0, count: 0 },
};

/** In the order in which they are checked: a cell counts as failing only the first one it fails. */
export const MISMATCHES = ['rootfs', 'volume-drivers', 'placement-tags', 'labels'] as const;
export type Mismatch = (typeof MISMATCHES)[number];

/** Alphabetical, which is the order of the placement error. `starts`: as many containers start as the cell allows. */
export const RESOURCES = ['containers', 'cpu', 'devices', 'disk', 'memory', 'ports', 'starts'] as const;
export type Resource = (typeof RESOURCES)[number];

/** What may keep work from a cell that matches and has room. */
export const BARS = ['affinity', 'spread'] as const;
export type Bar = (typeof BARS)[number];

/**
 * How one cell stands with one piece of work. The winner is the cell with a score whose (`refused`,
 * `violations`, `zoneInstances`, `spreadInstances`, `instances`, `score`, `tieRank`, `cellId`) comes first; in strict mode `refused` is never set and `instances` counts
 * only within the score.
 */
export interface CellVerdict {
  cellId: string;
  zone: string;
  mismatch?: Mismatch;
  /** What a matching cell has too little of. */
  short: Resource[];
  refused: boolean;
  /** The rule that keeps the work from a matching cell with room. */
  barred?: Bar;
  /** Rules of PREFER and AVOID that the cell does not keep; absent when the work has no rules. */
  violations?: number;
  /** Instances of the same app where the cell belongs, by spread rule; absent when the work has no rules. */
  spreadInstances?: number[];
  /** The score holds a penalty because the cell is a hole kept for larger work. */
  isKept?: true;
  /** Instances of the same app in the cell's zone; 0 for a task. */
  zoneInstances: number;
  /** Instances of the same app on the cell; for a task, all tasks on the cell. */
  instances: number;
  /** In billionths, lower is better; absent when the cell cannot take the work. */
  score?: number;
  /** Decides between equals; unsigned 32 bits. */
  tieRank: number;
}

/** Why nothing could take a piece of work, counted over all usable cells. */
export interface PlacementFailure {
  reason: Mismatch | Bar | 'resources' | 'no-cells' | 'start-limit';
  /** Cells looked at; 0 when the start limit was reached, because then none is. */
  cells: number;
  /** Cells by the first constraint they fail. */
  mismatched: Record<'rootfs' | 'volume-drivers' | 'placement-tags', number> &
    Partial<Record<Mismatch, number>>;
  /** Matching cells without room. */
  full: number;
  /** The same cells by what they are short of; a cell may be short of several. */
  short: Record<'containers' | 'disk' | 'memory', number> & Partial<Record<Resource, number>>;
  /** Matching cells with room that a rule keeps the work from. */
  barred?: Partial<Record<Bar, number>>;
}

export interface PlacedAuction {
  auction: Auction;
  cellId: string;
}

export interface FailedAuction {
  auction: Auction;
  /** The placement error, in Diego's exact words. */
  error: string;
  why: PlacementFailure;
}

/** Everything submitted is in exactly one list, each in the order of decision, as the very object that was submitted. */
export interface AuctionResult {
  placements: PlacedAuction[];
  failures: FailedAuction[];
}
