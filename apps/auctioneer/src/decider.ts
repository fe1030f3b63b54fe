import { type Auction, isTaskAuction, type LRPAuction, type TaskAuction } from '#rivera/auction';
import type { AuctioneerParts } from './auctioneer-parts.js';
import { workOfAuction } from './auction-requests.js';
import type { Blocked, BlockedWork } from './blocked-work.js';
import type { CellPicture } from './cell-picture.js';
import { type Decision, tagOnceDecided } from './placement-commits.js';
import type { UnplacedWork } from './unplaced-work.js';
import type { Member } from './work-member.js';
import type { UnplacedRecord } from './work-reader.js';

/** A cell is not asked again for what it has just refused, even if it is the only one with room. */
const ASK_AGAIN_MS = 30_000;
/** Cells that one instance or task is offered to before it waits, so that its fault is not taken for theirs. */
const MAX_TRIES = 3;
/** Blocked work that is tried next when a probe of its kind has found a cell after all. */
const WOKEN_BY_PROBE = 100;

/** What the decider reads and moves on: the state of an activation. */
export interface DecisionState {
  readonly picture: CellPicture;
  readonly blocked: BlockedWork;
  readonly unplaced: UnplacedWork;
  /** Blocked work that is being tried although nothing speaks for it. */
  readonly probes: Set<Member>;
}

/**
 * Runs the auction over a batch and books its result at once, as if it were written: the next batch, decided while this
 * one is being written, rests on it.
 */
export class Decider {
  constructor(
    private readonly parts: Pick<AuctioneerParts, 'clock' | 'decisions'>,
    private readonly state: DecisionState,
  ) {}

  decide(works: readonly UnplacedRecord[]): Decision[] {
    const { picture } = this.state;
    const byAuction = new Map<Auction, UnplacedRecord>(works.map((work) => [work.auction, work]));
    const batch = {
      lrps: works
        .map(({ auction }) => auction)
        .filter((auction): auction is LRPAuction => !isTaskAuction(auction)),
      tasks: works
        .map(({ auction }) => auction)
        .filter((auction): auction is TaskAuction => isTaskAuction(auction)),
    };
    const began = performance.now();
    const { placements, failures } = picture.engine.auction(batch);
    const tookUs = ((performance.now() - began) * 1_000) / works.length;

    const decisions: Decision[] = [];
    for (const { auction, cellId } of placements) {
      const work = byAuction.get(auction)!;
      if (this.mustWait(cellId, work)) {
        picture.engine.release(cellId, workOfAuction(auction));
        const error = refusedText(work);
        this.block(work, { reason: 'refused', error });
        decisions.push({ work, error });
      } else {
        picture.assume(work.member, cellId, workOfAuction(auction), tagOnceDecided(work));
        if (this.state.probes.has(work.member)) this.wakeAlike(auction);
        decisions.push({ work, cellId });
      }
    }
    for (const { auction, error, why } of failures) {
      const work = byAuction.get(auction)!;
      this.block(work, { reason: why.reason, error });
      decisions.push({ work, error });
    }
    this.remember(decisions, tookUs);
    return decisions;
  }

  /** What is like it and was told another reason is to be told this one. */
  private block({ member, auction }: UnplacedRecord, why: Blocked): void {
    for (const outdated of this.state.blocked.block(member, auction, why)) this.state.unplaced.add(outdated);
  }

  /** What is like a probe that found a cell is tried too, and speaks for still more. */
  private wakeAlike(auction: Auction): void {
    for (const member of this.state.blocked.wakeAlike(auction, WOKEN_BY_PROBE)) {
      this.state.unplaced.add(member);
      this.state.probes.add(member);
    }
  }

  /** The engine tries cells that refused it last: if it chose one of them, no other has room. */
  private mustWait(cellId: string, { record }: UnplacedRecord): boolean {
    const { refusedBy = [] } = record;
    if (!refusedBy.includes(cellId) && refusedBy.length < MAX_TRIES) return false;
    const refusedAt = 'since' in record ? record.since : record.updatedAt;
    return this.parts.clock.now() - refusedAt < ASK_AGAIN_MS;
  }

  private remember(decisions: readonly Decision[], tookUs: number): void {
    const decidedAt = this.parts.clock.now();
    for (const { work, cellId, error } of decisions) {
      this.parts.decisions.remember(work.member, {
        decidedAt,
        tookUs,
        ...(cellId === undefined ? {} : { cellId }),
        ...(error === undefined ? {} : { placementError: error }),
      });
    }
  }
}

function refusedText({ record: { refusedBy = [], refusal } }: UnplacedRecord): string {
  const cells = refusedBy.length === 1 ? '1 cell' : `${refusedBy.length} cells`;
  const first = refusal === undefined ? '' : `; first cell ${refusal.cellId}: ${refusal.reason}`;
  return `refused by ${cells}${first}`;
}
