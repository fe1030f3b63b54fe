import { notFound } from '#rivera/models';
import type { Address } from './address.js';
import type { Bus, MailboxQueue } from './bus.js';
import { toDeadLetter } from './mailbox.server.js';
import type { DeadLetter } from './mailbox.server.js';

const PAGE = 500;

/** The dead letters of one mailbox, for an operator. Errors: `unavailable` and `forbidden` as for `tell`. */
export class DeadLetters {
  private readonly queue: MailboxQueue;

  constructor(
    readonly address: Address,
    private readonly bus: Bus,
  ) {
    this.queue = bus.queue(address);
  }

  async count(): Promise<number> {
    return await this.bus.run(() => this.queue.getFailedCount());
  }

  /** Newest first. */
  async list(page: { offset?: number; limit?: number } = {}): Promise<DeadLetter[]> {
    const { offset = 0, limit = 100 } = page;
    const jobs = await this.bus.run(() => this.queue.getFailed(offset, offset + limit - 1));
    return jobs.map(toDeadLetter);
  }

  /** Puts one message back, with all its attempts before it again. Throws `not-found` when it is no dead letter. */
  async replay(id: string): Promise<void> {
    const job = await this.bus.run(() => this.queue.getJob(id));
    if (!job || !(await this.bus.run(() => job.isFailed()))) {
      throw notFound(`dead letter of "${this.address}"`, id);
    }
    await this.bus.run(() => job.retry('failed', { resetAttemptsMade: true }));
  }

  /** Puts all back that are dead now, oldest first, and says how many; what fails again meanwhile is left. */
  async replayAll(): Promise<number> {
    const ids: string[] = [];
    for (let page = PAGE; page === PAGE;) {
      const letters = await this.list({ offset: ids.length, limit: PAGE });
      ids.push(...letters.map(({ id }) => id));
      page = letters.length;
    }
    for (const id of ids.toReversed()) await this.replay(id);
    return ids.length;
  }

  async close(): Promise<void> {
    await this.queue.close();
  }
}
