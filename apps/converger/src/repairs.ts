import { Injectable } from '@nestjs/common';
import { Notifier } from '#rivera/actor';
import {
  convergeProcess,
  convergeTask,
  isFresh,
  type ProcessSnapshot,
  type Transition,
  type World,
} from '#rivera/lifecycle';
import type { CellState, Domain, Task } from '#rivera/models';
import { Clock, contextOf, Ids, RiveraLogger } from '#rivera/platform';
import { CellRepository, type Fence, ProcessRepository, TaskRepository } from '#rivera/store';

/** Steps after which a process is at rest; what is left is for the audit. */
const MAX_STEPS = 4;

/** Brings one process or task to what it should be, and tells whom it concerns. */
@Injectable()
export class Repairs {
  private cells = new Map<string, CellState>();
  private domains = new Map<string, Domain>();

  constructor(
    private readonly processes: ProcessRepository,
    private readonly tasks: TaskRepository,
    private readonly cellRecords: CellRepository,
    private readonly notifier: Notifier,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly logger: RiveraLogger,
  ) {}

  /** Reads cells and domains again. Called once a pass, before anything is judged by them. */
  async refresh(): Promise<void> {
    const [cells, domains] = await Promise.all([this.cellRecords.list(), this.cellRecords.domains()]);
    this.cells = new Map(cells.map(({ cellId, state }) => [cellId, state]));
    this.domains = new Map(domains.map((domain) => [domain.domain, domain]));
  }

  /** Returns the number of records that were repaired. */
  async process(processGuid: string, fence: Fence): Promise<number> {
    let repaired = 0;
    // Every record is touched by one rule a time; what one repair makes visible is repaired at once, too.
    for (let step = 0; step < MAX_STEPS; step++) {
      const transition = await this.processes.change(
        processGuid,
        (process) => convergeProcess(process, this.world(), contextOf(this.clock, this.ids)),
        { fence },
      );
      if (transition.length === 0) break;
      repaired += this.done('converged-process', { processGuid }, transition);
    }
    return repaired;
  }

  /** Returns the number of records that were repaired. */
  async task(taskGuid: string, fence: Fence): Promise<number> {
    const transition = await this.tasks.change(
      taskGuid,
      (task) => (task === undefined ? [] : convergeTask(task, this.world(), contextOf(this.clock, this.ids))),
      { fence },
    );
    return this.done('converged-task', { taskGuid }, transition);
  }

  /** Would `process` change anything? Judged on a copy, without writing. */
  needsProcess(process: ProcessSnapshot): boolean {
    return convergeProcess(process, this.world(), contextOf(this.clock, this.ids)).length > 0;
  }

  needsTask(task: Task): boolean {
    return convergeTask(task, this.world(), contextOf(this.clock, this.ids)).length > 0;
  }

  private world(): World {
    const now = this.clock.now();
    return { cells: this.cells, isFresh: (domain) => isFresh(this.domains.get(domain), now) };
  }

  private done(what: string, subject: object, transition: Transition): number {
    if (transition.length === 0) return 0;
    this.logger.log(what, { ...subject, changes: transition.length });
    this.notifier.publish(transition);
    return transition.length;
  }
}
