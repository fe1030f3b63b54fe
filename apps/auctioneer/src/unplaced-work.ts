import type { Member } from './work-member.js';

/**
 * What is to be decided next, first come first served, and what is being decided. Only names: the records are read when
 * their turn comes, so that a decision rests on what is true then.
 */
export class UnplacedWork {
  private readonly waiting = new Set<Member>();
  private readonly inFlight = new Set<Member>();

  /** Also while a decision about it is under way, which is then followed by another. */
  add(member: Member): void {
    this.waiting.add(member);
  }

  delete(member: Member): void {
    this.waiting.delete(member);
  }

  has(member: Member): boolean {
    return this.waiting.has(member) || this.inFlight.has(member);
  }

  get size(): number {
    return this.waiting.size;
  }

  /** The next of them, at most `limit`; give them back with `settle`. */
  take(limit: number): Member[] {
    const taken: Member[] = [];
    for (const member of this.waiting) {
      if (taken.length === limit) break;
      if (this.inFlight.has(member)) continue;
      taken.push(member);
    }
    for (const member of taken) {
      this.waiting.delete(member);
      this.inFlight.add(member);
    }
    return taken;
  }

  settle(members: readonly Member[]): void {
    for (const member of members) this.inFlight.delete(member);
  }
}
