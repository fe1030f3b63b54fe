import { type Auction, type AuctionCell, type CellVerdict, isTaskAuction } from '#rivera/auction';
import type { Candidate, CandidateClass, CandidateSummary, CellCapacity, NearMiss } from '#rivera/models';

/** How many of the best cells, and of the nearest misses, are told. */
const TOLD = 5;
/** Scores are in billionths. */
const SCORE_UNIT = 1e9;

/** A verdict with the cell it is about. */
export interface Judged {
  verdict: CellVerdict;
  cell: AuctionCell;
  available: CellCapacity;
}

export function summaryOf(verdicts: readonly CellVerdict[]): CandidateSummary {
  const summary: CandidateSummary = {
    cells: verdicts.length,
    suitable: 0,
    mismatched: {},
    short: {},
    barred: {},
  };
  const count = (counts: Record<string, number>, key: string) => (counts[key] = (counts[key] ?? 0) + 1);
  for (const { score, mismatch, short, barred } of verdicts) {
    if (score !== undefined) summary.suitable += 1;
    if (mismatch !== undefined) count(summary.mismatched, mismatch);
    for (const resource of short) count(summary.short, resource);
    if (barred !== undefined) count(summary.barred, barred);
  }
  return summary;
}

/** Cells that look alike to placement, together; the largest class first. */
export function classesOf(judged: readonly Judged[]): CandidateClass[] {
  const byClass = new Map<string, Judged[]>();
  for (const each of judged) {
    const key = JSON.stringify(descriptionOf(each.cell));
    byClass.set(key, [...(byClass.get(key) ?? []), each]);
  }
  return [...byClass.values()]
    .map((members) => ({
      ...descriptionOf(members[0]!.cell),
      ...summaryOf(members.map(({ verdict }) => verdict)),
    }))
    .toSorted((a, b) => b.cells - a.cells);
}

/** The first of those that could take it, in the order in which they would be chosen. */
export function bestOf(verdicts: readonly CellVerdict[]): Candidate[] {
  return verdicts
    .filter(({ score }) => score !== undefined)
    .toSorted(
      (a, b) =>
        Number(a.refused) - Number(b.refused) ||
        (a.violations ?? 0) - (b.violations ?? 0) ||
        a.zoneInstances - b.zoneInstances ||
        a.instances - b.instances ||
        (a.score ?? 0) - (b.score ?? 0) ||
        a.tieRank - b.tieRank,
    )
    .slice(0, TOLD)
    .map(({ cellId, zone, score = 0, zoneInstances, instances, refused }) => ({
      cellId,
      zone,
      score: Math.round((score / SCORE_UNIT) * 10_000) / 10_000,
      zoneInstances,
      instances,
      refused,
    }));
}

/** Cells that meet all constraints and lack least, as shares of what is needed. */
export function nearestMissesOf(judged: readonly Judged[], auction: Auction): NearMiss[] {
  return judged
    .filter(({ verdict }) => verdict.short.length > 0)
    .map(({ verdict, cell, available }) => ({
      cellId: cell.cellId,
      zone: cell.zone,
      lacks: lacksOf(verdict, auction, cell, available),
    }))
    .toSorted((a, b) => sizeOf(a, auction) - sizeOf(b, auction) || (a.cellId < b.cellId ? -1 : 1))
    .slice(0, TOLD);
}

function lacksOf(
  { short }: CellVerdict,
  auction: Auction,
  cell: AuctionCell,
  available: CellCapacity,
): Record<string, number> {
  const proxyMb = isTaskAuction(auction) ? 0 : (cell.proxyMemoryMb ?? 0);
  const lacks = {
    memory: auction.memoryMb + proxyMb - available.memoryMb,
    disk: auction.diskMb - available.diskMb,
    cpu: (auction.cpuMillicores ?? 0) - (available.cpuMillicores ?? 0),
    ports: (auction.ports ?? 0) - (available.ports ?? 0),
  };
  return Object.fromEntries(
    short.map((resource) => [
      resource,
      Math.max(1, resource in lacks ? lacks[resource as keyof typeof lacks] : 1),
    ]),
  );
}

function sizeOf({ lacks }: NearMiss, auction: Auction): number {
  const needed: Record<string, number | undefined> = {
    memory: auction.memoryMb,
    disk: auction.diskMb,
    cpu: auction.cpuMillicores,
    ports: auction.ports,
  };
  return Object.entries(lacks).reduce((sum, [resource, lack]) => sum + lack / (needed[resource] || 1), 0);
}

function descriptionOf(cell: AuctionCell) {
  const { zone, pool, placementTags = [], optionalPlacementTags = [], volumeDrivers = [] } = cell;
  const rootfses = cell.rootfsProviders.flatMap(({ scheme, stacks }) =>
    stacks === undefined ? [`${scheme}:*`] : stacks.map((stack) => `${scheme}:${stack}`),
  );
  return {
    zone,
    ...(pool === undefined ? {} : { pool }),
    rootfses,
    placementTags,
    optionalPlacementTags,
    volumeDrivers,
  };
}
