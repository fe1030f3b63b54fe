import { isTaskAuction } from '../types.js';
import type { Auction, LRPAuction } from '../types.js';
import type { Candidates } from './candidates.js';
import { NO_APP } from './cell-table.js';
import type { CellTable } from './cell-table.js';
import type { Constraint, MatchingZone } from './constraint-table.js';
import type { Foundation } from './foundation.js';
import type { Gang, Gangs } from './gang.js';
import type { ScoreTree } from './score-tree.js';

/** Finds the cell for one piece of work without rules: zones before scores, cells that refused it last. */
export class Chooser {
  /** Instances by zone of the app of the LRP that is being placed. */
  private zoneInstances = new Int32Array(16);
  private readonly countedZones: number[] = [];
  private readonly trees: ScoreTree[] = [];

  constructor(
    private readonly table: CellTable,
    private readonly foundation: Foundation,
    private readonly gangs: Gangs,
    private readonly candidates: Candidates,
  ) {}

  /** The slot of the cell that takes the work; −1 when none has room. */
  choose(auction: Auction, constraint: Constraint): number {
    this.candidates.begin(auction, constraint, this.foundation.plain.topology);
    return isTaskAuction(auction) ? this.forTask(constraint) : this.forLRP(auction, constraint);
  }

  private forTask(constraint: Constraint): number {
    const { candidates, trees, table } = this;
    const { search, kept, refused } = candidates;
    trees.length = 0;
    for (const bucket of constraint.buckets) trees.push(bucket.tasks);
    search.inTrees(trees);
    if (candidates.mayBeKept) for (const slot of kept) candidates.consider(slot, table.tasks[slot]!);
    if (search.slot < 0) for (const slot of refused) candidates.consider(slot, table.tasks[slot]!);
    return search.slot;
  }

  private forLRP({ processGuid }: LRPAuction, constraint: Constraint): number {
    const app = this.table.instances.idOf(processGuid);
    const gang = this.gangs.find(app);
    const zoneInstances = gang?.zoneInstances ?? this.countInstances(app);
    const { search, refused } = this.candidates;
    let level = nextLevel(constraint.zones, zoneInstances, 0);
    while (level < Infinity && search.slot < 0) {
      this.searchZones(constraint, zoneInstances, level, gang);
      this.considerKept(app, zoneInstances, level);
      if (gang === undefined) this.considerOwnCells(app, zoneInstances, level);
      level = nextLevel(constraint.zones, zoneInstances, level + 1);
    }
    if (gang === undefined) this.gangs.addLooks(app, this.table.instances.cellsOf(app) + search.wasted);
    if (search.slot < 0 && refused.length > 0) this.considerRefused(app, zoneInstances);
    return search.slot;
  }

  /** Counts the app's instances by zone and has the search pass over its cells. */
  private countInstances(app: number): Int32Array {
    const { table, foundation } = this;
    const { search } = this.candidates;
    if (this.zoneInstances.length < foundation.zones.count) {
      this.zoneInstances = new Int32Array(foundation.zones.count * 2);
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
    this.candidates.search.inTrees(trees);
  }

  private considerKept(app: number, zoneInstances: Int32Array, level: number): void {
    const { instances, zone } = this.table;
    if (!this.candidates.mayBeKept) return;
    for (const slot of this.candidates.kept) {
      if (zoneInstances[zone[slot]!] !== level) continue;
      this.candidates.consider(slot, instances.instancesOn(app, slot));
    }
  }

  /** Cells with instances of the app: only when there are no others, unless instances merely add to the score. */
  private considerOwnCells(app: number, zoneInstances: Int32Array, level: number): void {
    const { candidates } = this;
    if (app === NO_APP || (candidates.search.alike === 0 && candidates.alikeWeight === 0)) return;
    const { instances, zone } = this.table;
    for (let pair = instances.firstOf(app); pair >= 0; pair = instances.next(pair)) {
      const slot = instances.slotOf(pair);
      if (zoneInstances[zone[slot]!] !== level || !candidates.isMatching(slot)) continue;
      if (!candidates.isRefused(slot)) candidates.consider(slot, instances.countOf(pair));
    }
  }

  /** Those in the zones with the fewest instances first. */
  private considerRefused(app: number, zoneInstances: Int32Array): void {
    const { table, candidates } = this;
    const withRoom = candidates.refused.filter((slot) => candidates.hasRoom(slot));
    const fewest = Math.min(...withRoom.map((slot) => zoneInstances[table.zone[slot]!]!));
    for (const slot of withRoom) {
      if (zoneInstances[table.zone[slot]!] !== fewest) continue;
      candidates.consider(slot, table.instances.instancesOn(app, slot));
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
