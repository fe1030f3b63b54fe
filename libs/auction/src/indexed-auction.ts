import type { CellCapacity } from '#rivera/models';
import type { AuctionEngine } from './auction-engine.js';
import { nothingLike } from './cell-load.js';
import type { Preferences } from './indexed/bucket.js';
import { CellTable } from './indexed/cell-table.js';
import { Candidates } from './indexed/candidates.js';
import { Chooser } from './indexed/chooser.js';
import type { Constraint } from './indexed/constraint-table.js';
import type { RememberedFailure } from './indexed/failure-memo.js';
import { failureOf } from './indexed/failures.js';
import { Foundation } from './indexed/foundation.js';
import { asksForMore } from './indexed/further-resources.js';
import { Gangs } from './indexed/gang.js';
import { RuledChooser } from './indexed/ruled-chooser.js';
import { orderOfWork } from './order.js';
import { noCells, placementErrorText, startLimitReached, summarize } from './placement-error.js';
import { hasRules } from './rules.js';
import { LOCALITY_WEIGHT, SCORE_UNIT } from './score.js';
import { surroundingsOf } from './surroundings.js';
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
  private readonly foundation: Foundation;
  private readonly gangs: Gangs;
  private readonly chooser: Chooser;
  private readonly ruledChooser: RuledChooser;
  /** Grows whenever room may have been made without any cell changing its group. */
  private growth = 0;
  /** Cells whose proxies are not all charged yet; only in strict mode, within a batch. */
  private readonly uncharged: number[] = [];

  constructor(cells: Iterable<AuctionCell> = [], options: Partial<AuctionOptions> = {}) {
    this.options = { ...DEFAULT_AUCTION_OPTIONS, ...options };
    const alikeWeight = this.options.strict ? SCORE_UNIT * LOCALITY_WEIGHT : 0;
    const table = new CellTable(this.options);
    const preferences: Preferences = {
      lrp: { isTask: false, alikeWeight: 0, alikeOn: () => 0 },
      task: { isTask: true, alikeWeight, alikeOn: (slot) => table.tasks[slot]! },
    };
    const foundation = new Foundation(table, preferences, this.options);
    const candidates = new Candidates(table, foundation, this.options, alikeWeight);
    this.table = table;
    this.foundation = foundation;
    this.gangs = new Gangs(table, foundation, alikeWeight);
    this.chooser = new Chooser(table, foundation, this.gangs, candidates);
    this.ruledChooser = new RuledChooser(table, foundation, candidates);
    for (const cell of cells) this.upsertCell(cell);
  }

  upsertCell(cell: AuctionCell): void {
    const { table, foundation } = this;
    const slot = table.slotOf(cell.cellId);
    if (table.cells[slot] !== undefined && foundation.isUnmoved(slot, cell)) {
      table.cells[slot] = cell;
      return;
    }
    this.leave(slot);
    table.describe(slot, cell);
    if (!cell.evacuating) foundation.enter(slot);
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
    this.touch(slot, held.starting ? -1 : 0);
    this.table.forgetIfEmpty(slot);
  }

  available(cellId: string): CellCapacity | undefined {
    const slot = this.table.find(cellId);
    return slot === undefined || this.table.cells[slot] === undefined ? undefined : this.table.leftOn(slot);
  }

  auction(batch: AuctionBatch): AuctionResult {
    const result: AuctionResult = { placements: [], failures: [] };
    this.foundation.renumber();
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
    this.foundation.renumber();
    const { table } = this;
    const slots = [...table.known].filter((slot) => table.zone[slot]! >= 0);
    const judge = judgeOf(auction, this.options);
    const surroundings = surroundingsOf(
      auction,
      slots.map((slot) => this.neighbour(slot)),
      this.options,
    );
    const app = isTaskAuction(auction) ? undefined : table.instances.idOf(auction.processGuid);
    const zones = app === undefined ? undefined : this.foundation.zones.instancesOf(app);
    return slots.map((slot) =>
      judge({
        cell: table.cells[slot]!,
        hash: table.hash[slot]!,
        binPack: this.options.binPackFirstFitWeight * table.position[slot]!,
        left: table.leftToStart(slot),
        starting: table.starting[slot]!,
        findings: surroundings.findings(table.cells[slot]!),
        isKept: surroundings.isKept(table.cells[slot]!),
        zoneInstances: zones?.[table.zone[slot]!] ?? 0,
        instances: app === undefined ? table.tasks[slot]! : table.instances.instancesOn(app, slot),
      }),
    );
  }

  private neighbour(slot: number) {
    const { table } = this;
    const load = {
      instancesOf: (guid: string) => table.instances.instancesOn(table.instances.idOf(guid), slot),
      leftOn: () => table.leftOn(slot),
    };
    return { cell: table.cells[slot]!, load };
  }

  /** The slot of the cell that takes the work, or why none can. */
  private decide(auction: Auction): number | Told {
    const { foundation } = this;
    if (foundation.cells === 0) return told(noCells());
    const { startingContainerCountMaximum: maximum, strict } = this.options;
    if (maximum > 0 && foundation.starting >= maximum) return told(startLimitReached());
    return !strict && hasRules(auction) ? this.decideByRules(auction) : this.decidePlainly(auction);
  }

  private decideByRules(auction: Auction): number | Told {
    const slot = this.ruledChooser.choose(auction);
    if (slot >= 0) return slot;
    const why = summarize(this.explain(auction));
    return { why, error: placementErrorText(why, auction.placementTags) };
  }

  private decidePlainly(auction: Auction): number | Told {
    const constraint = this.foundation.plain.constraints.of(auction);
    const remembered = constraint.failures.find(auction, this.growth);
    if (remembered === undefined) {
      const slot = this.chooser.choose(auction, constraint);
      if (slot >= 0) return slot;
    } else if (remembered.changes === constraint.changes) {
      return remembered;
    }
    return this.fail(auction, constraint);
  }

  private fail(auction: Auction, constraint: Constraint): Told {
    const { table, foundation, growth } = this;
    const { strict } = this.options;
    const isTask = isTaskAuction(auction);
    const why = failureOf(constraint, auction, { table, cells: foundation.cells, isTask, strict });
    const error = placementErrorText(why, auction.placementTags);
    const failure = { why, error, growth, changes: constraint.changes };
    constraint.failures.remember(auction, failure);
    return failure;
  }

  private place(slot: number, auction: Auction): void {
    const isTask = isTaskAuction(auction);
    if (this.options.strict && !isTask) {
      this.table.proxyFree[slot]! += 1;
      this.uncharged.push(slot);
    }
    const { memoryMb, diskMb, cpuMillicores, ports, devices } = auction;
    const held = { memoryMb, diskMb, processGuid: isTask ? undefined : auction.processGuid, starting: true };
    this.book(slot, asksForMore(auction) ? { ...held, cpuMillicores, ports, devices } : held);
  }

  private book(slot: number, held: HeldWork): void {
    const app = this.table.add(slot, held);
    this.gangs.count(app, slot, 1);
    this.touch(slot, held.starting ? 1 : 0);
  }

  private touch(slot: number, starting: number): void {
    if (this.table.zone[slot]! < 0) return;
    this.foundation.touch(slot);
    this.foundation.starting += starting;
  }

  private leave(slot: number): void {
    if (this.table.zone[slot]! >= 0) this.foundation.leave(slot);
  }

  private chargeProxies(): void {
    for (const slot of this.uncharged) {
      this.table.proxyFree[slot] = 0;
      this.touch(slot, 0);
    }
    this.uncharged.length = 0;
  }
}

function told(why: PlacementFailure): Told {
  return { why, error: placementErrorText(why) };
}
