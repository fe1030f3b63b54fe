import { Injectable } from '@nestjs/common';
import { WakeLoop } from '#rivera/actor';
import { dueAfter, type ProcessSnapshot, STALE_UNPLACED_MS } from '#rivera/lifecycle';
import type { Task } from '#rivera/models';
import { Clock, Metrics, RiveraLogger } from '#rivera/platform';
import {
  ALL_SHARDS,
  CellRepository,
  CELLS_SHARD,
  type Cursor,
  EventLog,
  type Fence,
  type LoggedEvent,
  ProcessRepository,
  shardOf,
  Store,
  TaskRepository,
  WORK_SHARD_IDS,
} from '#rivera/store';
import { aFewAtATime } from './a-few-at-a-time.js';
import { Audit } from './audit.js';
import { CellLosses } from './cell-losses.js';
import { Deployments } from './deployments.js';
import { Repairs } from './repairs.js';
import { SchemaMigration } from './schema-migration.js';

export interface ConvergerOptions {
  auditPeriodMs: number;
}

const DUE_PER_SHARD = 500;
/** But for cells nothing here is a matter of milliseconds, and a pass costs the same for one event as for many. */
const GATHER_EVENTS_MS = 100;
/** Cells whose work is judged in one pass; more would keep waiting what is due. */
const CELLS_PER_PASS = 16;
/** With more it costs less to go through all work. */
const CELLS_ONE_BY_ONE = 64;
/** Shards whose part of that is looked at at the same time. */
const PARALLEL_SHARDS = 8;
/** Repairs that run at the same time in one shard. */
const PARALLEL_REPAIRS = 8;

/**
 * Finds and repairs drift between desired and actual (Diego BBS, convergence). It sleeps until something is due, wakes
 * when cells come and go, and goes round all shards as a safety net.
 */
@Injectable()
export class Converger {
  private fence: Fence = { role: 'converger', token: 0 };
  private readonly dirtyShards = new Set<number>();
  private readonly dirtyCells = new Set<string>();
  /** All work in them has to be judged, because nobody knows which cells came or went. */
  private readonly unjudgedShards = new Set<number>();
  /** Last event of the shard of cells that `dirtyCells` knows of, and the last one that all work has been judged by. */
  private cellsHeard = 0;
  private cellsConverged: number | undefined;
  /** When the next member of each shard is due; absent = nothing is. */
  private readonly nextDue = new Map<number, number>();
  /** When the loop goes on by itself. */
  private nextPass = 0;
  private nextAudit = 0;
  private nextMigration = 0;
  private readonly loop = new WakeLoop({
    run: () => this.pass(),
    onError: (error) => {
      this.losses.giveGrace();
      for (const shard of ALL_SHARDS) this.dirtyShards.add(shard);
      this.logger.warn('convergence-failed', { error });
    },
  });
  private readonly repaired;
  private readonly audited;

  constructor(
    private readonly options: ConvergerOptions,
    private readonly store: Store,
    private readonly processes: ProcessRepository,
    private readonly tasks: TaskRepository,
    private readonly cells: CellRepository,
    private readonly log: EventLog,
    private readonly losses: CellLosses,
    private readonly repairs: Repairs,
    private readonly deployments: Deployments,
    private readonly audit: Audit,
    private readonly migration: SchemaMigration,
    private readonly clock: Clock,
    private readonly logger: RiveraLogger,
    metrics: Metrics,
  ) {
    this.repaired = metrics.counter({
      name: 'convergence_repairs_total',
      help: 'Records repaired, by what found them: something was due, a cell came or went, or the audit (zero when healthy).',
      labels: ['found_by'],
    });
    this.audited = metrics.counter({
      name: 'convergence_audited_shards_total',
      help: 'Shards that the rolling audit has looked at.',
    });
  }

  /** Takes over: from now on older holders are refused. */
  async activate(token: number, signal: AbortSignal): Promise<void> {
    this.fence = { role: 'converger', token };
    await this.store.fence(this.fence);
    this.losses.giveGrace();
    this.nextAudit = this.clock.now();
    this.nextMigration = this.nextAudit;
    this.migration.begin();
    for (const shard of ALL_SHARDS) this.dirtyShards.add(shard);
    const cursor = await this.log.now();
    await this.takeUpCells(cursor);
    await this.deployments.load();
    this.log
      .follow(
        cursor,
        {
          onEvents: (events) => {
            this.observe(events);
            if (this.isSomethingDue) this.wake();
          },
          onReset: async (_reason, end) => {
            for (const shard of ALL_SHARDS) this.dirtyShards.add(shard);
            for (const shard of WORK_SHARD_IDS) this.unjudgedShards.add(shard);
            this.cellsHeard = end.position(CELLS_SHARD);
            await this.deployments.load();
            this.wake();
          },
        },
        signal,
        { gatherMs: GATHER_EVENTS_MS },
      )
      .catch((error: unknown) => this.logger.error('stopped-following-events', { error }));
    this.loop.start(signal);
    this.logger.log('converger-active', { token });
  }

  wake(): void {
    this.loop.wake();
  }

  /**
   * Cells that came or went are taken up where the former holder has got to: what it had judged by the cells as they were
   * then needs no other judgement. Where the log reaches back no further, or nobody was there before, all work is judged.
   */
  private async takeUpCells(cursor: Cursor): Promise<void> {
    this.cellsConverged = await this.cells.convergedUpTo();
    if (this.cellsConverged !== undefined) cursor.advance(CELLS_SHARD, this.cellsConverged);
    else for (const shard of WORK_SHARD_IDS) this.unjudgedShards.add(shard);
    this.cellsHeard = cursor.position(CELLS_SHARD);
  }

  /** Events say when their records are due, so that no shard need be asked; but domains have no events. */
  private observe(logged: LoggedEvent[]): void {
    for (const { shard, sequence, event } of logged) {
      this.deployments.observe(event);
      if (shard !== CELLS_SHARD) continue;
      this.dirtyShards.add(shard);
      this.cellsHeard = sequence;
      if (event.type === 'cell_created' || event.type === 'cell_changed') {
        this.dirtyCells.add(event.after.cellId);
      }
      if (event.type === 'cell_removed') this.dirtyCells.add(event.before.cellId);
    }
    const due = dueAfter(logged.filter(({ shard }) => shard !== CELLS_SHARD).map(({ event }) => event));
    for (const [member, dueAt] of due) this.noteDue(shardOf(guidOf(member)), dueAt);
  }

  private noteDue(shard: number, dueAt: number): void {
    this.nextDue.set(shard, Math.min(dueAt, this.nextDue.get(shard) ?? Infinity));
  }

  /** One pass. Returns in how many ms something is due again. */
  private async pass(): Promise<number> {
    const now = this.clock.now();
    for (const cellId of await this.losses.lose(now, this.fence)) this.dirtyCells.add(cellId);
    const shards = new Set(take(this.dirtyShards));
    for (const [shard, due] of this.nextDue) if (due <= now) shards.add(shard);
    const isAuditDue = this.nextAudit <= now;
    const { isJudging, cellsHeard } = this;
    if (isJudging || shards.size > 0 || isAuditDue) {
      this.losses.measure(await this.repairs.refresh());
    }
    if (isJudging) await this.judgeSome();
    else await this.rememberCells(cellsHeard);
    for (const shard of shards) await this.convergeDue(shard, now);
    await this.deployments.advanceDirty(this.fence);
    // What waits to be judged has been noticed; for the audit it would look as if it had not.
    const isAuditLate = this.nextAudit + this.options.auditPeriodMs <= now;
    if (isAuditDue && (!this.isJudging || isAuditLate)) await this.auditNext(now);
    if (this.nextMigration <= now) this.nextMigration = now + (await this.migration.step(this.fence));
    if (isJudging || this.isJudging) return 0;
    const nextLoss = await this.losses.nextAt(now);
    this.nextPass = Math.min(this.nextAudit, this.nextMigration, nextLoss, ...this.nextDue.values());
    return Math.max(1, this.nextPass - this.clock.now());
  }

  /** The next pass begins by itself when something is due that was known when the last one ended. */
  private get isSomethingDue(): boolean {
    if (this.isJudging || this.dirtyShards.size > 0 || this.deployments.areDirty) return true;
    return Math.min(...this.nextDue.values()) < this.nextPass;
  }

  private get isJudging(): boolean {
    return this.dirtyCells.size > 0 || this.unjudgedShards.size > 0;
  }

  /**
   * Cells came or went: everything they hold is judged anew, a part in each pass. What has been judged stays judged when a
   * later part fails.
   */
  private async judgeSome(): Promise<void> {
    // What cells that are gone have held is waited for.
    const gone = [...this.dirtyCells].filter((cellId) => !this.repairs.isPresent(cellId));
    if (gone.length === 0 && this.dirtyCells.size > CELLS_ONE_BY_ONE) {
      this.dirtyCells.clear();
      for (const shard of WORK_SHARD_IDS) this.unjudgedShards.add(shard);
    }
    const cells = (gone.length > 0 ? gone : [...this.dirtyCells]).slice(0, CELLS_PER_PASS);
    const [shard] = this.unjudgedShards;
    // Taken out first: what happens from here on makes them dirty again.
    if (cells.length > 0) {
      for (const cellId of cells) this.dirtyCells.delete(cellId);
      await this.judgeCells(cells).catch((error: unknown) => {
        for (const cellId of cells) this.dirtyCells.add(cellId);
        throw error;
      });
    } else if (shard !== undefined) {
      this.unjudgedShards.delete(shard);
      await this.judgeShard(shard).catch((error: unknown) => {
        this.unjudgedShards.add(shard);
        throw error;
      });
    }
  }

  private async judgeCells(cells: string[]): Promise<void> {
    await aFewAtATime(WORK_SHARD_IDS, PARALLEL_SHARDS, async (shard) =>
      this.repairNeedy(
        await this.processes.snapshotsOnCells(shard, cells),
        await this.tasks.onCells(shard, cells),
      ),
    );
  }

  private async judgeShard(shard: number): Promise<void> {
    await this.repairNeedy(await this.processes.snapshotsOfShard(shard), await this.tasks.ofShard(shard));
  }

  /** What needs nothing, which mostly is nearly all, is read and judged many at a time; only what does is changed one by one. */
  private async repairNeedy(processes: ProcessSnapshot[], tasks: Task[]): Promise<void> {
    const repaired = await this.repair(
      processes.filter((each) => this.repairs.needsProcess(each)).map(({ processGuid }) => processGuid),
      tasks.filter((each) => this.repairs.needsTask(each)).map(({ taskGuid }) => taskGuid),
    );
    this.repaired.inc({ found_by: 'cell' }, repaired);
  }

  /** For whoever takes over. */
  private async rememberCells(converged: number): Promise<void> {
    if (converged === this.cellsConverged) return;
    await this.cells.markConverged(converged, { fence: this.fence });
    this.cellsConverged = converged;
  }

  /** Everything of a shard that is due now. What stays due although nothing is wrong with it is put off. */
  private async convergeDue(shard: number, now: number): Promise<void> {
    // Before anything is read: what is heard of meanwhile counts beside it.
    this.nextDue.delete(shard);
    const due = await this.store.membersByScore(shard, 'due', now, DUE_PER_SHARD);
    const guidsOf = (prefix: string) => [
      ...new Set(due.filter(({ member }) => member.startsWith(prefix)).map(({ member }) => guidOf(member))),
    ];
    for (const guid of guidsOf('deployment/')) await this.deployments.advance(guid, this.fence);
    const expired = shard === CELLS_SHARD ? due.map(({ member }) => this.expire(member, now)) : [];
    const repaired = await this.repair(guidsOf('lrp/'), guidsOf('task/'));
    this.repaired.inc({ found_by: 'due' }, repaired + sum(await Promise.all(expired)));
    await Promise.all(
      due.map(({ member, score }) =>
        this.store.commit(shard, [], {
          fence: this.fence,
          scores: [{ set: 'due', member, score }],
          sets: [{ set: 'due', member, score: now + STALE_UNPLACED_MS }],
        }),
      ),
    );
    if (due.length === DUE_PER_SHARD) this.dirtyShards.add(shard);
    const [next] = await this.store.membersByScore(shard, 'due', Infinity, 1);
    if (next !== undefined) this.noteDue(shard, next.score);
  }

  /** Returns the number of records that were repaired. */
  private async repair(processGuids: string[], taskGuids: string[]): Promise<number> {
    const repaired = [
      ...(await aFewAtATime(processGuids, PARALLEL_REPAIRS, (guid) =>
        this.repairs.process(guid, this.fence),
      )),
      ...(await aFewAtATime(taskGuids, PARALLEL_REPAIRS, (guid) => this.repairs.task(guid, this.fence))),
    ];
    return sum(repaired);
  }

  /** Cells that have been missing for too long, and domains that are no longer fresh. */
  private async expire(member: string, now: number): Promise<number> {
    const [kind, id] = split(member);
    const transition =
      kind === 'cell'
        ? await this.cells.remove(id, { fence: this.fence })
        : await this.cells.removeExpiredDomain(id, now, { fence: this.fence });
    return transition.length;
  }

  private async auditNext(now: number): Promise<void> {
    this.repaired.inc({ found_by: 'audit' }, await this.audit.next(this.fence));
    this.audited.inc();
    this.nextAudit = now + this.options.auditPeriodMs / WORK_SHARD_IDS.length;
  }
}

function take<T>(set: Set<T>): T[] {
  const taken = [...set];
  set.clear();
  return taken;
}

/** Of the process or task that a member of the index of due times is about. */
function guidOf(member: string): string {
  return member.split('/')[1] ?? '';
}

function split(member: string): [string, string] {
  const at = member.indexOf('/');
  return [member.slice(0, at), member.slice(at + 1)];
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
