import type { HeldResources } from './held-resources.js';
import type { ModificationTag } from './modification-tag.js';
import type { ActualLRPNetInfo } from './net-info.js';

export const ACTUAL_LRP_STATES = ['UNCLAIMED', 'CLAIMED', 'RUNNING', 'CRASHED'] as const;
export type ActualLRPState = (typeof ACTUAL_LRP_STATES)[number];

/** An index may hold one record of each presence at the same time. */
export const PRESENCES = ['ORDINARY', 'EVACUATING', 'SUSPECT'] as const;
export type Presence = (typeof PRESENCES)[number];

/** One instance slot. */
export interface ActualLRPKey {
  processGuid: string;
  index: number;
}

/** One run of an instance on one cell. */
export interface ActualLRPInstanceKey {
  instanceGuid: string;
  cellId: string;
}

/** The auctioneer's decision for an UNCLAIMED instance; void once claimed, refused or past its deadline. */
export interface Placement extends ActualLRPInstanceKey {
  /** Milliseconds since the Unix epoch. */
  deadline: number;
}

/** A name under which other instances find this one (Diego BBS, ActualLRPInternalRoute). */
export interface InternalRoute {
  hostname: string;
}

/** A cell did not take what it was given. */
export interface Refusal {
  cellId: string;
  reason: string;
  /** Milliseconds since the Unix epoch. */
  since: number;
}

/** One instance record (Diego BBS, ActualLRP). UNCLAIMED and CRASHED records hold no instance key and no net info. */
export interface ActualLRP extends ActualLRPKey {
  domain: string;
  state: ActualLRPState;
  presence: Presence;
  /** Milliseconds since the Unix epoch of the last state change. */
  since: number;
  modificationTag: ModificationTag;
  crashCount: number;
  crashReason?: string;
  /** When a CRASHED instance will be started again, in milliseconds since the Unix epoch; absent = never by itself. */
  restartAt?: number;
  instanceGuid?: string;
  cellId?: string;
  /** The run before, that ended or was lost: its cell may still have its log. */
  lastRun?: ActualLRPInstanceKey;
  placement?: Placement;
  placementError?: string;
  /** Cells that refused this instance since it became UNCLAIMED; the auctioneer tries them last. */
  refusedBy?: string[];
  /** The first of those refusals: later ones may only follow from it. */
  refusal?: Refusal;
  /** Its cell has been asked to stop it; the record goes (or starts anew) when the cell reports it stopped. */
  stopping?: boolean;
  /** When an EVACUATING record goes at the latest, whether or not its replacement runs; milliseconds since the Unix epoch. */
  expiresAt?: number;
  /**
   * On an EVACUATING record whose cell does not leave: it moves to a better cell, and if its replacement does not run in time
   * it is ORDINARY again instead of going.
   */
  moving?: boolean;
  resources: HeldResources;
  netInfo?: ActualLRPNetInfo;
  routable?: boolean;
  availabilityZone?: string;
  /** The metric tags of its desired LRP with this instance's values filled in; only while RUNNING. */
  metricTags?: Record<string, string>;
  /** The internal routes of its desired LRP; only while RUNNING. */
  internalRoutes?: InternalRoute[];
}
