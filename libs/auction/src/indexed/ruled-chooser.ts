import type { AffinityRule, SpreadRule } from '#rivera/models';
import { hasLabel, isBroken } from '../rules.js';
import { isTaskAuction } from '../types.js';
import type { Auction, AuctionCell } from '../types.js';
import type { Candidates } from './candidates.js';
import { NO_APP } from './cell-table.js';
import type { CellTable } from './cell-table.js';
import type { Foundation } from './foundation.js';
import { KeyedCells } from './keyed-cells.js';

/** Stands for the cells of a bucket that no rule knows by themselves. */
const ANY_CELL = -1;

/** A rule of affinity, and whether a cell is one as it names it. */
interface Nearness {
  rule: AffinityRule;
  isNear: (slot: number, cell: AuctionCell, zone: number) => boolean;
}

/** A rule of spread, and the app's instances by domain. */
interface Spread {
  rule: SpreadRule;
  counts: Map<string, number>;
}

/**
 * Finds the cell for work with rules of affinity or spread. Cells are grouped by the labels that the rules are about, so
 * that all cells of a bucket are alike to the rules, except those with instances that a rule or the work itself looks for;
 * these are looked at one by one. Costs a look at each matching bucket and each such cell.
 */
export class RuledChooser {
  /** Cells that are looked at by themselves. */
  private readonly listed = new Set<number>();
  private readonly keyed = new KeyedCells();

  constructor(
    private readonly table: CellTable,
    private readonly foundation: Foundation,
    private readonly candidates: Candidates,
  ) {}

  /** The slot of the cell that takes the work; −1 when none can. */
  choose(auction: Auction): number {
    const { topology, constraints } = this.foundation.by(labelsOf(auction));
    const constraint = constraints.of(auction);
    const { candidates, keyed, listed } = this;
    const isTask = isTaskAuction(auction);
    candidates.begin(auction, constraint, topology);
    listed.clear();
    for (const slot of candidates.kept) listed.add(slot);
    const rules = this.rulesOf(auction);

    keyed.begin(rules.spread.map(({ rule }) => rule.maxSkew));
    for (const bucket of constraint.buckets) {
      const tree = isTask ? bucket.tasks : bucket.lrps;
      this.key(rules, ANY_CELL, bucket.example, bucket.zone);
      keyed.addTree(tree);
    }
    for (const slot of listed) {
      if (candidates.isMatching(slot) && !candidates.isRefused(slot)) this.keyCell(rules, slot);
    }
    this.searchIn(rules.app);
    if (candidates.search.slot < 0 && candidates.refused.length > 0) {
      keyed.keepSkew();
      for (const slot of candidates.refused) this.keyCell(rules, slot);
      this.searchIn(rules.app);
    }
    return candidates.search.slot;
  }

  /** Group by group, the best first, until one has a cell with room. */
  private searchIn(app: number | undefined): void {
    const { candidates, table, keyed } = this;
    for (let isMore = keyed.first(); isMore && candidates.search.slot < 0; isMore = keyed.next()) {
      candidates.search.inTrees(keyed.trees);
      for (const slot of keyed.cells) {
        const alike = app === undefined ? table.tasks[slot]! : table.instances.instancesOn(app, slot);
        candidates.consider(slot, alike);
      }
    }
  }

  private keyCell(rules: Rules, slot: number): void {
    this.key(rules, slot, this.table.cells[slot]!, this.table.zone[slot]!);
    this.keyed.addCell(slot);
  }

  /** What comes first is best: rules broken that need not hold, instances in the zone, instances by rule of spread. */
  private key(
    { affinity, spread, zoneInstances }: Rules,
    slot: number,
    cell: AuctionCell,
    zone: number,
  ): void {
    const { keyed } = this;
    keyed.setKey(0, violationsOf(affinity, slot, cell, zone));
    keyed.setKey(1, zoneInstances?.[zone] ?? 0);
    for (let at = 0; at < spread.length; at += 1) {
      const { rule, counts } = spread[at]!;
      const domain = domainOf(rule.over, cell, zone);
      keyed.setSpread(
        at,
        domain === undefined ? Infinity : counts.size === 0 ? 0 : (counts.get(domain) ?? 0),
      );
    }
  }

  private rulesOf(auction: Auction): Rules {
    const affinity = (auction.affinity ?? []).map((rule) => this.nearnessOf(rule));
    if (isTaskAuction(auction)) return { affinity, spread: [] };
    const app = this.table.instances.idOf(auction.processGuid);
    const own = this.cellsWith(app);
    for (const slot of own) this.listBySelf(slot);
    const spread = (auction.spread ?? []).map((rule) => ({
      rule,
      counts: this.countBy(rule.over, app, own),
    }));
    return { app, affinity, spread, zoneInstances: this.foundation.zones.instancesOf(app) };
  }

  private nearnessOf(rule: AffinityRule): Nearness {
    const { processGuid, over = 'cell' } = rule;
    if (processGuid === undefined) return { rule, isNear: (_slot, cell) => hasLabel(cell, rule) };
    const cells = this.cellsWith(this.table.instances.idOf(processGuid));
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

  private countBy(over: string, app: number, cells: readonly number[]): Map<string, number> {
    const { table } = this;
    const counts = new Map<string, number>();
    for (const slot of cells) {
      const domain = domainOf(over, table.cells[slot]!, table.zone[slot]!);
      if (domain === undefined) continue;
      counts.set(domain, (counts.get(domain) ?? 0) + table.instances.instancesOn(app, slot));
    }
    return counts;
  }

  /** Cells that take part and have instances of an app. */
  private cellsWith(app: number): number[] {
    if (app === NO_APP) return [];
    const { instances, zone } = this.table;
    const slots: number[] = [];
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
}

/** The rules of a piece of work, looked into. */
interface Rules {
  /** Absent for a task. */
  app?: number;
  affinity: Nearness[];
  spread: Spread[];
  zoneInstances?: Int32Array;
}

/** How many rules of PREFER and AVOID are broken; infinite when one of REQUIRE or FORBID is. */
function violationsOf(affinity: readonly Nearness[], slot: number, cell: AuctionCell, zone: number): number {
  let violations = 0;
  for (const { rule, isNear } of affinity) {
    if (!isBroken(rule, isNear(slot, cell, zone))) continue;
    if (rule.affinity === 'REQUIRE' || rule.affinity === 'FORBID') return Infinity;
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
