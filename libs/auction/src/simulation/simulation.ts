import { RiveraError } from '#rivera/models';
import type { AuctionEngine } from '../auction-engine.js';
import { isTaskAuction, workId } from '../types.js';
import type { Auction, AuctionBatch, AuctionCell, AuctionResult, HeldWork } from '../types.js';
import type { SimulationInput } from './inputs.js';
import { distributionScore, memoryFill, reportOn } from './report.js';
import type { SimulatedCell, SimulatedWork } from './books.js';
import type { FirstFailure, SimulationReport } from './report.js';

export interface SimulationOptions {
  /** Called around each auction of the engine, for callers that have a clock. */
  around?: (auction: () => AuctionResult) => AuctionResult;
}

/** What became of one piece of work in one auction. */
export interface Decision {
  auction: Auction;
  /** Absent when it was not placed. */
  cellId?: string;
  /** The placement error. */
  error?: string;
}

/**
 * Simulated cells under an auction engine: takes what happens (`SimulationInput`), has the engine decide, and keeps
 * books of its own on what runs where, so that the report does not rest on the engine's word.
 */
export class Simulation {
  private readonly cells = new Map<string, SimulatedCell>();
  private readonly work = new Map<string, SimulatedWork>();
  private waiting: Auction[] = [];
  private starting: SimulatedWork[] = [];
  private readonly lost = new Set<string>();
  private readonly failures = new Map<string, number>();
  private firstFailure: FirstFailure | undefined;
  private initialScore: number | undefined;
  private readonly counts = { submitted: 0, decisions: 0, placements: 0, failures: 0, refused: 0, lost: 0 };

  constructor(
    private readonly engine: AuctionEngine,
    private readonly options: SimulationOptions = {},
  ) {}

  /** Has anything not been placed so far? */
  get hasFailed(): boolean {
    return this.counts.failures > 0;
  }

  /**
   * Has one thing happen. Answers the decisions of an `auction`, in the order in which they were made; nothing for
   * everything else.
   *
   * @throws RiveraError `invalid-request` when it names a cell that is not there, or work that is there already.
   */
  apply(input: SimulationInput): Decision[] {
    switch (input.type) {
      case 'cell':
        this.addCell(input.cell);
        break;
      case 'runs':
        this.hold(this.add(input.auction, { ranAtFirst: true }), { cellId: input.cellId, isStarting: false });
        break;
      case 'submit':
        this.add(input.auction);
        this.counts.submitted += 1;
        this.waiting.push(input.auction);
        break;
      case 'auction':
        return this.decide();
      case 'started':
        this.startEverything();
        break;
      case 'refused':
        this.refuse(input.work);
        break;
      case 'ended':
        this.end(input.work);
        break;
      case 'lost':
        this.cellOf(input.cellId);
        this.lost.add(input.cellId);
        break;
    }
    return [];
  }

  report(): SimulationReport {
    const { failures, firstFailure, initialScore, counts } = this;
    return reportOn(
      { cells: [...this.cells.values()], work: this.work.values() },
      { ...counts, failuresByReason: failures, firstFailure, initialDistributionScore: initialScore },
    );
  }

  private addCell(cell: AuctionCell): void {
    const known = this.cells.get(cell.cellId);
    this.cells.set(cell.cellId, known === undefined ? emptyCell(cell) : { ...known, cell });
    this.engine.upsertCell(cell);
  }

  private add(auction: Auction, { ranAtFirst = false } = {}): SimulatedWork {
    const id = workId(auction);
    if (this.work.has(id))
      throw invalid(`${id} is submitted twice. Give each instance and task a name of its own.`);
    const work: SimulatedWork = { auction, isStarting: false, ranAtFirst };
    this.work.set(id, work);
    return work;
  }

  private cellOf(cellId: string): SimulatedCell {
    const cell = this.cells.get(cellId);
    if (cell === undefined)
      throw invalid(`There is no cell ${cellId}. Describe it before anything happens to it.`);
    return cell;
  }

  private workOf(id: string): SimulatedWork {
    const work = this.work.get(id);
    if (work === undefined) throw invalid(`There is no work ${id}. Submit it before anything happens to it.`);
    return work;
  }

  private decide(): Decision[] {
    this.vacateLostCells();
    this.initialScore ??= distributionScore([...this.cells.values()]);
    const batch = batchOf(this.waiting);
    this.waiting = [];
    const { around = (auction) => auction() } = this.options;
    const { placements, failures } = around(() => this.engine.auction(batch));
    for (const { auction, cellId } of placements) {
      const work = this.workOf(workId(auction));
      this.book(work, { cellId, isStarting: true });
      this.starting.push(work);
    }
    for (const { error } of failures) this.failures.set(error, (this.failures.get(error) ?? 0) + 1);
    this.counts.decisions += placements.length + failures.length;
    this.counts.placements += placements.length;
    this.counts.failures += failures.length;
    const [first] = failures;
    if (first !== undefined) this.firstFailure ??= { ...this.describe(first.auction), error: first.error };
    return [...placements, ...failures];
  }

  private describe(auction: Auction): Omit<FirstFailure, 'error'> {
    const { memoryMb, diskMb } = auction;
    return { work: workId(auction), memoryMb, diskMb, memoryFill: memoryFill([...this.cells.values()]) };
  }

  /** What was on lost cells waits; their books are closed. */
  private vacateLostCells(): void {
    if (this.lost.size === 0) return;
    for (const work of this.work.values()) {
      if (work.cellId === undefined || !this.lost.has(work.cellId)) continue;
      this.release(work);
      work.ranAtFirst = false;
      this.counts.lost += 1;
      this.waiting.push(work.auction);
    }
    for (const cellId of this.lost) {
      this.engine.removeCell(cellId);
      this.cells.delete(cellId);
    }
    this.lost.clear();
  }

  private startEverything(): void {
    for (const work of this.starting) {
      const { cellId, isStarting } = work;
      if (cellId === undefined || !isStarting) continue;
      this.release(work);
      this.hold(work, { cellId, isStarting: false });
    }
    this.starting = [];
  }

  private refuse(id: string): void {
    const work = this.workOf(id);
    const { auction, cellId } = work;
    if (cellId === undefined) return;
    this.release(work);
    this.counts.refused += 1;
    work.auction = { ...auction, refusedBy: [...(auction.refusedBy ?? []), cellId] };
    this.waiting.push(work.auction);
  }

  private end(id: string): void {
    const work = this.workOf(id);
    if (work.cellId !== undefined) this.release(work);
    this.waiting = this.waiting.filter((auction) => auction !== work.auction);
    this.work.delete(id);
  }

  private hold(work: SimulatedWork, where: { cellId: string; isStarting: boolean }): void {
    this.book(work, where);
    this.engine.reserve(where.cellId, heldBy(work));
  }

  private book(work: SimulatedWork, { cellId, isStarting }: { cellId: string; isStarting: boolean }): void {
    count(this.cellOf(cellId), work, 1);
    work.cellId = cellId;
    work.isStarting = isStarting;
  }

  private release(work: SimulatedWork): void {
    if (work.cellId === undefined) return;
    count(this.cellOf(work.cellId), work, -1);
    this.engine.release(work.cellId, heldBy(work));
    work.cellId = undefined;
  }
}

/** Has everything happen to the cells of an engine, and says how that went. */
export function simulate(
  inputs: Iterable<SimulationInput>,
  engine: AuctionEngine,
  options: SimulationOptions = {},
): SimulationReport {
  const simulation = new Simulation(engine, options);
  for (const input of inputs) simulation.apply(input);
  return simulation.report();
}

function emptyCell(cell: AuctionCell): SimulatedCell {
  return { cell, memoryMb: 0, diskMb: 0, containers: 0, placed: 0, placedMemoryMb: 0 };
}

function count(cell: SimulatedCell, { auction, ranAtFirst }: SimulatedWork, step: 1 | -1): void {
  cell.memoryMb += step * auction.memoryMb;
  cell.diskMb += step * auction.diskMb;
  cell.containers += step;
  if (ranAtFirst) return;
  cell.placed += step;
  cell.placedMemoryMb += step * auction.memoryMb;
}

function heldBy({ auction, isStarting }: SimulatedWork): HeldWork {
  return { ...auction, starting: isStarting };
}

function batchOf(waiting: readonly Auction[]): AuctionBatch {
  const batch: { lrps: AuctionBatch['lrps'][number][]; tasks: AuctionBatch['tasks'][number][] } = {
    lrps: [],
    tasks: [],
  };
  for (const auction of waiting) {
    if (isTaskAuction(auction)) batch.tasks.push(auction);
    else batch.lrps.push(auction);
  }
  return batch;
}

function invalid(message: string): RiveraError {
  return new RiveraError('invalid-request', message);
}
