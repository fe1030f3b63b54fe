import { IndexedAuction, ScanAuction } from '#rivera/auction';
import type { AuctionBatch, AuctionCell, AuctionEngine, PlacedAuction } from '#rivera/auction';
import { percentile } from '../bench.js';
import type { Figure } from '../bench.js';
import type { Beyond, PlacementCase } from './cases.js';
import { cellsOf, lrpsOf, tasksOf } from './worlds.js';

const ROUNDS = 15;
/** Instances that run before are placed as many at a time. */
const BATCH = 20_000;
/** Enough rounds for a figure, not for patience. */
const LONG_ENOUGH_US = 3_000_000;
/** A scan looks at about ten million cells a second. */
const ORACLE_LOOKS = 50_000_000;

/** Places the work of one case, several times, and says what it took. Nothing else runs in this process. */
export function runCase(placement: PlacementCase, isOracle: boolean): Figure[] {
  const { foundation, batch } = placement;
  const cells = cellsOf(foundation).map((cell, at) => described(cell, at, placement.beyond));
  const placed = isOracle
    ? Math.min(placement.placed, Math.ceil(ORACLE_LOOKS / foundation.cells))
    : placement.placed;
  const options = placement.beyond?.options ?? {};
  const index = new IndexedAuction(cells, options);
  const engine = isOracle ? new ScanAuction(cells, options) : index;
  for (const { cellId, auction } of runningOf(index, placement)) {
    if (isOracle) engine.reserve(cellId, auction);
  }

  const costs =
    batch === undefined
      ? rounds(engine, batchOf(placement, 0, placed), isOracle ? 1 : ROUNDS)
      : [inBatches(engine, placement, batch)];
  const usPerPlacement = percentile(costs, 0.5);
  const name = isOracle ? `oracle-${placement.name}` : placement.name;
  const figure = (metric: string, value: number, unit: string): Figure => ({
    case: name,
    metric,
    value,
    unit,
  });
  return [
    figure('placements_per_second', 1_000_000 / usPerPlacement, '1/s'),
    figure('us_per_placement', usPerPlacement, 'us'),
    figure('distribution_score', distributionScore(engine, cells), 'stddev/mean'),
    figure('rss_mb', rssMb(), 'MB'),
  ];
}

/** Processor time of each placement in several rounds; between two rounds what was placed is released. */
function rounds(engine: AuctionEngine, batch: AuctionBatch, count: number): number[] {
  const costs: number[] = [];
  let placements: PlacedAuction[] = [];
  for (let round = 0, spent = 0; round < count && (round < 3 || spent < LONG_ENOUGH_US); round += 1) {
    for (const { auction, cellId } of placements) engine.release(cellId, { ...auction, starting: true });
    const [us, decided] = timed(engine, batch);
    placements = decided;
    costs.push(us / decided.length);
    spent += us;
  }
  return costs;
}

function inBatches(engine: AuctionEngine, placement: PlacementCase, size: number): number {
  let us = 0;
  for (let from = 0; from < placement.placed; from += size) {
    us += timed(engine, batchOf(placement, from, Math.min(size, placement.placed - from)))[0];
  }
  return us / placement.placed;
}

/** Processor time, that of the garbage collector included: what else runs on the machine counts for little. */
function timed(engine: AuctionEngine, batch: AuctionBatch): [us: number, placements: PlacedAuction[]] {
  const start = process.cpuUsage();
  const { placements, failures } = engine.auction(batch);
  const { user, system } = process.cpuUsage(start);
  if (failures.length > 0) throw new Error(`${failures.length} were not placed: ${failures[0]?.error}`);
  return [user + system, placements];
}

function described(cell: AuctionCell, at: number, beyond: Beyond = {}): AuctionCell {
  return { ...cell, capacity: { ...cell.capacity, ...beyond.limits }, ...beyond.cell?.(at) };
}

function batchOf(placement: PlacementCase, from: number, count: number): AuctionBatch {
  const { perApp, isTasks, foundation, beyond = {} } = placement;
  if (isTasks) return { lrps: [], tasks: tasksOf(count) };
  const lrps = lrpsOf(`new-${from}`, count, perApp, foundation.isConstrained);
  const { wishes } = beyond;
  if (wishes === undefined) return { lrps, tasks: [] };
  return { lrps: lrps.map((lrp, at) => ({ ...lrp, ...wishes(Math.floor(at / perApp)) })), tasks: [] };
}

/** Has the index place what runs before, in apps of 10; they have started when this comes to an end. */
function* runningOf(index: IndexedAuction, { running, foundation }: PlacementCase): Iterable<PlacedAuction> {
  for (let from = 0; from < running; from += BATCH) {
    const count = Math.min(BATCH, running - from);
    const lrps = lrpsOf(`running-${from}`, count, 10, foundation.isConstrained);
    for (const placed of index.auction({ lrps, tasks: [] }).placements) {
      index.release(placed.cellId, { ...placed.auction, starting: true });
      index.reserve(placed.cellId, placed.auction);
      yield placed;
    }
  }
}

/** Population standard deviation of the memory in use on a cell, divided by its mean. */
function distributionScore(engine: AuctionEngine, cells: readonly AuctionCell[]): number {
  const used = cells.map(
    ({ cellId, capacity }) => capacity.memoryMb - (engine.available(cellId)?.memoryMb ?? 0),
  );
  const mean = used.reduce((sum, memoryMb) => sum + memoryMb, 0) / used.length;
  const variance = used.reduce((sum, memoryMb) => sum + (memoryMb - mean) ** 2, 0) / used.length;
  return Math.sqrt(variance) / mean;
}

/** What the process holds once the garbage is out. */
function rssMb(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss() / 2 ** 20;
}
