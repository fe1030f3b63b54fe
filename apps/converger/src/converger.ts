import { Injectable } from '@nestjs/common';
import { Notifier, WakeLoop } from '#rivera/actor';
import { STALE_UNPLACED_MS } from '#rivera/lifecycle';
import { Clock, contextOf, Ids, Metrics, RiveraLogger } from '#rivera/platform';
import {
  ALL_SHARDS,
  CellRepository,
  CELLS_SHARD,
  EventLog,
  type Fence,
  ProcessRepository,
  Store,
  TaskRepository,
  WORK_SHARD_IDS,
} from '#rivera/store';
import { Audit } from './audit.js';
import { Repairs } from './repairs.js';

export interface ConvergerOptions {
  auditPeriodMs: number;
  presenceGraceMs: number;
}

const DUE_PER_SHARD = 500;

/**
 * Finds and repairs drift between desired and actual (Diego BBS, convergence). It sleeps until something is due, wakes
 * when cells come and go, and goes round all shards as a safety net.
 */
@Injectable()
export class Converger {
  private fence: Fence = { role: 'converger', token: 0 };
  private readonly dirtyShards = new Set<number>();
  private readonly dirtyCells = new Set<string>();
  /** When the next member of each shard is due; absent = nothing is. */
  private readonly nextDue = new Map<number, number>();
  /** Since when every pass has reached the store: cells could have renewed their presence. */
  private healthySince = 0;
  private nextAudit = 0;
  private readonly loop = new WakeLoop({
    run: () => this.pass(),
    onError: (error) => {
      this.healthySince = this.clock.now();
      for (const shard of ALL_SHARDS) this.dirtyShards.add(shard);
      this.logger.warn('convergence-failed', { error });
    },
  });
  private readonly repaired;

  constructor(
    private readonly options: ConvergerOptions,
    private readonly store: Store,
    private readonly processes: ProcessRepository,
    private readonly tasks: TaskRepository,
    private readonly cells: CellRepository,
    private readonly log: EventLog,
    private readonly repairs: Repairs,
    private readonly audit: Audit,
    private readonly notifier: Notifier,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly logger: RiveraLogger,
    metrics: Metrics,
  ) {
    this.repaired = metrics.counter({
      name: 'convergence_repairs_total',
      help: 'Records repaired, by what found them: something was due, a cell came or went, or the audit (zero when healthy).',
      labels: ['found_by'],
    });
  }

  /** Takes over: from now on older holders are refused. */
  async activate(token: number, signal: AbortSignal): Promise<void> {
    this.fence = { role: 'converger', token };
    await this.store.fence(this.fence);
    this.healthySince = this.clock.now();
    this.nextAudit = this.clock.now();
    for (const shard of ALL_SHARDS) this.dirtyShards.add(shard);
    for (const cell of await this.cells.list()) this.dirtyCells.add(cell.cellId);
    const cursor = await this.log.now();
    this.log
      .follow(
        cursor,
        {
          onEvents: (events) => {
            for (const { shard, event } of events) {
              this.dirtyShards.add(shard);
              if (event.type === 'cell_created' || event.type === 'cell_changed') {
                this.dirtyCells.add(event.after.cellId);
              }
              if (event.type === 'cell_removed') this.dirtyCells.add(event.before.cellId);
            }
            this.wake();
          },
          onReset: async () => {
            for (const shard of ALL_SHARDS) this.dirtyShards.add(shard);
            for (const cell of await this.cells.list()) this.dirtyCells.add(cell.cellId);
            this.wake();
          },
        },
        signal,
      )
      .catch((error: unknown) => this.logger.error('stopped-following-events', { error }));
    this.loop.start(signal);
    this.logger.log('converger-active', { token });
  }

  wake(): void {
    this.loop.wake();
  }

  /** One pass. Returns in how many ms something is due again. */
  private async pass(): Promise<number> {
    const now = this.clock.now();
    await this.loseCells(now);
    const dirtyCells = take(this.dirtyCells);
    const shards = new Set(take(this.dirtyShards));
    for (const [shard, due] of this.nextDue) if (due <= now) shards.add(shard);
    const isAuditDue = this.nextAudit <= now;
    try {
      if (dirtyCells.length > 0 || shards.size > 0 || isAuditDue) await this.repairs.refresh();
      for (const cellId of dirtyCells) await this.convergeCell(cellId);
      for (const shard of shards) await this.convergeDue(shard, now);
      if (isAuditDue) await this.auditNext(now);
    } catch (error) {
      for (const cellId of dirtyCells) this.dirtyCells.add(cellId);
      throw error;
    }
    const presence = await this.cells.nextExpiry();
    const next = Math.min(this.nextAudit, ...this.nextDue.values(), this.expiryToWaitFor(presence, now));
    return Math.max(1, next - this.clock.now());
  }

  /** Presence that ran out while the store was away proves nothing: nobody could renew. */
  private expiryToWaitFor(expiresAt = Infinity, now: number): number {
    const graceEnds = this.healthySince + this.options.presenceGraceMs;
    return now >= graceEnds ? expiresAt : Math.max(expiresAt, graceEnds);
  }

  private async loseCells(now: number): Promise<void> {
    for (const { cellId, expiresAt } of await this.cells.expired(now)) {
      if (this.expiryToWaitFor(expiresAt, now) > now) continue;
      const transition = await this.cells.lose(cellId, expiresAt, contextOf(this.clock, this.ids), {
        fence: this.fence,
      });
      if (transition.length > 0) this.logger.warn('lost-cell', { cellId, overdueMs: now - expiresAt });
      this.dirtyCells.add(cellId);
    }
  }

  /** A cell came or went: everything it holds is judged anew. */
  private async convergeCell(cellId: string): Promise<void> {
    const [actuals, tasks] = await Promise.all([
      this.processes.actualsOnCell(cellId),
      this.tasks.onCell(cellId),
    ]);
    const guids = [...new Set(actuals.map(({ processGuid }) => processGuid))];
    const repaired = await Promise.all([
      ...guids.map((guid) => this.repairs.process(guid, this.fence)),
      ...tasks.map(({ taskGuid }) => this.repairs.task(taskGuid, this.fence)),
    ]);
    this.repaired.inc({ found_by: 'cell' }, sum(repaired));
  }

  /** Everything of a shard that is due now. What stays due although nothing is wrong with it is put off. */
  private async convergeDue(shard: number, now: number): Promise<void> {
    const due = await this.store.membersByScore(shard, 'due', now, DUE_PER_SHARD);
    const guidsOf = (prefix: string) => [
      ...new Set(
        due.filter(({ member }) => member.startsWith(prefix)).map(({ member }) => member.split('/')[1] ?? ''),
      ),
    ];
    const repaired = await Promise.all([
      ...guidsOf('lrp/').map((guid) => this.repairs.process(guid, this.fence)),
      ...guidsOf('task/').map((guid) => this.repairs.task(guid, this.fence)),
      ...(shard === CELLS_SHARD ? due.map(({ member }) => this.expire(member, now)) : []),
    ]);
    this.repaired.inc({ found_by: 'due' }, sum(repaired));
    const isStillDue = await Promise.all(
      due.map(({ member, score }) =>
        this.store.commit(shard, [], {
          fence: this.fence,
          scores: [{ set: 'due', member, score }],
          sets: [{ set: 'due', member, score: now + STALE_UNPLACED_MS }],
        }),
      ),
    );
    // An unplaced instance or task that nobody has taken yet: offer it again.
    if (isStillDue.some(Boolean)) this.notifier.wakeAuctioneer();
    if (due.length === DUE_PER_SHARD) this.dirtyShards.add(shard);
    const [next] = await this.store.membersByScore(shard, 'due', Infinity, 1);
    if (next === undefined) this.nextDue.delete(shard);
    else this.nextDue.set(shard, next.score);
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
    this.nextAudit = now + this.options.auditPeriodMs / WORK_SHARD_IDS.length;
  }
}

function take<T>(set: Set<T>): T[] {
  const taken = [...set];
  set.clear();
  return taken;
}

function split(member: string): [string, string] {
  const at = member.indexOf('/');
  return [member.slice(0, at), member.slice(at + 1)];
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
