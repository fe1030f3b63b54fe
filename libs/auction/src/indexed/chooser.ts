import { workHash } from '../tie-break.js';
import { isTaskAuction } from '../types.js';
import type { Auction, LRPAuction } from '../types.js';
import { NO_APP } from './cell-table.js';
import type { CellTable } from './cell-table.js';
import type { Constraint, MatchingZone } from './constraint-table.js';
import type { Gang, Gangs } from './gang.js';
import type { ScoreTree } from './score-tree.js';
import { Search } from './search.js';
import type { Topology } from './topology.js';

/** Finds the cell for one piece of work: zones before scores, cells that refused it last. */
export class Chooser {
  private readonly search: Search;
  /** Instances of the app by zone, of the LRP that is being placed. */
  private zoneInstances = new Int32Array(16);
  private readonly countedZones: number[] = [];
  /** Cells that refused what is being placed. */
  private readonly refused: number[] = [];
  private readonly trees: ScoreTree[] = [];

  /** @param alikeWeight what an instance of the app adds to a score; 0 when instances go before the score. */
  constructor(
    private readonly table: CellTable,
    private readonly topology: Topology,
    private readonly gangs: Gangs,
    private readonly alikeWeight: number,
    private readonly isRefusalRemembered: boolean,
  ) {
    this.search = new Search(table);
  }

  /** The slot of the cell that takes the work; −1 when none has room. */
  choose(auction: Auction, constraint: Constraint): number {
    const isTask = isTaskAuction(auction);
    this.search.begin(auction, isTask, workHash(auction));
    this.noteRefusals(auction, constraint);
    return isTask ? this.forTask(constraint) : this.forLRP(auction, constraint);
  }

  private forTask(constraint: Constraint): number {
    const { search, trees, table } = this;
    trees.length = 0;
    for (const bucket of constraint.buckets) trees.push(bucket.tasks);
    search.inTrees(trees);
    if (search.slot < 0) for (const slot of this.refused) this.consider(slot, table.tasks[slot]!, true);
    return search.slot;
  }

  private forLRP({ processGuid }: LRPAuction, constraint: Constraint): number {
    const app = this.table.instances.idOf(processGuid);
    const gang = this.gangs.find(app);
    const zoneInstances = gang?.zoneInstances ?? this.countInstances(app);
    const { search } = this;
    let level = nextLevel(constraint.zones, zoneInstances, 0);
    while (level < Infinity && search.slot < 0) {
      this.searchZones(constraint, zoneInstances, level, gang);
      if (gang === undefined) this.considerOwnCells(app, constraint, zoneInstances, level);
      level = nextLevel(constraint.zones, zoneInstances, level + 1);
    }
    if (gang === undefined) this.gangs.addLooks(app, this.table.instances.cellsOf(app) + search.wasted);
    if (search.slot < 0 && this.refused.length > 0) this.considerRefused(app, zoneInstances);
    return search.slot;
  }

  /** Counts the app's instances by zone and has the search pass over its cells. */
  private countInstances(app: number): Int32Array {
    const { table, search, topology } = this;
    if (this.zoneInstances.length < topology.zoneCount) {
      this.zoneInstances = new Int32Array(topology.zoneCount * 2);
    }
    for (const zone of this.countedZones) this.zoneInstances[zone] = 0;
    this.countedZones.length = 0;
    const { instances } = table;
    for (let pair = instances.firstOf(app); pair >= 0; pair = instances.next(pair)) {
      const slot = instances.slotOf(pair);
      const zone = table.zone[slot]!;
      if (zone < 0) continue;
      if (this.zoneInstances[zone] === 0) this.countedZones.push(zone);
      this.zoneInstances[zone]! += instances.countOf(pair);
      search.passOver(slot);
    }
    return this.zoneInstances;
  }

  /** Cells without an instance of the app; for a gang, all cells. */
  private searchZones(
    constraint: Constraint,
    zoneInstances: Int32Array,
    level: number,
    gang: Gang | undefined,
  ): void {
    const { trees } = this;
    trees.length = 0;
    for (const { zone, buckets } of constraint.zones) {
      if (zoneInstances[zone] !== level) continue;
      for (const bucket of buckets) trees.push(gang === undefined ? bucket.lrps : gang.treeOf(bucket));
    }
    this.search.inTrees(trees);
  }

  /** Cells with instances of the app: only when there are no others, unless instances merely add to the score. */
  private considerOwnCells(
    app: number,
    constraint: Constraint,
    zoneInstances: Int32Array,
    level: number,
  ): void {
    if (app === NO_APP || (this.search.slot >= 0 && this.alikeWeight === 0)) return;
    const { instances, zone } = this.table;
    for (let pair = instances.firstOf(app); pair >= 0; pair = instances.next(pair)) {
      const slot = instances.slotOf(pair);
      const bucket = this.topology.buckets[slot];
      if (bucket === undefined || zoneInstances[zone[slot]!] !== level || !constraint.isMatching(bucket))
        continue;
      if (!this.refused.includes(slot)) this.consider(slot, instances.countOf(pair), false);
    }
  }

  /** Those in the zones with the fewest instances first. */
  private considerRefused(app: number, zoneInstances: Int32Array): void {
    const { table, search } = this;
    const consider = (slot: number) => this.consider(slot, table.instances.instancesOn(app, slot), false);
    let fewest = Infinity;
    for (const slot of this.refused) {
      search.reset();
      consider(slot);
      if (search.slot >= 0) fewest = Math.min(fewest, zoneInstances[table.zone[slot]!]!);
    }
    search.reset();
    for (const slot of this.refused) if (zoneInstances[table.zone[slot]!] === fewest) consider(slot);
  }

  private consider(slot: number, alike: number, isTask: boolean): void {
    if (this.table.isWithoutCapacity(slot)) return;
    const ownScore = this.table.ownScore(slot, isTask) + alike * this.alikeWeight;
    this.search.atCell(slot, this.alikeWeight === 0 ? alike : 0, ownScore);
  }

  private noteRefusals({ refusedBy }: Auction, constraint: Constraint): void {
    this.refused.length = 0;
    if (refusedBy === undefined || !this.isRefusalRemembered) return;
    for (const cellId of refusedBy) {
      const slot = this.table.find(cellId);
      const bucket = slot === undefined ? undefined : this.topology.buckets[slot];
      if (bucket === undefined || slot === undefined || !constraint.isMatching(bucket)) continue;
      this.refused.push(slot);
      this.search.passOver(slot);
    }
  }
}

/** The lowest number of instances from `level` on that any of the zones has; Infinity when there is none. */
function nextLevel(zones: readonly MatchingZone[], instances: Int32Array, level: number): number {
  let next = Infinity;
  for (const { zone } of zones) {
    const count = instances[zone]!;
    if (count >= level && count < next) next = count;
  }
  return next;
}
