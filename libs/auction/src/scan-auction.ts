import type { CellCapacity } from '#rivera/models';
import type { AuctionEngine } from './auction-engine.js';
import { CellLoad } from './cell-load.js';
import { chooseCell } from './choose.js';
import type { Left } from './constraints.js';
import { orderOfWork } from './order.js';
import { noCells, placementErrorText, startLimitReached, summarize } from './placement-error.js';
import { surroundingsOf } from './surroundings.js';
import { hash32 } from './tie-break.js';
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
import { instancesByZone, positionsInZones } from './zones.js';

/** A cell that may take work, with what does not change while a batch is decided. */
interface UsableCell {
  cell: AuctionCell;
  load: CellLoad;
  hash: number;
  /** Weighted position in its zone. */
  binPack: number;
}

/**
 * The auction as a plain scan: every piece of work looks at every cell. It states the rule (docs/placement.md) as
 * directly as possible, and any faster engine has to decide exactly as it does.
 */
export class ScanAuction implements AuctionEngine {
  private readonly options: AuctionOptions;
  private readonly cells = new Map<string, AuctionCell>();
  private readonly loads = new Map<string, CellLoad>();
  /** Instances placed in this batch whose proxy is not charged yet, by cell id; only in strict mode. */
  private readonly proxyFree = new Map<string, number>();
  private usable: UsableCell[] | undefined;

  constructor(cells: Iterable<AuctionCell> = [], options: Partial<AuctionOptions> = {}) {
    this.options = { ...DEFAULT_AUCTION_OPTIONS, ...options };
    for (const cell of cells) this.upsertCell(cell);
  }

  upsertCell(cell: AuctionCell): void {
    this.cells.set(cell.cellId, cell);
    this.usable = undefined;
  }

  removeCell(cellId: string): void {
    this.cells.delete(cellId);
    this.usable = undefined;
    this.forgetIfEmpty(cellId);
  }

  reserve(cellId: string, held: HeldWork): void {
    this.loadOf(cellId).add(held);
  }

  release(cellId: string, held: HeldWork): void {
    this.loadOf(cellId).remove(held);
    this.forgetIfEmpty(cellId);
  }

  available(cellId: string): CellCapacity | undefined {
    const cell = this.cells.get(cellId);
    return cell && this.loadOf(cellId).leftOn(cell);
  }

  auction(batch: AuctionBatch): AuctionResult {
    const result: AuctionResult = { placements: [], failures: [] };
    for (const auction of orderOfWork(batch, this.options.strict)) {
      const decision = this.decide(auction);
      if (typeof decision === 'string') {
        this.place(decision, auction);
        result.placements.push({ auction, cellId: decision });
      } else {
        const error = placementErrorText(decision, auction.placementTags);
        result.failures.push({ auction, error, why: decision });
      }
    }
    this.proxyFree.clear();
    return result;
  }

  plan(batch: AuctionBatch): AuctionResult {
    const result = this.auction(batch);
    for (const { auction, cellId } of result.placements) this.release(cellId, { ...auction, starting: true });
    return result;
  }

  explain(auction: Auction): CellVerdict[] {
    const cells = this.usableCells();
    const zones = isTaskAuction(auction) ? undefined : instancesByZone(cells, auction.processGuid);
    const judge = judgeOf(auction, this.options);
    const surroundings = surroundingsOf(auction, cells, this.options);
    return cells.map(({ cell, load, hash, binPack }) =>
      judge({
        cell,
        hash,
        binPack,
        left: this.leftOn(cell, load),
        starting: load.starting,
        findings: surroundings.findings(cell),
        isKept: surroundings.isKept(cell),
        zoneInstances: zones?.get(cell.zone) ?? 0,
        instances: isTaskAuction(auction) ? load.tasks : load.instancesOf(auction.processGuid),
      }),
    );
  }

  private leftOn(cell: AuctionCell, load: CellLoad): Left {
    const left = load.leftOn(cell, this.proxyFree.get(cell.cellId));
    return cell.maxStarting === undefined ? left : { ...left, starts: cell.maxStarting - load.starting };
  }

  /** The id of the cell that takes the work, or why none can. */
  private decide(auction: Auction): string | PlacementFailure {
    if (this.usableCells().length === 0) return noCells();
    if (this.isStartLimitReached()) return startLimitReached();
    const verdicts = this.explain(auction);
    return chooseCell(verdicts, this.options.strict)?.cellId ?? summarize(verdicts);
  }

  private place(cellId: string, auction: Auction): void {
    this.reserve(cellId, { ...auction, starting: true });
    if (this.options.strict && !isTaskAuction(auction)) {
      this.proxyFree.set(cellId, (this.proxyFree.get(cellId) ?? 0) + 1);
    }
  }

  private isStartLimitReached(): boolean {
    const { startingContainerCountMaximum: maximum } = this.options;
    if (maximum <= 0) return false;
    return this.usableCells().reduce((sum, { load }) => sum + load.starting, 0) >= maximum;
  }

  private usableCells(): UsableCell[] {
    if (this.usable === undefined) {
      const cells = [...this.cells.values()].filter(({ evacuating }) => !evacuating);
      const { binPackFirstFitWeight } = this.options;
      const positions = binPackFirstFitWeight > 0 ? positionsInZones(cells) : undefined;
      this.usable = cells.map((cell) => ({
        cell,
        load: this.loadOf(cell.cellId),
        hash: hash32(cell.cellId),
        binPack: binPackFirstFitWeight * (positions?.get(cell.cellId) ?? 0),
      }));
    }
    return this.usable;
  }

  private loadOf(cellId: string): CellLoad {
    let load = this.loads.get(cellId);
    if (load === undefined) {
      load = new CellLoad();
      this.loads.set(cellId, load);
    }
    return load;
  }

  private forgetIfEmpty(cellId: string): void {
    if (!this.cells.has(cellId) && this.loads.get(cellId)?.containers === 0) this.loads.delete(cellId);
  }
}
