import { Logger } from '@nestjs/common';
import type { LoggerService } from '@nestjs/common';
import type { AuctioneerMessages, CellMessages, ConvergerMessages } from '#rivera/models';
import { AUCTIONEER, cellAddress, CONVERGER } from './address.js';
import type { Address } from './address.js';
import { Bus } from './bus.js';
import type { BusConnection } from './bus.js';
import { DeadLetters } from './dead-letters.js';
import { MailboxRef } from './mailbox-ref.js';

/** Refs kept open at once; the one unused for longest is closed, and opens again when it is used. */
const MAX_OPEN_REFS = 5_000;

export interface MailboxesOptions {
  connection: BusConnection;
  logger?: LoggerService;
  /**
   * The longest a `tell` may take before it rejects with `unavailable` (default 5 s). A lost connection rejects at once;
   * this is for a bus that hangs, and leaves a burst to thousands of cells its time.
   */
  timeoutMs?: number;
  /** Attempts of a message before it is a dead letter (default 5). */
  attempts?: number;
  /** Delay before the second attempt, doubled with each further one (default 1 s: 15 s for all five). */
  backoffMs?: number;
}

/** All actors one can tell something, over one Redis connection however many cells there are. */
export class Mailboxes {
  private readonly bus: Bus;
  /** In the order of last use, by address. */
  private readonly refs = new Map<Address, MailboxRef<never>>();

  constructor(options: MailboxesOptions) {
    const {
      logger = new Logger(Mailboxes.name),
      timeoutMs = 5_000,
      attempts = 5,
      backoffMs = 1_000,
    } = options;
    this.bus = new Bus({ connection: options.connection, logger, timeoutMs, attempts, backoffMs });
  }

  cell(cellId: string): MailboxRef<CellMessages> {
    return this.ref<CellMessages>(cellAddress(cellId));
  }

  auctioneer(): MailboxRef<AuctioneerMessages> {
    return this.ref<AuctioneerMessages>(AUCTIONEER);
  }

  converger(): MailboxRef<ConvergerMessages> {
    return this.ref<ConvergerMessages>(CONVERGER);
  }

  /**
   * Removes the mailbox of a cell that is gone for good, with all messages and dead letters in it. A cell of that name
   * that comes later begins with an empty one. Errors: `unavailable` and `forbidden` as for `tell`.
   */
  async removeCell(cellId: string): Promise<void> {
    const address = cellAddress(cellId);
    const ref = this.refs.get(address);
    this.refs.delete(address);
    await ref?.close();
    const queue = this.bus.queue(address);
    try {
      // Forced: a message that the cell died with is still being handled, as far as the bus knows.
      await this.bus.run(() => queue.obliterate({ force: true }));
    } finally {
      await queue.close();
    }
  }

  /** The dead letters of a mailbox; close it after use. */
  deadLetters(address: Address): DeadLetters {
    return new DeadLetters(address, this.bus);
  }

  async close(): Promise<void> {
    await Promise.all([...this.refs.values()].map((ref) => ref.close()));
    this.refs.clear();
    this.bus.close();
  }

  private ref<Messages>(address: Address): MailboxRef<Messages> {
    const ref =
      (this.refs.get(address) as MailboxRef<Messages> | undefined) ?? new MailboxRef(address, this.bus);
    this.refs.delete(address);
    this.refs.set(address, ref);
    if (this.refs.size > MAX_OPEN_REFS) this.closeOldest();
    return ref;
  }

  private closeOldest(): void {
    const [oldest] = this.refs;
    if (!oldest) return;
    this.refs.delete(oldest[0]);
    // Its queue has no connection of its own, so nothing can go wrong that anyone could act on.
    void oldest[1].close().catch(() => undefined);
  }
}
