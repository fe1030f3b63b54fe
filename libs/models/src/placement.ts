import type { ActualLRPKey, Refusal } from './actual-lrp.js';
import { DesiredLRPRequest, type DesiredLRPSchedulingInfo } from './desired-lrp.js';
import { type TaskDefinition, TaskRequest } from './task.js';
import { Optional } from './validation/rule.js';
import { IsPartList } from './validation/rules.js';

/** LRPs and tasks that are planned together, each kind. */
const MAX_PLANNED = 100;

/** Body of `POST /v1/plan`: what would be posted to have it run. */
export class PlanRequest {
  @Optional()
  @IsPartList(() => DesiredLRPRequest, { max: MAX_PLANNED })
  lrps?: DesiredLRPRequest[];

  @Optional()
  @IsPartList(() => TaskRequest, { max: MAX_PLANNED })
  tasks?: TaskRequest[];
}

/** What placement reads of a desired LRP. */
export type LRPDemand = Pick<
  DesiredLRPSchedulingInfo,
  | 'processGuid'
  | 'rootfs'
  | 'memoryMb'
  | 'diskMb'
  | 'cpuMillicores'
  | 'devices'
  | 'placementTags'
  | 'volumeDrivers'
  | 'priority'
  | 'affinity'
  | 'spread'
>;

/** What placement reads of a task. */
export interface TaskDemand {
  taskGuid: string;
  definition: Pick<
    TaskDefinition,
    | 'rootfs'
    | 'memoryMb'
    | 'diskMb'
    | 'cpuMillicores'
    | 'devices'
    | 'placementTags'
    | 'volumeMounts'
    | 'priority'
    | 'affinity'
  >;
}

/** What the auctioneer is asked to plan. */
export interface PlanQuestion {
  /** An LRP and which of its instances. */
  lrps: { demand: LRPDemand; indices: number[] }[];
  tasks: TaskDemand[];
}

/** An instance or a task. */
export type PlannedWork = ActualLRPKey | { taskGuid: string };

/** How cells stand with a piece of work, in numbers. */
export interface CandidateSummary {
  /** Cells that take work at all. */
  cells: number;
  /** Of them, cells that could take this now. */
  suitable: number;
  /** Cells by the first constraint that they do not meet. */
  mismatched: Record<string, number>;
  /** Cells that meet all constraints and are short of something, by what; a cell may be short of several things. */
  short: Record<string, number>;
  /** Cells with room that a rule of affinity or spread keeps it from, by rule. */
  barred: Record<string, number>;
}

/** Answer of `POST /v1/plan`. Nothing of it has been written, and nothing is reserved. */
export interface PlacementPlan {
  placements: (PlannedWork & { cellId: string; zone: string })[];
  unplaced: (PlannedWork & { placementError: string; candidates: CandidateSummary })[];
  /** Time of the decisions, in microseconds. */
  tookUs: number;
}

/** Cells that look alike to placement. */
export interface CandidateClass extends CandidateSummary {
  zone: string;
  pool?: string;
  /** Schemes and stacks, e.g. `preloaded:base`. */
  rootfses: string[];
  placementTags: string[];
  optionalPlacementTags: string[];
  volumeDrivers: string[];
}

/** One cell that could take a piece of work; lower scores are better, among cells with equally few instances. */
export interface Candidate {
  cellId: string;
  zone: string;
  score: number;
  /** Instances of the same app in the zone and on the cell; for a task 0, and all tasks on the cell. */
  zoneInstances: number;
  instances: number;
  /** It has refused this work before, and is tried last. */
  refused: boolean;
}

/** One cell that meets all constraints and is short of something. */
export interface NearMiss {
  cellId: string;
  zone: string;
  /** By resource, how much too little; 1 of what is not counted. */
  lacks: Record<string, number>;
}

/** A cell that does not take what it is given, and is left alone or on trial for it. */
export interface DistrustedCell {
  cellId: string;
  /** In a row. */
  refusals: number;
  /** Milliseconds since the Unix epoch; afterwards it is given one container at a time until it takes one. */
  restsUntil: number;
}

/** Answer of `GET /v1/actual-lrps/:processGuid/:index/placement`. */
export interface PlacementExplanation extends ActualLRPKey {
  /** Placed or running on this cell; absent while it waits. */
  cellId?: string;
  placementError?: string;
  refusedBy?: string[];
  refusal?: Refusal;
  /** What was decided about it last, as far as the active auctioneer remembers. */
  decision?: {
    /** Milliseconds since the Unix epoch. */
    decidedAt: number;
    /** Its share of the time of the batch it was decided in, in microseconds. */
    tookUs: number;
    cellId?: string;
    placementError?: string;
  };
  /** How cells stand now with it, or with one more like it when it has been placed. */
  candidates: CandidateSummary;
  classes: CandidateClass[];
  /** The best few, in the order in which they would be chosen. */
  best: Candidate[];
  /** The few that lack least. */
  nearestMisses: NearMiss[];
  distrusted: DistrustedCell[];
  /** Time of this look at all cells, in microseconds. */
  tookUs: number;
}

/** What is asked of `GET /v1/capacity`. */
export interface CapacityQuestion {
  memoryMb: number;
  diskMb: number;
  /** Absent: whatever cells have. */
  rootfs?: string;
  placementTags?: string[];
  volumeDrivers?: string[];
}

/** Room in one zone and pool. */
export interface ZoneCapacity {
  zone: string;
  pool?: string;
  /** Cells that take work and meet the constraints. */
  cells: number;
  /** How many more instances of the size asked for fit. */
  instances: number;
}

/** Answer of `GET /v1/capacity`. */
export interface Capacity {
  instances: number;
  zones: ZoneCapacity[];
}
