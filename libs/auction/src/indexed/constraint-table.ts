import { firstMismatch, parseRootfs } from '../constraints.js';
import type { RootfsUrl } from '../constraints.js';
import { isLabelConstraint } from '../rules.js';
import { MISMATCHES } from '../types.js';
import type { Mismatch, PlacementFailure, PlacementRequest } from '../types.js';
import type { Bucket } from './bucket.js';
import { FailureMemo } from './failure-memo.js';
import type { Topology } from './topology.js';

/** The buckets of one zone that match. */
export interface MatchingZone {
  zone: number;
  buckets: Bucket[];
}

/** What work asks for, sizes aside, and which cells match it. */
export class Constraint {
  zones: MatchingZone[] = [];
  buckets: Bucket[] = [];
  /** Cells by the first constraint they fail. */
  mismatched: PlacementFailure['mismatched'] = noMismatches();
  readonly failures = new FailureMemo();
  private readonly matching = new Set<number>();
  private readonly rootfs: RootfsUrl | undefined;
  private version = -1;

  constructor(
    readonly request: PlacementRequest,
    private readonly strict: boolean,
  ) {
    this.rootfs = parseRootfs(request.rootfs);
  }

  isMatching(bucket: Bucket): boolean {
    return this.matching.has(bucket.offerClass);
  }

  /** Grows with every change to a matching cell. */
  get changes(): number {
    let sum = 0;
    for (const bucket of this.buckets) sum += bucket.changes;
    return sum;
  }

  /** The furthest any cell gets, when none matches. */
  get reason(): Mismatch | undefined {
    if (this.buckets.length > 0) return undefined;
    return MISMATCHES.findLast((mismatch) => this.mismatched[mismatch]);
  }

  refresh(topology: Topology): void {
    if (this.version === topology.version) return;
    this.version = topology.version;
    this.matching.clear();
    this.buckets = [];
    this.mismatched = noMismatches();
    this.failures.clear();
    const zones = new Map<number, MatchingZone>();
    for (const { id, example, buckets, cells } of topology.classes.values()) {
      const mismatch = firstMismatch(example, this.request, this.rootfs, this.strict);
      if (mismatch !== undefined) {
        this.mismatched[mismatch] = (this.mismatched[mismatch] ?? 0) + cells;
        continue;
      }
      this.matching.add(id);
      for (const [zone, bucket] of buckets) {
        this.buckets.push(bucket);
        const matching = zones.get(zone) ?? { zone, buckets: [] };
        matching.buckets.push(bucket);
        zones.set(zone, matching);
      }
    }
    this.zones = [...zones.values()];
  }
}

const noMismatches = (): PlacementFailure['mismatched'] => ({
  rootfs: 0,
  'volume-drivers': 0,
  'placement-tags': 0,
});

/** More than a foundation has stacks and tag sets; with an image URL for each app it begins again now and then. */
const LIMIT = 10_000;

/** Constraints that were met before, so that what a request matches is worked out once. */
export class ConstraintTable {
  private readonly byRootfs = new Map<string, Constraint>();
  private readonly byAll = new Map<string, Constraint>();

  constructor(
    private readonly topology: Topology,
    private readonly strict: boolean,
  ) {}

  of({ rootfs, placementTags = [], volumeDrivers = [], affinity = [] }: PlacementRequest): Constraint {
    const labels = this.strict ? [] : affinity.filter(isLabelConstraint);
    const isPlain = placementTags.length === 0 && volumeDrivers.length === 0 && labels.length === 0;
    const constraints = isPlain ? this.byRootfs : this.byAll;
    // Tags in the order given, because the placement error names them in that order.
    const key = isPlain ? rootfs : JSON.stringify([rootfs, placementTags, volumeDrivers, labels]);
    let constraint = constraints.get(key);
    if (constraint === undefined) {
      if (constraints.size >= LIMIT) constraints.clear();
      const request = { rootfs, placementTags, volumeDrivers, affinity: labels, memoryMb: 0, diskMb: 0 };
      constraint = new Constraint(request, this.strict);
      constraints.set(key, constraint);
    }
    constraint.refresh(this.topology);
    return constraint;
  }
}
