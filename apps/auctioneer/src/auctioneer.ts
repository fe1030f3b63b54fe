import { Injectable } from '@nestjs/common';
import { Mailboxes, WakeLoop } from '#rivera/actor';
import {
  type AuctionBatch,
  type AuctionOptions,
  type AuctionResult,
  isTaskAuction,
  type LRPAuction,
  IndexedAuction,
  type TaskAuction,
} from '#rivera/auction';
import {
  failPlacement,
  failTaskPlacement,
  isUnplaced,
  isUnplacedTask,
  place,
  placeTask,
  type Transition,
} from '#rivera/lifecycle';
import {
  type ActualLRP,
  type CellMessages,
  definitionVolumeDrivers,
  type Placement,
  RiveraError,
  type Task,
} from '#rivera/models';
import { Clock, contextOf, Ids, Metrics, RiveraLogger } from '#rivera/platform';
import {
  CellRepository,
  EventLog,
  type Fence,
  type InstanceDecision,
  ProcessRepository,
  shardOf,
  Store,
  TaskRepository,
  WORK_SHARD_IDS,
} from '#rivera/store';
import { CellPicture } from './cell-picture.js';

export interface AuctioneerOptions {
  placementDeadlineMs: number;
  auction: Partial<AuctionOptions>;
}

/** Unplaced work taken from one shard in one auction. */
const BATCH_PER_SHARD = 1_000;
const LOAD_PAGE = 5_000;

/**
 * Decides where unplaced work goes. Level-triggered: every wake-up reads the unplaced index, so a lost one costs a
 * moment. Only the holder of the lease runs it, and shards refuse what a former holder still writes.
 */
@Injectable()
export class Auctioneer {
  private engine = new IndexedAuction();
  private picture = new CellPicture(this.engine);
  private fence: Fence | undefined;
  private readonly loop = new WakeLoop({
    run: () => this.auction(),
    onError: (error) => this.logger.warn('auction-failed', { error }),
  });
  private readonly placed;
  private readonly failed;
  private readonly duration;

  constructor(
    private readonly options: AuctioneerOptions,
    private readonly store: Store,
    private readonly processes: ProcessRepository,
    private readonly tasks: TaskRepository,
    private readonly cells: CellRepository,
    private readonly log: EventLog,
    private readonly mailboxes: Mailboxes,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly logger: RiveraLogger,
    metrics: Metrics,
  ) {
    this.placed = metrics.counter({
      name: 'auction_placements_total',
      help: 'Instances and tasks given to a cell.',
    });
    this.failed = metrics.counter({
      name: 'auction_failures_total',
      help: 'Instances and tasks no cell could take.',
    });
    this.duration = metrics.histogram({
      name: 'auction_duration_seconds',
      help: 'Time of one auction with its commits.',
    });
  }

  /** Takes over: from now on older holders are refused. Returns when the picture of the cells is complete. */
  async activate(token: number, signal: AbortSignal): Promise<void> {
    this.fence = { role: 'auctioneer', token };
    await this.store.fence(this.fence);
    await this.load(signal);
    this.loop.start(signal);
    this.logger.log('auctioneer-active', { token });
  }

  wake(): void {
    this.loop.wake();
  }

  private async load(signal: AbortSignal): Promise<void> {
    const cursor = await this.log.now();
    this.engine = new IndexedAuction([], this.options.auction);
    this.picture = new CellPicture(this.engine);
    for (const cell of await this.cells.list()) this.picture.applyCell(cell, cell.cellId);
    const placed: Transition = [];
    let after: string | undefined;
    do {
      const page = await this.processes.actualPage({ after, limit: LOAD_PAGE });
      for (const actual of page.items) {
        this.picture.applyActual(actual);
        if (actual.placement !== undefined) placed.push({ kind: 'actual', after: actual });
      }
      after = page.next;
    } while (after !== undefined);
    do {
      const page = await this.tasks.page({ after, limit: LOAD_PAGE });
      for (const task of page.items) {
        this.picture.applyTask(task);
        if (task.placement !== undefined) placed.push({ kind: 'task', after: task });
      }
      after = page.next;
    } while (after !== undefined);

    const following = new AbortController();
    const stop = AbortSignal.any([signal, following.signal]);
    this.log
      .follow(
        cursor,
        {
          onEvents: (events) => {
            const isWorthAnAuction = events.map(({ event }) => this.picture.applyEvent(event)).some(Boolean);
            if (isWorthAnAuction) this.wake();
          },
          onReset: async (reason) => {
            this.logger.warn('reloading-cell-picture', { reason });
            following.abort();
            await this.load(signal);
            this.wake();
          },
        },
        stop,
      )
      .catch((error: unknown) => this.logger.error('stopped-following-events', { error }));
    // Whoever committed these may have ended before it told the cells; hearing of it twice does no harm.
    await this.tellCells(placed);
  }

  /** One auction over everything that is unplaced. */
  private async auction(): Promise<void> {
    const { lrps, tasks } = await this.unplaced();
    if (lrps.length === 0 && tasks.length === 0) return;
    const end = this.duration.startTimer();
    const batch = await this.batchOf(lrps, tasks);
    const result = this.engine.auction(batch);
    // Reserved again, record by record, by what is committed.
    for (const { auction, cellId } of result.placements) {
      this.engine.release(cellId, { ...auction, starting: true });
    }
    const transition = await this.commit(result);
    for (const change of transition) this.picture.applyChange(change);
    await this.tellCells(transition);
    this.placed.inc(result.placements.length);
    this.failed.inc(result.failures.length);
    end();
  }

  private async unplaced(): Promise<{ lrps: ActualLRP[]; tasks: Task[] }> {
    const perShard = await Promise.all(
      WORK_SHARD_IDS.map(async (shard) => {
        const members = await this.store.membersByScore(shard, 'unplaced', Infinity, BATCH_PER_SHARD);
        const idsOf = (prefix: string) =>
          members
            .filter(({ member }) => member.startsWith(prefix))
            .map(({ member }) => member.slice(prefix.length));
        const [lrps, tasks] = await Promise.all([
          this.processes.actualsById(shard, idsOf('lrp/')),
          this.tasks.byId(shard, idsOf('task/')),
        ]);
        return { lrps: lrps.filter(isUnplaced), tasks: tasks.filter(isUnplacedTask) };
      }),
    );
    return { lrps: perShard.flatMap(({ lrps }) => lrps), tasks: perShard.flatMap(({ tasks }) => tasks) };
  }

  private async batchOf(lrps: ActualLRP[], tasks: Task[]): Promise<AuctionBatch> {
    const guids = [...new Set(lrps.map(({ processGuid }) => processGuid))];
    const desired = new Map(
      (await this.processes.schedulingInfos(guids)).map((info) => [info.processGuid, info]),
    );
    return {
      lrps: lrps.flatMap((actual): LRPAuction[] => {
        const info = desired.get(actual.processGuid);
        if (info === undefined) return [];
        const { processGuid, index, resources, refusedBy } = actual;
        const { rootfs, placementTags, volumeDrivers } = info;
        return [{ processGuid, index, rootfs, placementTags, volumeDrivers, refusedBy, ...resources }];
      }),
      tasks: tasks.map(({ taskGuid, definition, refusedBy }): TaskAuction => {
        const { rootfs, placementTags, memoryMb, diskMb } = definition;
        const volumeDrivers = definitionVolumeDrivers(definition);
        return { taskGuid, rootfs, placementTags, volumeDrivers, refusedBy, memoryMb, diskMb };
      }),
    };
  }

  /** Commits what was decided, one commit a shard. Work that somebody else has moved on meanwhile is left alone. */
  private async commit({ placements, failures }: AuctionResult): Promise<Transition> {
    const context = contextOf(this.clock, this.ids);
    const deadline = context.now + this.options.placementDeadlineMs;
    const byShard = new Map<number, InstanceDecision[]>();
    const taskCommits: Promise<Transition>[] = [];
    const decideLRP = ({ processGuid, index }: LRPAuction, decide: InstanceDecision['decide']) => {
      const shard = shardOf(processGuid);
      byShard.set(shard, [...(byShard.get(shard) ?? []), { processGuid, index, decide }]);
    };
    for (const { auction, cellId } of placements) {
      const placement = (instanceGuid: string): Placement => ({ instanceGuid, cellId, deadline });
      if (isTaskAuction(auction)) {
        const decide = (task: Task | undefined) => placeTask(task, placement(auction.taskGuid), context);
        taskCommits.push(this.tasks.change(auction.taskGuid, decide, { fence: this.fence }));
      } else {
        const instanceGuid = this.ids.uuid();
        decideLRP(auction, (instance) => place(instance, placement(instanceGuid)));
      }
    }
    for (const { auction, error } of failures) {
      if (isTaskAuction(auction)) {
        const decide = (task: Task | undefined) => failTaskPlacement(task, error, context);
        taskCommits.push(this.tasks.change(auction.taskGuid, decide, { fence: this.fence }));
      } else {
        decideLRP(auction, (instance) => failPlacement(instance, error));
      }
    }
    const lrpCommits = [...byShard].map(([shard, decisions]) =>
      this.processes.changeInstances(shard, decisions, { fence: this.fence }),
    );
    return (await settled([...lrpCommits, ...taskCommits])).flat();
  }

  /** One message a cell. A cell whose message is lost finds its placements when it next reads its work. */
  private async tellCells(transition: Transition): Promise<void> {
    const messages = new Map<string, CellMessages['place']>();
    const messageTo = (cellId: string) => {
      const message = messages.get(cellId) ?? { lrps: [], tasks: [] };
      messages.set(cellId, message);
      return message;
    };
    for (const change of transition) {
      if (change.kind === 'actual' && change.after?.placement !== undefined) {
        const { processGuid, index, resources, placement } = change.after;
        messageTo(placement.cellId).lrps.push({
          processGuid,
          index,
          instanceGuid: placement.instanceGuid,
          resources,
        });
      }
      if (change.kind === 'task' && change.after?.placement !== undefined) {
        const { taskGuid, definition, placement } = change.after;
        const { memoryMb, diskMb } = definition;
        messageTo(placement.cellId).tasks.push({ taskGuid, resources: { memoryMb, diskMb } });
      }
    }
    await Promise.all(
      [...messages].map(async ([cellId, message]) => {
        try {
          await this.mailboxes.cell(cellId).tell('place', message);
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error);
          this.logger.warn('failed-to-tell-cell', { cellId, reason });
        }
      }),
    );
  }
}

/** What succeeded counts even if something else failed; a lost lease is thrown, because then nothing may go on. */
async function settled<T>(promises: Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(promises);
  const failure = results.find((result) => result.status === 'rejected');
  const isFenced = failure?.reason instanceof RiveraError && failure.reason.code === 'fenced';
  const values = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (isFenced || (failure !== undefined && values.length === 0)) throw failure?.reason;
  return values;
}
