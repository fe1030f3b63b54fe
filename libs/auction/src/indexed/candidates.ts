import type { HeldResources } from '#rivera/models';
import { HOLE_WEIGHT, SCORE_UNIT } from '../score.js';
import { workHash } from '../tie-break.js';
import { isTaskAuction } from '../types.js';
import type { Auction, AuctionOptions } from '../types.js';
import type { CellTable } from './cell-table.js';
import type { Constraint } from './constraint-table.js';
import type { Foundation } from './foundation.js';
import { asksForMore } from './further-resources.js';
import { Search } from './search.js';
import type { Topology } from './topology.js';

/**
 * The search for one piece of work, and the cells that trees cannot judge and that are looked at one by one: those that
 * refused it, and holes that are kept from it.
 */
export class Candidates {
  readonly search: Search;
  /** Matching cells that refused the work. */
  readonly refused: number[] = [];
  /** Matching cells that are kept for larger work. */
  readonly kept: number[] = [];
  private topology: Topology;
  private constraint: Constraint;
  private isTask = false;
  private isSmall = false;

  /** @param alikeWeight what an instance of the app adds to a score; 0 when instances go before the score. */
  constructor(
    private readonly table: CellTable,
    private readonly foundation: Foundation,
    private readonly options: AuctionOptions,
    readonly alikeWeight: number,
  ) {
    this.search = new Search(table);
  }

  begin(auction: Auction, constraint: Constraint, topology: Topology): void {
    const { strict, holes } = this.options;
    this.topology = topology;
    this.constraint = constraint;
    this.isTask = isTaskAuction(auction);
    this.isSmall = !strict && auction.memoryMb * 2 < holes.memoryMb;
    const further: HeldResources | undefined = !strict && asksForMore(auction) ? auction : undefined;
    this.search.begin(auction, further, this.isTask, workHash(auction));
    this.refused.length = 0;
    this.kept.length = 0;
    if (auction.refusedBy !== undefined && !strict) this.noteRefusals(auction.refusedBy);
    if (auction.failedOn !== undefined && !strict) this.noteRefusals(auction.failedOn);
    if (this.isSmall) this.noteHoles();
  }

  isMatching(slot: number): boolean {
    const bucket = this.topology.buckets[slot];
    return bucket !== undefined && this.constraint.isMatching(bucket);
  }

  isRefused(slot: number): boolean {
    return this.refused.length > 0 && this.refused.includes(slot);
  }

  /** Looks at one matching cell, which holds this many instances alike. */
  consider(slot: number, alike: number): void {
    if (this.table.isWithoutCapacity(slot)) return;
    const penalty = this.isSmall && this.isKept(slot) ? SCORE_UNIT * HOLE_WEIGHT : 0;
    const ownScore = this.table.ownScore(slot, this.isTask) + alike * this.alikeWeight;
    this.search.atCell(slot, this.alikeWeight === 0 ? alike : 0, ownScore + penalty);
  }

  /** Whether a cell that is kept could still be the best: not while any other without instances alike has room. */
  get mayBeKept(): boolean {
    return this.kept.length > 0 && !(this.search.alike === 0 && this.search.score < SCORE_UNIT * HOLE_WEIGHT);
  }

  hasRoom(slot: number): boolean {
    return !this.table.isWithoutCapacity(slot) && this.search.hasRoom(slot);
  }

  private isKept(slot: number): boolean {
    const holes = this.foundation.bucketOf(slot)?.holes;
    return holes !== undefined && holes.size <= this.options.holes.count && holes.has(slot);
  }

  private noteRefusals(refusedBy: readonly string[]): void {
    for (const cellId of refusedBy) {
      const slot = this.table.find(cellId);
      if (slot === undefined || this.isRefused(slot) || !this.isMatching(slot)) continue;
      this.refused.push(slot);
      this.search.passOver(slot);
    }
  }

  private noteHoles(): void {
    const { topology } = this.foundation.plain;
    const buckets = this.topology === topology ? this.constraint.buckets : topology.allBuckets;
    for (const bucket of buckets) {
      if (bucket.holes.size > this.options.holes.count) continue;
      for (const slot of bucket.holes) {
        if (this.isRefused(slot) || !this.isMatching(slot)) continue;
        this.kept.push(slot);
        this.search.passOver(slot);
      }
    }
  }
}
