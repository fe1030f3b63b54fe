import type { Principal } from './principal.js';

interface Verified {
  principal: Principal;
  /** Of the key ring when verification began. */
  generation: number;
}

/** Tokens come back with every request of a client; a thousand clients at a time are remembered. */
const CAPACITY = 1_000;

/**
 * The tokens verified lately, so that a public-key signature costs once and not on every request. An answer is only
 * given while the token is valid and the keys are those it was verified with.
 */
export class VerifiedTokens {
  /** In the order of their last use. */
  private readonly entries = new Map<string, Verified>();

  constructor(private readonly capacity = CAPACITY) {}

  get size(): number {
    return this.entries.size;
  }

  find(token: string, generation: number, now: number): Principal | undefined {
    const entry = this.entries.get(token);
    if (entry === undefined) return undefined;
    this.entries.delete(token);
    const isGood = entry.generation === generation && now < (entry.principal.expiresAt ?? 0);
    if (!isGood) return undefined;
    this.entries.set(token, entry);
    return entry.principal;
  }

  /** @param generation of the keys before one was chosen, so that a change meanwhile makes the entry worthless */
  remember(token: string, principal: Principal, generation: number): void {
    this.entries.set(token, { principal, generation });
    if (this.entries.size <= this.capacity) return;
    const oldest = this.entries.keys().next();
    if (!oldest.done) this.entries.delete(oldest.value);
  }
}
