import { Injectable } from '@nestjs/common';
import { Clock, RiveraLogger } from '#rivera/platform';
import {
  CellRepository,
  DeploymentRepository,
  EventLog,
  type Fence,
  outlineOf,
  ProcessRepository,
  type ShardOutline,
  Store,
  TaskRepository,
  WORK_SHARDS,
} from '#rivera/store';
import { Deployments } from './deployments.js';
import { Repairs } from './repairs.js';
import { type ListedRecords, mendIndexes, shardRestsUntil } from './shard-audit.js';

/** Until a finding is looked at again: events and due times of the last moment are given time to be heard. */
const SECOND_LOOK_MS = 2_000;

export interface AuditOptions {
  eventRetentionMs: number;
  /** Every shard is looked at thoroughly once in so many rounds, whatever is known of it. */
  thoroughRounds: number;
}

interface Finding {
  kind: 'process' | 'task' | 'deployment';
  guid: string;
  foundAt: number;
}

/** What was there when a shard was found to need nothing. While it is the same, that is still true. */
interface Assurance {
  outline: string;
  world: string;
  /** From then on time may have made something due; milliseconds since the Unix epoch. */
  until: number;
}

/**
 * Goes round the shards, one at a time, and repairs what events and due times should have caught but did not. What it
 * finds it looks at again a moment later, so that in a healthy system it repairs nothing.
 *
 * A shard that was found to need nothing, and in which, and around which, nothing has changed since, is not read again.
 * Every now and then it is all the same, its indexes included: somebody may have changed the store behind its back. What is
 * left of cells that are gone goes then, too.
 */
@Injectable()
export class Audit {
  private shard = 0;
  private round = 0;
  private findings: Finding[] = [];
  private readonly assurances = new Map<number, Assurance>();

  constructor(
    private readonly options: AuditOptions,
    private readonly store: Store,
    private readonly processes: ProcessRepository,
    private readonly tasks: TaskRepository,
    private readonly deploymentRecords: DeploymentRepository,
    private readonly cells: CellRepository,
    private readonly log: EventLog,
    private readonly repairs: Repairs,
    private readonly deployments: Deployments,
    private readonly clock: Clock,
    private readonly logger: RiveraLogger,
  ) {}

  /**
   * Audits the next shard and trims its events. Returns the number of records of earlier findings, and of members of
   * indexes, that were repaired.
   */
  async next(fence: Fence): Promise<number> {
    let repaired = await this.lookAgain(fence);
    const { shard } = this;
    const { eventRetentionMs, thoroughRounds } = this.options;
    const now = this.clock.now();
    const outline = await outlineOf(this.store, shard);
    const isItsTurn = (this.round + shard) % thoroughRounds === 0;
    if (isItsTurn || !this.isAssured(shard, outline, now))
      repaired += await this.lookAt(shard, outline, fence);
    if (isItsTurn) await this.cells.forgetVersions(shard, (cellId) => this.repairs.isCell(cellId), { fence });
    await this.log.trim(shard, now - eventRetentionMs);
    this.shard = (shard + 1) % WORK_SHARDS;
    if (this.shard === 0) this.round += 1;
    return repaired;
  }

  /** Is what was found of this shard still true? */
  private isAssured(shard: number, outline: ShardOutline, now: number): boolean {
    const assurance = this.assurances.get(shard);
    if (assurance === undefined || now >= assurance.until) return false;
    return assurance.outline === JSON.stringify(outline) && assurance.world === this.repairs.worldVersion;
  }

  /** Reads everything of the shard. */
  private async lookAt(shard: number, outline: ShardOutline, fence: Fence): Promise<number> {
    this.assurances.delete(shard);
    const foundAt = this.clock.now();
    const world = this.repairs.worldVersion;
    const [snapshots, task, deployment] = await Promise.all([
      this.processes.snapshotsOfShard(shard),
      this.tasks.ofShard(shard),
      this.deploymentRecords.ofShard(shard),
    ]);
    const found: Finding[] = [];
    for (const process of snapshots) {
      if (this.repairs.needsProcess(process))
        found.push({ kind: 'process', guid: process.processGuid, foundAt });
    }
    for (const each of task) {
      if (this.repairs.needsTask(each)) found.push({ kind: 'task', guid: each.taskGuid, foundAt });
    }
    for (const each of deployment) {
      if (await this.deployments.needs(each))
        found.push({ kind: 'deployment', guid: each.processGuid, foundAt });
    }
    this.findings.push(...found);
    const records: ListedRecords = {
      desired: snapshots.flatMap(({ desired }) => (desired === undefined ? [] : [desired])),
      actual: snapshots.flatMap(({ actuals }) => actuals),
      task,
      deployment,
    };
    const mended = await mendIndexes(this.store, shard, { records, before: outline, fence });
    if (mended > 0) this.logger.warn('audit-repaired', { kind: 'index', shard, repaired: mended });
    // The outline is older than what was read, so what has changed in between makes it differ.
    if (found.length === 0 && mended === 0) {
      this.assurances.set(shard, {
        outline: JSON.stringify(outline),
        world,
        until: shardRestsUntil(records),
      });
    }
    return mended;
  }

  private async lookAgain(fence: Fence): Promise<number> {
    const dueBefore = this.clock.now() - SECOND_LOOK_MS;
    const due = this.findings.filter(({ foundAt }) => foundAt <= dueBefore);
    this.findings = this.findings.filter(({ foundAt }) => foundAt > dueBefore);
    let repaired = 0;
    for (const { kind, guid } of due) {
      const count =
        kind === 'deployment'
          ? await this.deployments.advance(guid, fence)
          : await this.repairs[kind](guid, fence);
      if (count > 0) this.logger.warn('audit-repaired', { kind, guid, repaired: count });
      repaired += count;
    }
    return repaired;
  }
}
