import type { AffinityRule, CellCapacity, SpreadRule } from '#rivera/models';
import { firstMismatch, parseRootfs } from './constraints.js';
import { offerKey } from './offer.js';
import { domainOf, hasLabel, hasRules, isBroken } from './rules.js';
import { isTaskAuction } from './types.js';
import type { Auction, AuctionCell, AuctionOptions, Bar } from './types.js';

/** What is held on a cell, as far as its neighbours matter. */
export interface NeighbourLoad {
  instancesOf(processGuid: string): number;
  leftOn(cell: AuctionCell): CellCapacity;
}

/** A usable cell, and whether it matches the work. */
export interface Neighbour {
  cell: AuctionCell;
  load: NeighbourLoad;
  isMatching: boolean;
}

/** What the rules of the work make of a cell, the cell's room aside. */
export interface RuleFindings {
  barred?: Bar;
  violations: number;
  spreadInstances: number[];
}

/** What a piece of work's rules make of each cell, worked out from all of them; undefined when it has no rules. */
function findingsOf(
  auction: Auction,
  cells: readonly Neighbour[],
): ((cell: AuctionCell) => RuleFindings) | undefined {
  if (!hasRules(auction)) return undefined;
  const spread = isTaskAuction(auction) ? [] : (auction.spread ?? []);
  const affinity = (auction.affinity ?? []).map((rule) => ({ rule, isNear: nearnessOf(rule, cells) }));
  const spreads = isTaskAuction(auction)
    ? []
    : spread.map((rule) => spreadOf(rule, auction.processGuid, cells));
  return (cell) => {
    const broken = affinity.filter(({ rule, isNear }) => isBroken(rule, isNear(cell)));
    const isBarred = broken.some(({ rule: { affinity: kind } }) => kind === 'REQUIRE' || kind === 'FORBID');
    const spreadInstances = spreads.map((each) => each.instancesNear(cell) ?? 0);
    const isSkewed = spreads.some((each) => !each.isAllowed(cell));
    const bar: Bar | undefined = isBarred ? 'affinity' : isSkewed ? 'spread' : undefined;
    return { ...(bar && { barred: bar }), violations: broken.length, spreadInstances };
  };
}

/** Whether a cell is one as the rule names it. */
function nearnessOf(rule: AffinityRule, cells: readonly Neighbour[]): (cell: AuctionCell) => boolean {
  const { processGuid, over = 'cell' } = rule;
  if (processGuid === undefined) return (cell) => hasLabel(cell, rule);
  const withIt = cells.filter(({ load }) => load.instancesOf(processGuid) > 0).map(({ cell }) => cell);
  if (over === 'cell') {
    const ids = new Set(withIt.map(({ cellId }) => cellId));
    return ({ cellId }) => ids.has(cellId);
  }
  const domains = new Set(
    withIt.map((cell) => domainOf(cell, over)).filter((domain) => domain !== undefined),
  );
  return (cell) => domains.has(domainOf(cell, over) ?? '') && domainOf(cell, over) !== undefined;
}

function spreadOf({ over, maxSkew }: SpreadRule, processGuid: string, cells: readonly Neighbour[]) {
  const counts = new Map<string, number>();
  const eligible = new Set<string>();
  for (const { cell, load, isMatching } of cells) {
    const domain = domainOf(cell, over);
    if (domain === undefined) continue;
    counts.set(domain, (counts.get(domain) ?? 0) + load.instancesOf(processGuid));
    if (isMatching) eligible.add(domain);
  }
  const least = Math.min(...[...eligible].map((domain) => counts.get(domain) ?? 0));
  const instancesNear = (cell: AuctionCell) => counts.get(domainOf(cell, over) ?? '');
  return {
    instancesNear: (cell: AuctionCell) =>
      domainOf(cell, over) === undefined ? undefined : instancesNear(cell),
    isAllowed: (cell: AuctionCell) =>
      domainOf(cell, over) !== undefined && (instancesNear(cell) ?? 0) + 1 - least <= maxSkew,
  };
}

/** Which cells are holes that this work must stay away from if it can. */
function keptHoles(auction: Auction, cells: readonly Neighbour[], { holes }: AuctionOptions): Set<string> {
  if (holes.memoryMb <= 0 || auction.memoryMb * 2 >= holes.memoryMb) return new Set();
  const byBucket = new Map<string, string[]>();
  for (const { cell, load } of cells) {
    if (isWithoutCapacity(cell) || load.leftOn(cell).memoryMb < holes.memoryMb) continue;
    const bucket = JSON.stringify([cell.zone, offerKey(cell)]);
    byBucket.set(bucket, [...(byBucket.get(bucket) ?? []), cell.cellId]);
  }
  return new Set([...byBucket.values()].filter((ids) => ids.length <= holes.count).flat());
}

const isWithoutCapacity = ({ capacity: { memoryMb, diskMb, containers } }: AuctionCell): boolean =>
  memoryMb === 0 || diskMb === 0 || containers === 0;

/** What depends on other cells than the one that is judged. */
export interface Surroundings {
  findings(cell: AuctionCell): RuleFindings | undefined;
  isKept(cell: AuctionCell): boolean;
}

export function surroundingsOf(
  auction: Auction,
  cells: readonly Omit<Neighbour, 'isMatching'>[],
  options: AuctionOptions,
): Surroundings {
  const { strict, holes } = options;
  if (strict || (!hasRules(auction) && holes.memoryMb <= 0))
    return { findings: () => undefined, isKept: () => false };
  const rootfs = parseRootfs(auction.rootfs);
  const neighbours = cells.map(({ cell, load }) => ({
    cell,
    load,
    isMatching: firstMismatch(cell, auction, rootfs) === undefined,
  }));
  const findings = findingsOf(auction, neighbours);
  const kept = keptHoles(auction, neighbours, options);
  return { findings: (cell) => findings?.(cell), isKept: ({ cellId }) => kept.has(cellId) };
}
