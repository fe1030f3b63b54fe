import { firstMismatch, leftOfSomething, parseRootfs, shortages } from './constraints.js';
import type { Left } from './constraints.js';
import { packFromPercentOf, score, SCORE_CEILING } from './score.js';
import type { RuleFindings } from './surroundings.js';
import { tieRank, workHash } from './tie-break.js';
import { isTaskAuction } from './types.js';
import type { Auction, AuctionCell, AuctionOptions, CellVerdict } from './types.js';

/** What a verdict needs to know of a cell at this moment. */
export interface CellStanding {
  cell: AuctionCell;
  /** `hash32` of the cell's id. */
  hash: number;
  /** Weighted position in its zone. */
  binPack: number;
  left: Left;
  starting: number;
  /** Instances of the same app in the zone; 0 for a task. */
  zoneInstances: number;
  /** Instances of the same app on the cell; for a task, all tasks on it. */
  instances: number;
  /** What the rules of the work make of it, if it has any. */
  findings?: RuleFindings | undefined;
  /** It is a hole that the work must stay away from if it can. */
  isKept?: boolean;
}

/** Judges cells for one piece of work: whether they match, what they are short of, else how well they would do. */
export function judgeOf(auction: Auction, options: AuctionOptions): (standing: CellStanding) => CellVerdict {
  const { strict } = options;
  const rootfs = parseRootfs(auction.rootfs);
  const from = workHash(auction);
  return (standing) => {
    const { cell, hash, zoneInstances, instances, findings } = standing;
    const verdict: CellVerdict = {
      cellId: cell.cellId,
      zone: cell.zone,
      mismatch: firstMismatch(cell, auction, rootfs, strict),
      short: [],
      refused: !strict && isUnwelcome(cell.cellId, auction),
      ...(findings && { violations: findings.violations, spreadInstances: findings.spreadInstances }),
      zoneInstances,
      instances,
      tieRank: tieRank(from, hash),
    };
    if (verdict.mismatch === undefined) weigh(verdict, auction, standing, options);
    return verdict;
  };
}

const isUnwelcome = (cellId: string, { refusedBy = [], failedOn = [] }: Auction): boolean =>
  refusedBy.includes(cellId) || failedOn.includes(cellId);

/** Adds to the verdict on a matching cell what it is short of, or else its score. */
function weigh(
  verdict: CellVerdict,
  auction: Auction,
  { cell, left, starting, binPack, findings, isKept = false }: CellStanding,
  { strict, startingContainerWeight, pools }: AuctionOptions,
): void {
  const isTask = isTaskAuction(auction);
  const proxyMb = isTask ? 0 : (cell.proxyMemoryMb ?? 0);
  const needed = { ...auction, memoryMb: auction.memoryMb + proxyMb };
  verdict.short = shortages(strict ? left : leftOfSomething(cell.capacity, left), needed, strict);
  if (verdict.short.length > 0) return;
  if (findings?.barred !== undefined) {
    verdict.barred = findings.barred;
    return;
  }

  const points = score({
    capacity: cell.capacity,
    left,
    needed,
    instances: verdict.instances,
    starting: startingContainerWeight * starting,
    binPack: isTask ? 0 : binPack,
    packFromPercent: strict ? Infinity : packFromPercentOf(cell, pools),
    isKept,
  });
  if (isKept) verdict.isKept = true;
  if (!strict || points < SCORE_CEILING) verdict.score = points;
}
