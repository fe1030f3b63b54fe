import { Worker } from 'bullmq';
import { openRedis, type RedisClient } from '#rivera/platform';
import { cellAddress, mailboxQueue } from '#rivera/actor';
import type { CellMessages } from '#rivera/models';

type Placed = CellMessages['place'];

/** As an agent's. */
const LOCK_DURATION_MS = 10_000;
const WAIT_SECONDS = 10;

/**
 * The mailboxes of many cells, each consumed by a BullMQ worker as a cell's agent does: it blocks on a connection of its
 * own, takes the message with BullMQ's scripts, and acknowledges it. Only the other commands share a connection. Nothing
 * is done with the work but to note it.
 */
export class CellMailboxes {
  /** Instances and tasks delivered, each time it was. */
  delivered = 0;
  messages = 0;
  private readonly shared: RedisClient;
  private readonly workers: Worker[] = [];
  private readonly waiting = new Map<string, () => void>();
  private milestones: { count: number; reached: () => void }[] = [];

  constructor(
    url: string,
    private readonly onPlace: (cellId: string, placed: Placed) => void = () => undefined,
  ) {
    this.shared = openRedis(url, {
      maxRetriesPerRequest: null,
      enableAutoPipelining: true,
      clusterUnpipelined: 'all',
    });
  }

  /** From now on these cells take what they are told. */
  async consume(cellIds: readonly string[]): Promise<void> {
    const workers = cellIds.map((cellId) => this.workerOf(cellId));
    this.workers.push(...workers);
    await Promise.all(workers.map((worker) => worker.waitUntilReady()));
  }

  /** Resolves when this many instances have been delivered since the start. */
  untilDelivered(count: number): Promise<void> {
    return new Promise((reached) => {
      this.milestones.push({ count, reached });
      this.passMilestones();
    });
  }

  /** Resolves when an instance of this process has been delivered. */
  next(processGuid: string): Promise<void> {
    return new Promise((resolve) => this.waiting.set(processGuid, resolve));
  }

  stop(): void {
    for (const worker of this.workers) void worker.close(true).catch(() => undefined);
    this.shared.disconnect();
  }

  private workerOf(cellId: string): Worker {
    const { name, prefix } = mailboxQueue(cellAddress(cellId));
    const worker = new Worker<{ payload: Placed }>(
      name,
      ({ name: message, data }) => {
        if (message === 'place') this.take(cellId, data.payload);
        return Promise.resolve();
      },
      {
        prefix,
        connection: this.shared,
        lockDuration: LOCK_DURATION_MS,
        stalledInterval: LOCK_DURATION_MS,
        drainDelay: WAIT_SECONDS,
      },
    );
    // Redis is stopped before them.
    worker.on('error', () => undefined);
    return worker;
  }

  private take(cellId: string, placed: Placed): void {
    const { lrps, tasks } = placed;
    this.messages += 1;
    this.delivered += lrps.length + tasks.length;
    this.onPlace(cellId, placed);
    for (const { processGuid } of lrps) {
      this.waiting.get(processGuid)?.();
      this.waiting.delete(processGuid);
    }
    this.passMilestones();
  }

  private passMilestones(): void {
    const passed = this.milestones.filter(({ count }) => this.delivered >= count);
    if (passed.length === 0) return;
    this.milestones = this.milestones.filter((milestone) => !passed.includes(milestone));
    for (const { reached } of passed) reached();
  }
}
