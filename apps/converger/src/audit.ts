import { Injectable } from '@nestjs/common';
import { Clock, RiveraLogger } from '#rivera/platform';
import { EventLog, type Fence, ProcessRepository, TaskRepository, WORK_SHARDS } from '#rivera/store';
import { Repairs } from './repairs.js';

/**
 * Goes round the shards, one at a time, and repairs what events and due times should have caught but did not. In a
 * healthy system it finds nothing.
 */
@Injectable()
export class Audit {
  private shard = 0;

  constructor(
    private readonly eventRetentionMs: number,
    private readonly processes: ProcessRepository,
    private readonly tasks: TaskRepository,
    private readonly log: EventLog,
    private readonly repairs: Repairs,
    private readonly clock: Clock,
    private readonly logger: RiveraLogger,
  ) {}

  /** Audits the next shard and trims its events. Returns the number of records that were repaired. */
  async next(fence: Fence): Promise<number> {
    const { shard } = this;
    this.shard = (shard + 1) % WORK_SHARDS;
    let repaired = 0;
    for (const process of await this.processes.snapshotsOfShard(shard)) {
      if (this.repairs.needsProcess(process))
        repaired += await this.repairs.process(process.processGuid, fence);
    }
    for (const task of await this.tasks.ofShard(shard)) {
      if (this.repairs.needsTask(task)) repaired += await this.repairs.task(task.taskGuid, fence);
    }
    if (repaired > 0) this.logger.warn('audit-repaired', { shard, repaired });
    await this.log.trim(shard, this.clock.now() - this.eventRetentionMs);
    return repaired;
  }
}
