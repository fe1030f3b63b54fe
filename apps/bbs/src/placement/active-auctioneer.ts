import { Inject, Injectable } from '@nestjs/common';
import { Mailboxes } from '#rivera/actor';
import { type AuctioneerMessages, RiveraError } from '#rivera/models';
import { RedisLease, Store } from '#rivera/store';

/** Injection token: how long the active auctioneer may take to answer, in milliseconds. */
export const ASK_TIMEOUT_MS = Symbol('ASK_TIMEOUT_MS');

/** Puts questions to the auctioneer that holds the lease. */
@Injectable()
export class ActiveAuctioneer {
  private readonly lease: RedisLease;

  constructor(
    private readonly mailboxes: Mailboxes,
    store: Store,
    @Inject(ASK_TIMEOUT_MS) private readonly timeoutMs: number,
  ) {
    this.lease = new RedisLease(store.redis, 'auctioneer');
  }

  /** Errors: `unavailable` when none is active, at once, or when it does not answer in time. */
  async ask<Answer>(
    name: keyof AuctioneerMessages,
    question: AuctioneerMessages[typeof name],
  ): Promise<Answer> {
    if (!(await this.lease.isHeld())) {
      throw new RiveraError(
        'unavailable',
        'No auctioneer is active, so nothing is being placed and nobody can answer. Start one, or ask again in a moment.',
      );
    }
    return (await this.mailboxes.auctioneer().ask(name, question, this.timeoutMs)) as Answer;
  }
}
