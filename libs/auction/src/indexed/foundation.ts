import type { AuctionCell, AuctionOptions } from '../types.js';
import type { Bucket, Preferences } from './bucket.js';
import type { CellTable } from './cell-table.js';
import { ConstraintTable } from './constraint-table.js';
import { Topology, Zones } from './topology.js';

/** Label sets that rules ask about at the same time; those used last. */
const PARTITIONS = 16;

/** The cells grouped in one way, and what work matches which of the groups. */
export interface Partition {
  topology: Topology;
  constraints: ConstraintTable;
}

/**
 * The cells that take part in auctions, grouped by zone and what they offer; and grouped finer, by labels as well, for
 * work with rules about labels. Finer partitions are made when first asked for, so that plain work does not meet them.
 */
export class Foundation {
  readonly plain: Partition;
  readonly zones: Zones;
  /** Containers starting on all cells that take part. */
  starting = 0;
  private readonly byLabels = new Map<string, Partition>();

  constructor(
    private readonly table: CellTable,
    private readonly preferences: Preferences,
    private readonly options: AuctionOptions,
  ) {
    this.zones = new Zones(table, options.binPackFirstFitWeight > 0);
    this.plain = this.partition([]);
  }

  get cells(): number {
    return this.plain.topology.cells;
  }

  bucketOf(slot: number): Bucket | undefined {
    return this.plain.topology.buckets[slot];
  }

  enter(slot: number): void {
    this.zones.enter(slot);
    for (const { topology } of this.partitions()) topology.enter(slot);
    this.starting += this.table.starting[slot]!;
  }

  leave(slot: number): void {
    this.zones.leave(slot);
    for (const { topology } of this.partitions()) topology.leave(slot);
    this.starting -= this.table.starting[slot]!;
  }

  /** What the cell holds has changed. */
  touch(slot: number): void {
    this.bucketOf(slot)?.touch(slot);
    if (this.byLabels.size > 0) {
      for (const { topology } of this.byLabels.values()) topology.buckets[slot]?.touch(slot);
    }
  }

  /** Numbers cells for bin-packing where any came or went. */
  renumber(): void {
    for (const slot of this.zones.renumber()) {
      for (const { topology } of this.partitions()) topology.buckets[slot]?.order.rearrange();
    }
  }

  /** The cells grouped by these labels too. */
  by(labels: readonly string[]): Partition {
    if (labels.length === 0) return this.plain;
    const key = JSON.stringify(labels);
    let partition = this.byLabels.get(key);
    if (partition === undefined) {
      partition = this.partition(labels);
      for (let slot = 0; slot < this.plain.topology.buckets.length; slot += 1) {
        if (this.bucketOf(slot) !== undefined) partition.topology.enter(slot);
      }
    }
    this.byLabels.delete(key);
    this.byLabels.set(key, partition);
    if (this.byLabels.size > PARTITIONS) this.byLabels.delete(this.byLabels.keys().next().value!);
    return partition;
  }

  /** Whether the cell would stand where it stands if it were described like this. */
  isUnmoved(slot: number, next: AuctionCell): boolean {
    const known = this.table.cells[slot]!;
    return (
      known === next || (standingKey(known) === standingKey(next) && !known.evacuating === !next.evacuating)
    );
  }

  private partitions(): Iterable<Partition> {
    return [this.plain, ...this.byLabels.values()];
  }

  private partition(labels: readonly string[]): Partition {
    const { strict, holes } = this.options;
    const holeMb = strict || labels.length > 0 ? 0 : holes.memoryMb;
    const topology = new Topology(this.table, { preferences: this.preferences, holeMb }, labels);
    return { topology, constraints: new ConstraintTable(topology, strict) };
  }
}

/** Everything about a cell that decisions depend on, in the order in which it may be written. */
function standingKey(cell: AuctionCell): string {
  const { zone, index = 0, proxyMemoryMb = 0, capacity, pool, maxStarting, labels = {} } = cell;
  const { memoryMb, diskMb, containers, cpuMillicores, ports, devices } = capacity;
  const offers = [cell.rootfsProviders, cell.volumeDrivers, cell.placementTags, cell.optionalPlacementTags];
  const sizes = [memoryMb, diskMb, containers, cpuMillicores, ports, devices];
  return JSON.stringify([
    zone,
    index,
    proxyMemoryMb,
    sizes,
    pool,
    maxStarting,
    Object.entries(labels),
    offers,
  ]);
}
