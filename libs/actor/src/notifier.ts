import type { LoggerService } from '@nestjs/common';
import { effectsOf, type Transition } from '#rivera/lifecycle';
import type { Mailboxes } from './mailboxes.js';

/** An auction takes all there is, so in a burst more messages would only cost. */
const WAKE_INTERVAL_MS = 5;

/**
 * Tells the actors what a committed transition means for them. Only wake-ups, never awaited by the one who committed:
 * the store is level-triggered, so a lost one costs a moment, never an instance.
 */
export class Notifier {
  private isWaking = false;
  private isWokenMeanwhile = false;

  constructor(
    private readonly mailboxes: Mailboxes,
    private readonly logger: LoggerService,
  ) {}

  /** @param reportedBy the cell whose own report this was; it is not told what it said itself */
  publish(transition: Transition, reportedBy?: string): void {
    const { wakeAuctioneer, stops } = effectsOf(transition, reportedBy);
    if (wakeAuctioneer) this.wakeAuctioneer();
    for (const [cellId, stop] of stops) {
      this.send(`cell ${cellId}`, this.mailboxes.cell(cellId).tell('stop', stop));
    }
  }

  /**
   * There may be unplaced work, or room for it. The first who asks is heard at once; all who ask within a moment of that
   * are content with one more message.
   */
  wakeAuctioneer(): void {
    if (this.isWaking) {
      this.isWokenMeanwhile = true;
      return;
    }
    this.isWaking = true;
    this.isWokenMeanwhile = false;
    const told = this.mailboxes.auctioneer().tell('wake', {}, { dedupId: 'wake' });
    this.send(
      'auctioneer',
      told.finally(() => {
        setTimeout(() => {
          this.isWaking = false;
          if (this.isWokenMeanwhile) this.wakeAuctioneer();
        }, WAKE_INTERVAL_MS);
      }),
    );
  }

  private send(receiver: string, told: Promise<void>): void {
    told.catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      this.logger.warn('failed-to-notify', { receiver, reason });
    });
  }
}
