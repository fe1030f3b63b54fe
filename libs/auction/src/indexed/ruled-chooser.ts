import type { AffinityRule, SpreadRule } from '#rivera/models';
import { compareLists } from '../choose.js';
import { hasLabel, isBroken } from '../rules.js';
import { isTaskAuction } from '../types.js';
import type { Auction, AuctionCell } from '../types.js';
import type { Bucket } from './bucket.js';
import type { Candidates } from './candidates.js';
import type { CellTable } from './cell-table.js';
import type { Constraint } from './constraint-table.js';
import type { Foundation } from './foundation.js';
import type { ScoreTree } from './score-tree.js';

/** Stands for a cell of a bucket that no rule knows by itself. */
const ANY_CELL = -1;

/** Cells that the rules find equally good: trees of those not known by themselves, and the others. */
interface Group {
  /** Violations, instances in the zone, instances by spread rule: lower ones go first. */
  key: number[];
  trees: ScoreTree[];
  cells: number[];
}

/** What a rule of affinity makes of a cell, and the cells it knows by themselves. */
interface Nearness {
  rule: AffinityRule;
  isNear(slot: number, cell: AuctionCell, zone: number): boolean;
}

interface Spread {
  instancesNear(cell: AuctionCell, zone: number): number;
  isAllowed(cell: AuctionCell, zone: number): boolean;
}

/**
 * Finds the cell for work with rules of affinity or spread. Cells are grouped by the labels that the rules are about, so
 * that all cells of a bucket are alike to the rules, except those with instances that a rule or the work itself looks for;
 * these are looked at one by one. Costs a look at each matching bucket and each such cell.
 */
export class RuledChooser {
  private readonly listed = new Set<number>();

  constructor(
    private readonly table: CellTable,
    private readonly foundation: Foundation,
    private readonly candidates: Candidates,
  ) {}

  /** The slot of the cell that takes the work; −1 when none can. */
  choose(auction: Auction): number {
    const { topology, constraints } = this.foundation.by(labelsOf(auction));
    const constraint = constraints.of(auction);
    const { candidates } = this;
    candidates.begin(auction, constraint, topology);
    this.listed.clear();
    for (const slot of candidates.kept) this.listed.add(slot);
    const judge = this.judgeOf(auction, constraint);
    const isTask = isTaskAuction(auction);
    const groups = new Groups();
    for (const bucket of constraint.buckets) {
      const key = bucket.order.size === 0 ? undefined : judge(ANY_CELL, this.exampleOf(bucket), bucket.zone);
      if (key !== undefined) groups.of(key).trees.push(isTask ? bucket.tasks : bucket.lrps);
    }
    for (const slot of this.listed) {
      if (candidates.isMatching(slot) && !candidates.isRefused(slot)) this.list(groups, judge, slot);
    }
    this.searchIn(groups, auction);
    if (candidates.search.slot < 0) {
      const unwilling = new Groups();
      for (const slot of candidates.refused) this.list(unwilling, judge, slot);
      this.searchIn(unwilling, auction);
    }
    return candidates.search.slot;
  }

  private list(groups: Groups, judge: Judge, slot: number): void {
    const key = judge(slot, this.table.cells[slot]!, this.table.zone[slot]!);
    if (key !== undefined) groups.of(key).cells.push(slot);
  }

  private searchIn(groups: Groups, auction: Auction): void {
    const { candidates, table } = this;
    const app = isTaskAuction(auction) ? undefined : table.instances.idOf(auction.processGuid);
    for (const { trees, cells } of groups.inOrder()) {
      candidates.search.inTrees(trees);
      for (const slot of cells) {
        const alike = app === undefined ? table.tasks[slot]! : table.instances.instancesOn(app, slot);
        candidates.consider(slot, alike);
      }
      if (candidates.search.slot >= 0) return;
    }
  }

  /** Gives the key of a cell's group; undefined when a rule keeps the work from it. */
  private judgeOf(auction: Auction, constraint: Constraint): Judge {
    const affinity = (auction.affinity ?? []).map((rule) => this.nearnessOf(rule));
    if (isTaskAuction(auction)) {
      return (slot, cell, zone) => {
        const violations = violationsOf(affinity, slot, cell, zone);
        return violations === undefined ? undefined : [violations, 0];
      };
    }
    const app = this.table.instances.idOf(auction.processGuid);
    for (const slot of this.cellsWith(auction.processGuid)) this.listBySelf(slot);
    const zoneInstances = this.foundation.zones.instancesOf(app);
    const spreads = (auction.spread ?? []).map((rule) => this.spreadOf(rule, app, constraint));
    return (slot, cell, zone) => {
      const violations = violationsOf(affinity, slot, cell, zone);
      if (violations === undefined || spreads.some((spread) => !spread.isAllowed(cell, zone)))
        return undefined;
      return [violations, zoneInstances[zone]!, ...spreads.map((spread) => spread.instancesNear(cell, zone))];
    };
  }

  private nearnessOf(rule: AffinityRule): Nearness {
    const { processGuid, over = 'cell' } = rule;
    if (processGuid === undefined) return { rule, isNear: (_slot, cell) => hasLabel(cell, rule) };
    const cells = this.cellsWith(processGuid);
    if (over === 'cell') {
      for (const slot of cells) this.listBySelf(slot);
      const near = new Set(cells);
      return { rule, isNear: (slot) => near.has(slot) };
    }
    const { table } = this;
    const domains = new Set(cells.map((slot) => domainOf(over, table.cells[slot]!, table.zone[slot]!)));
    domains.delete(undefined);
    return { rule, isNear: (_slot, cell, zone) => domains.has(domainOf(over, cell, zone)) };
  }

  private spreadOf({ over, maxSkew }: SpreadRule, app: number, constraint: Constraint): Spread {
    const { table } = this;
    const { instances } = table;
    const counts = new Map<string, number>();
    for (let pair = instances.firstOf(app); pair >= 0; pair = instances.next(pair)) {
      const slot = instances.slotOf(pair);
      if (table.zone[slot]! < 0) continue;
      const domain = domainOf(over, table.cells[slot]!, table.zone[slot]!);
      if (domain !== undefined) counts.set(domain, (counts.get(domain) ?? 0) + instances.countOf(pair));
    }
    let least = Infinity;
    for (const bucket of constraint.buckets) {
      const domain = domainOf(over, this.exampleOf(bucket), bucket.zone);
      if (domain !== undefined) least = Math.min(least, counts.get(domain) ?? 0);
    }
    const instancesNear = (cell: AuctionCell, zone: number) =>
      counts.get(domainOf(over, cell, zone) ?? '') ?? 0;
    const isAllowed = (cell: AuctionCell, zone: number) =>
      domainOf(over, cell, zone) !== undefined && instancesNear(cell, zone) + 1 - least <= maxSkew;
    return { instancesNear, isAllowed };
  }

  /** Cells that take part and have instances of a process. */
  private cellsWith(processGuid: string): number[] {
    const { instances, zone } = this.table;
    const slots: number[] = [];
    const app = instances.idOf(processGuid);
    for (let pair = instances.firstOf(app); pair >= 0; pair = instances.next(pair)) {
      const slot = instances.slotOf(pair);
      if (zone[slot]! >= 0) slots.push(slot);
    }
    return slots;
  }

  private listBySelf(slot: number): void {
    this.listed.add(slot);
    this.candidates.search.passOver(slot);
  }

  private exampleOf(bucket: Bucket): AuctionCell {
    return this.table.cells[bucket.example]!;
  }
}

type Judge = (slot: number, cell: AuctionCell, zone: number) => number[] | undefined;

/** How many rules of PREFER and AVOID are broken; undefined when one of REQUIRE or FORBID is. */
function violationsOf(
  affinity: readonly Nearness[],
  slot: number,
  cell: AuctionCell,
  zone: number,
): number | undefined {
  let violations = 0;
  for (const { rule, isNear } of affinity) {
    if (!isBroken(rule, isNear(slot, cell, zone))) continue;
    if (rule.affinity === 'REQUIRE' || rule.affinity === 'FORBID') return undefined;
    violations += 1;
  }
  return violations;
}

/** Where a cell belongs: its zone, by number, or its value of a label. */
const domainOf = (over: string, cell: AuctionCell, zone: number): string | undefined =>
  over === 'zone' ? String(zone) : cell.labels?.[over];

/** The labels that the rules of the work are about, each once, in alphabetical order. */
function labelsOf(auction: Auction): string[] {
  const affinity = auction.affinity ?? [];
  const spread = isTaskAuction(auction) ? [] : (auction.spread ?? []);
  const labels = [...affinity.flatMap(({ label, over }) => [label, over]), ...spread.map(({ over }) => over)];
  const named = labels.filter((label) => label !== undefined && label !== 'zone' && label !== 'cell');
  return [...new Set(named as string[])].toSorted();
}

class Groups {
  private readonly groups = new Map<string, Group>();

  of(key: number[]): Group {
    const name = key.join(' ');
    let group = this.groups.get(name);
    if (group === undefined) {
      group = { key, trees: [], cells: [] };
      this.groups.set(name, group);
    }
    return group;
  }

  inOrder(): Group[] {
    return [...this.groups.values()].toSorted((a, b) => compareLists(a.key, b.key));
  }
}
