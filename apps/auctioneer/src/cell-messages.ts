import type { Mailboxes } from '#rivera/actor';
import { type CellMessages as Messages, heldResources } from '#rivera/models';
import type { RiveraLogger } from '#rivera/platform';
import type { WorkRecord } from './work-reader.js';

type Placed = Messages['place'];

/**
 * Tells cells what they were given. Nobody waits for it: each cell has one message under way at most, and what comes
 * meanwhile goes together in the next, so that a mailbox that hangs holds up its own cell and no other. A cell whose
 * message is lost finds its placements when it next reads its work, or their deadline passes.
 */
export class CellMessages {
  private readonly outbox = new Map<string, Placed>();
  private readonly underWay = new Set<string>();

  constructor(
    private readonly mailboxes: Mailboxes,
    private readonly logger: RiveraLogger,
  ) {}

  /** Puts what a placed record tells its cell in that cell's next message; `send` posts them. */
  add(work: WorkRecord): void {
    const { placement } = work.record;
    if (placement === undefined) return;
    const message = this.outbox.get(placement.cellId) ?? { lrps: [], tasks: [] };
    this.outbox.set(placement.cellId, message);
    if (work.kind === 'task') {
      const { taskGuid, definition } = work.record;
      message.tasks.push({ taskGuid, resources: heldResources(definition) });
    } else {
      const { processGuid, index, resources } = work.record;
      message.lrps.push({ processGuid, index, instanceGuid: placement.instanceGuid, resources });
    }
  }

  send(): void {
    for (const cellId of this.outbox.keys()) if (!this.underWay.has(cellId)) void this.tell(cellId);
  }

  /** The cell is gone, and what it was told with it. */
  async forget(cellId: string): Promise<void> {
    this.outbox.delete(cellId);
    try {
      await this.mailboxes.removeCell(cellId);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.logger.warn('failed-to-remove-mailbox', { cellId, reason });
    }
  }

  private async tell(cellId: string): Promise<void> {
    this.underWay.add(cellId);
    for (let message = this.outbox.get(cellId); message !== undefined; message = this.outbox.get(cellId)) {
      this.outbox.delete(cellId);
      try {
        await this.mailboxes.cell(cellId).tell('place', message);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.logger.warn('failed-to-tell-cell', { cellId, reason });
      }
    }
    this.underWay.delete(cellId);
  }
}
