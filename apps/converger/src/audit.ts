import { Injectable } from '@nestjs/common';
import { Clock, RiveraLogger } from '#rivera/platform';
import {
  DeploymentRepository,
  EventLog,
  type Fence,
  ProcessRepository,
  TaskRepository,
  WORK_SHARDS,
} from '#rivera/store';
import { Deployments } from './deployments.js';
import { Repairs } from './repairs.js';

/** Until a finding is looked at again: events and due times of the last moment are given time to be heard. */
const SECOND_LOOK_MS = 2_000;

interface Finding {
  kind: 'process' | 'task' | 'deployment';
  guid: string;
  foundAt: number;
}

/**
 * Goes round the shards, one at a time, and repairs what events and due times should have caught but did not. What it
 * finds it looks at again a moment later, so that in a healthy system it repairs nothing.
 */
@Injectable()
export class Audit {
  private shard = 0;
  private findings: Finding[] = [];

  constructor(
    private readonly eventRetentionMs: number,
    private readonly processes: ProcessRepository,
    private readonly tasks: TaskRepository,
    private readonly deploymentRecords: DeploymentRepository,
    private readonly log: EventLog,
    private readonly repairs: Repairs,
    private readonly deployments: Deployments,
    private readonly clock: Clock,
    private readonly logger: RiveraLogger,
  ) {}

  /** Audits the next shard and trims its events. Returns the number of records of earlier findings that were repaired. */
  async next(fence: Fence): Promise<number> {
    const repaired = await this.lookAgain(fence);
    const { shard } = this;
    this.shard = (shard + 1) % WORK_SHARDS;
    const foundAt = this.clock.now();
    for (const process of await this.processes.snapshotsOfShard(shard)) {
      if (!this.repairs.needsProcess(process)) continue;
      this.findings.push({ kind: 'process', guid: process.processGuid, foundAt });
    }
    for (const task of await this.tasks.ofShard(shard)) {
      if (this.repairs.needsTask(task)) this.findings.push({ kind: 'task', guid: task.taskGuid, foundAt });
    }
    for (const deployment of await this.deploymentRecords.ofShard(shard)) {
      if (!(await this.deployments.needs(deployment))) continue;
      this.findings.push({ kind: 'deployment', guid: deployment.processGuid, foundAt });
    }
    await this.log.trim(shard, this.clock.now() - this.eventRetentionMs);
    return repaired;
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
