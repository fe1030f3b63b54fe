import type { LoggerService } from '@nestjs/common';
import { effectsOf, type Transition } from '#rivera/lifecycle';
import type { Mailboxes } from './mailboxes.js';

/**
 * Tells cells what a committed transition means for them. Only wake-ups, never awaited by the one who committed:
 * the store is level-triggered, so a lost one costs a moment, never an instance.
 */
export class Notifier {
  constructor(
    private readonly mailboxes: Mailboxes,
    private readonly logger: LoggerService,
  ) {}

  /** @param reportedBy the cell whose own report this was; it is not told what it said itself */
  publish(transition: Transition, reportedBy?: string): void {
    for (const [cellId, stop] of effectsOf(transition, reportedBy).stops) {
      this.mailboxes
        .cell(cellId)
        .tell('stop', stop)
        .catch((error: unknown) => {
          const reason = error instanceof Error ? error.message : String(error);
          this.logger.warn('failed-to-notify', { cellId, reason });
        });
    }
  }
}
