import type { Member } from './work-member.js';

/** The last decision about a piece of work. */
export interface RememberedDecision {
  /** Milliseconds since the Unix epoch. */
  decidedAt: number;
  /** Time the auction took for the whole batch, divided by what was in it, in microseconds. */
  tookUs: number;
  cellId?: string;
  placementError?: string;
}

const KEPT = 20_000;

/** The latest decisions, for whoever asks why. */
export class DecisionMemory {
  private readonly decisions = new Map<Member, RememberedDecision>();

  remember(member: Member, decision: RememberedDecision): void {
    this.decisions.delete(member);
    this.decisions.set(member, decision);
    if (this.decisions.size <= KEPT) return;
    const [oldest] = this.decisions.keys();
    if (oldest !== undefined) this.decisions.delete(oldest);
  }

  of(member: Member): RememberedDecision | undefined {
    return this.decisions.get(member);
  }
}
