import { Injectable } from '@nestjs/common';
import { Notifier } from '#rivera/actor';
import {
  cellOf,
  type CellStanding,
  convergeProcess,
  convergeTask,
  isFresh,
  type ProcessSnapshot,
  standingOf,
  type Transition,
  type World,
} from '#rivera/lifecycle';
import type { Cell, Domain, Task } from '#rivera/models';
import { Clock, contextOf, Ids, RiveraLogger } from '#rivera/platform';
import { CellRepository, type Fence, ProcessRepository, TaskRepository } from '#rivera/store';

/** Steps after which a process is at rest; what is left is for the audit. */
const MAX_STEPS = 4;

/** Brings one process or task to what it should be, and tells whom it concerns. */
@Injectable()
export class Repairs {
  private cells = new Map<string, CellStanding>();
  private cellList: Cell[] = [];
  /** The last event of cells when they were read. */
  private cellsAsOf: number | undefined;
  private standings = '';
  /** Cells that records speak of and that were looked for after that, in vain. */
  private readonly forgotten = new Set<string>();
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

  /** Reads cells and domains again, as far as they have changed. Called once a pass, before anything is judged by them. */
  async refresh(): Promise<Cell[]> {
    // Read first: what changes in between is read again in the next pass.
    const [sequence, domains] = await Promise.all([this.cellRecords.lastEvent(), this.cellRecords.domains()]);
    if (sequence !== this.cellsAsOf) {
      this.cellList = await this.cellRecords.list();
      this.cellsAsOf = sequence;
      this.cells = new Map(this.cellList.map((cell) => [cell.cellId, standingOf(cell)]));
      this.standings = [...this.cells].map(([cellId, standing]) => `${cellId} ${standing}`).join('\n');
    }
    this.domains = new Map(domains.map((domain) => [domain.domain, domain]));
    this.forgotten.clear();
    return this.cellList;
  }

  /** What stands for everything that records are judged by, beside themselves and the time. */
  get worldVersion(): string {
    const now = this.clock.now();
    const fresh = [...this.domains.values()].filter((domain) => isFresh(domain, now));
    return `${this.standings}\n\n${fresh.map(({ domain }) => domain).join('\n')}`;
  }

  /** Is it a cell of this deployment, present or missing? */
  isCell(cellId: string): boolean {
    return this.cells.has(cellId);
  }

  /** Was this cell there when cells were last read? */
  isPresent(cellId: string): boolean {
    return this.cells.get(cellId) === 'PRESENT';
  }

  /** Returns the number of records that were repaired. */
  async process(processGuid: string, fence: Fence): Promise<number> {
    let repaired = 0;
    // Every record is touched by one rule a time; what one repair makes visible is repaired at once, too.
    for (let step = 0; step < MAX_STEPS; step++) {
      const transition = await this.judge((known) =>
        this.processes.change(
          processGuid,
          (process) =>
            known(process.actuals.map(cellOf))
              ? convergeProcess(process, this.world(), contextOf(this.clock, this.ids))
              : [],
          { fence },
        ),
      );
      if (transition.length === 0) break;
      repaired += this.done('converged-process', { processGuid }, transition);
    }
    return repaired;
  }

  /** Returns the number of records that were repaired. */
  async task(taskGuid: string, fence: Fence): Promise<number> {
    const transition = await this.judge((known) =>
      this.tasks.change(
        taskGuid,
        (task) =>
          task !== undefined && known([task.cellId, task.placement?.cellId])
            ? convergeTask(task, this.world(), contextOf(this.clock, this.ids))
            : [],
        { fence },
      ),
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

  /**
   * A cell that registered after the cells were read may hold work already: whoever meets a cell it does not know looks
   * for it again before it takes it for gone.
   */
  private async judge(
    change: (known: (cellIds: (string | undefined)[]) => boolean) => Promise<Transition>,
  ): Promise<Transition> {
    const strangers = new Set<string>();
    const known = (cellIds: (string | undefined)[]) => {
      strangers.clear();
      for (const cellId of cellIds) {
        const isKnown = cellId === undefined || this.cells.has(cellId) || this.forgotten.has(cellId);
        if (!isKnown) strangers.add(cellId);
      }
      return strangers.size === 0;
    };
    const transition = await change(known);
    if (strangers.size === 0) return transition;
    const met = new Set(strangers);
    await this.refresh();
    for (const cellId of met) if (!this.cells.has(cellId)) this.forgotten.add(cellId);
    return change(known);
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
