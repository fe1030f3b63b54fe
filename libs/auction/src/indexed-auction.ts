import type { CellCapacity } from '#rivera/models';
import type { AuctionEngine } from './auction-engine.js';
import { nothingLike } from './cell-load.js';
import type { Preferences } from './indexed/bucket.js';
import { CellTable } from './indexed/cell-table.js';
import { Chooser } from './indexed/chooser.js';
import { ConstraintTable } from './indexed/constraint-table.js';
import type { Constraint } from './indexed/constraint-table.js';
import type { RememberedFailure } from './indexed/failure-memo.js';
import { failureOf } from './indexed/failures.js';
import { Gangs } from './indexed/gang.js';
import { Topology } from './indexed/topology.js';
import { orderOfWork } from './order.js';
import { noCells, placementErrorText, startLimitReached } from './placement-error.js';
import { LOCALITY_WEIGHT, SCORE_UNIT } from './score.js';
import { DEFAULT_AUCTION_OPTIONS, isTaskAuction } from './types.js';
import type {
  Auction,
  AuctionBatch,
  AuctionCell,
  AuctionOptions,
  AuctionResult,
  CellVerdict,
  HeldWork,
  PlacementFailure,
} from './types.js';
import { judgeOf } from './verdict.js';

type Told = Pick<RememberedFailure, 'why' | 'error'>;

/**
 * The auction with an index: decides as `ScanAuction` does, in every tie and every error, at a cost that does not grow
 * with what is running and hardly with the number of cells (docs/placement.md, "How it is fast").
 */
export class IndexedAuction implements AuctionEngine {
  private readonly options: AuctionOptions;
  private readonly table: CellTable;
  private readonly topology: Topology;
  private readonly constraints: ConstraintTable;
  private readonly gangs: Gangs;
  private readonly chooser: Chooser;
  /** Containers starting on all cells that take part. */
  private starting = 0;
  /** Grows whenever room may have been made without any cell changing its group. */
  private growth = 0;
  /** Cells whose proxies are not all charged yet; only in strict mode, within a batch. */
  private readonly uncharged: number[] = [];

  constructor(cells: Iterable<AuctionCell> = [], options: Partial<AuctionOptions> = {}) {
    this.options = { ...DEFAULT_AUCTION_OPTIONS, ...options };
    const { strict, binPackFirstFitWeight } = this.options;
    const alikeWeight = strict ? SCORE_UNIT * LOCALITY_WEIGHT : 0;
    const table = new CellTable(this.options);
    const preferences: Preferences = {
      lrp: { isTask: false, alikeWeight: 0, alikeOn: () => 0 },
      task: { isTask: true, alikeWeight, alikeOn: (slot) => table.tasks[slot]! },
    };
    this.table = table;
    this.topology = new Topology(table, preferences, binPackFirstFitWeight > 0);
    this.constraints = new ConstraintTable(this.topology);
    this.gangs = new Gangs(table, this.topology, alikeWeight);
    this.chooser = new Chooser(table, this.topology, this.gangs, alikeWeight, !strict);
    for (const cell of cells) this.upsertCell(cell);
  }

  upsertCell(cell: AuctionCell): void {
    const { table, topology } = this;
    const slot = table.slotOf(cell.cellId);
    if (table.cells[slot] !== undefined && topology.isUnmoved(slot, cell)) {
      table.cells[slot] = cell;
      return;
    }
    this.leave(slot);
    table.describe(slot, cell);
    if (cell.evacuating) return;
    topology.enter(slot);
    this.starting += table.starting[slot]!;
  }

  removeCell(cellId: string): void {
    const slot = this.table.find(cellId);
    if (slot === undefined) return;
    this.leave(slot);
    this.table.undescribe(slot);
  }

  reserve(cellId: string, held: HeldWork): void {
    this.book(this.table.slotOf(cellId), held);
  }

  release(cellId: string, held: HeldWork): void {
    const slot = this.table.find(cellId);
    if (slot === undefined) throw nothingLike(held);
    const app = this.table.remove(slot, held);
    this.gangs.count(app, slot, -1);
    this.growth += 1;
    const bucket = this.topology.buckets[slot];
    if (bucket !== undefined) {
      bucket.touch(slot);
      if (held.starting) this.starting -= 1;
    }
    this.table.forgetIfEmpty(slot);
  }

  available(cellId: string): CellCapacity | undefined {
    const slot = this.table.find(cellId);
    return slot === undefined || this.table.cells[slot] === undefined ? undefined : this.table.leftOn(slot);
  }

  auction(batch: AuctionBatch): AuctionResult {
    const result: AuctionResult = { placements: [], failures: [] };
    this.topology.renumber();
    for (const auction of orderOfWork(batch, this.options.strict)) {
      const decision = this.decide(auction);
      if (typeof decision === 'number') {
        this.place(decision, auction);
        result.placements.push({ auction, cellId: this.table.ids[decision]! });
      } else {
        result.failures.push({ auction, error: decision.error, why: decision.why });
      }
    }
    this.chargeProxies();
    return result;
  }

  plan(batch: AuctionBatch): AuctionResult {
    const result = this.auction(batch);
    for (const { auction, cellId } of result.placements) this.release(cellId, { ...auction, starting: true });
    return result;
  }

  explain(auction: Auction): CellVerdict[] {
    this.topology.renumber();
    const { table } = this;
    const judge = judgeOf(auction, this.options);
    const app = isTaskAuction(auction) ? undefined : table.instances.idOf(auction.processGuid);
    const zones = app === undefined ? undefined : this.topology.instancesByZone(app);
    return [...table.known]
      .filter((slot) => table.zone[slot]! >= 0)
      .map((slot) =>
        judge({
          cell: table.cells[slot]!,
          hash: table.hash[slot]!,
          binPack: this.options.binPackFirstFitWeight * table.position[slot]!,
          left: table.leftOn(slot),
          starting: table.starting[slot]!,
          zoneInstances: zones?.[table.zone[slot]!] ?? 0,
          instances: app === undefined ? table.tasks[slot]! : table.instances.instancesOn(app, slot),
        }),
      );
  }

  /** The slot of the cell that takes the work, or why none can. */
  private decide(auction: Auction): number | Told {
    if (this.topology.cells === 0) return told(noCells());
    const { startingContainerCountMaximum: maximum } = this.options;
    if (maximum > 0 && this.starting >= maximum) return told(startLimitReached());
    const constraint = this.constraints.of(auction);
    const isTask = isTaskAuction(auction);
    const { memoryMb, diskMb } = auction;
    const remembered = constraint.failures.find(isTask, memoryMb, diskMb, this.growth);
    if (remembered === undefined) {
      const slot = this.chooser.choose(auction, constraint);
      if (slot >= 0) return slot;
    } else if (remembered.changes === constraint.changes) {
      return remembered;
    }
    return this.fail(auction, constraint, isTask);
  }

  private fail(auction: Auction, constraint: Constraint, isTask: boolean): Told {
    const { table, topology, growth } = this;
    const { strict } = this.options;
    const why = failureOf(constraint, auction, { table, cells: topology.cells, isTask, strict });
    const error = placementErrorText(why, auction.placementTags);
    const failure = { why, error, growth, changes: constraint.changes };
    constraint.failures.remember(isTask, auction.memoryMb, auction.diskMb, failure);
    return failure;
  }

  private place(slot: number, auction: Auction): void {
    const isTask = isTaskAuction(auction);
    const { memoryMb, diskMb } = auction;
    const processGuid = isTask ? undefined : auction.processGuid;
    if (this.options.strict && !isTask) {
      this.table.proxyFree[slot]! += 1;
      this.uncharged.push(slot);
    }
    this.book(slot, { memoryMb, diskMb, processGuid, starting: true });
  }

  private book(slot: number, held: HeldWork): void {
    const app = this.table.add(slot, held);
    this.gangs.count(app, slot, 1);
    const bucket = this.topology.buckets[slot];
    if (bucket === undefined) return;
    bucket.touch(slot);
    if (held.starting) this.starting += 1;
  }

  private leave(slot: number): void {
    if (this.topology.buckets[slot] === undefined) return;
    this.topology.leave(slot);
    this.starting -= this.table.starting[slot]!;
  }

  private chargeProxies(): void {
    for (const slot of this.uncharged) {
      this.table.proxyFree[slot] = 0;
      this.topology.buckets[slot]?.touch(slot);
    }
    this.uncharged.length = 0;
  }
}

function told(why: PlacementFailure): Told {
  return { why, error: placementErrorText(why) };
}
