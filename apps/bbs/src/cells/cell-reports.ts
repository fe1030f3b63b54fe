import { Injectable } from '@nestjs/common';
import { Notifier } from '#rivera/actor';
import {
  claim,
  completeTask,
  crash,
  type InstanceSnapshot,
  refusePlacement,
  refuseTaskPlacement,
  rejectTask,
  remove,
  start,
  startTask,
  type Transition,
} from '#rivera/lifecycle';
import {
  type AcceptedReport,
  type CellReport,
  type CellReportResult,
  type EvacuationReport,
  type LRPReport,
  notFound,
  RiveraError,
  type Task,
  type TaskReport,
} from '#rivera/models';
import { Clock, contextOf, Ids, RiveraLogger } from '#rivera/platform';
import {
  type InstanceDecision,
  ProcessRepository,
  type StoredDefinition,
  TaskRepository,
} from '#rivera/store';
import { definitionText } from '../http/presenters.js';
import { isEvacuationReport } from './evacuation-reports.js';
import { Evacuations } from './evacuations.js';
import { type Reporter, writeOptionsOf } from './reporter.js';

/** A report that is decided by the records of one index. */
type SlotReport = Exclude<LRPReport, EvacuationReport>;

/** Applies what a cell reports. Reports of one process or task are applied in their order, others side by side. */
@Injectable()
export class CellReports {
  constructor(
    private readonly processes: ProcessRepository,
    private readonly tasks: TaskRepository,
    private readonly evacuations: Evacuations,
    private readonly notifier: Notifier,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly logger: RiveraLogger,
  ) {}

  /**
   * One `CellReportResult` as JSON per report, in the order of the reports. A refused report does not stop the others. As
   * JSON, because the answer to a claim is mostly text that the store holds.
   */
  async apply(reporter: Reporter, reports: CellReport[]): Promise<string[]> {
    const results = Array.from<string>({ length: reports.length });
    const queues = new Map<string, number[]>();
    reports.forEach((report, position) => {
      const guid = isTaskReport(report) ? report.taskGuid : report.processGuid;
      queues.set(guid, [...(queues.get(guid) ?? []), position]);
    });
    await Promise.all(
      [...queues.values()].map(async (positions) => {
        for (const position of positions) {
          results[position] = await this.applyOne(reporter, reports[position]!);
        }
      }),
    );
    return results;
  }

  /**
   * One report by itself, whose refusal is thrown. What a granted claim is to run is not in the answer.
   *
   * Errors: those of the report.
   */
  async applyAlone(reporter: Reporter, report: CellReport): Promise<AcceptedReport> {
    if (isTaskReport(report)) return this.applyTaskReport(reporter, report);
    if (report.type !== 'claim') return this.applyLRPReport(reporter, report);
    await this.claimed(reporter, report);
    return { ok: true };
  }

  private async applyOne(reporter: Reporter, report: CellReport): Promise<string> {
    try {
      if (isTaskReport(report)) return JSON.stringify(await this.applyTaskReport(reporter, report));
      if (report.type === 'claim')
        return `{"ok":true,"desiredLRP":${definitionText(await this.claimed(reporter, report))}}`;
      return JSON.stringify(await this.applyLRPReport(reporter, report));
    } catch (error) {
      return JSON.stringify(this.refusal(reporter, report, error));
    }
  }

  /** What the cell is told of an error; those that concern more than this report are thrown. */
  private refusal(reporter: Reporter, report: CellReport, error: unknown): CellReportResult {
    if (!(error instanceof RiveraError)) {
      // One report that cannot be applied must not hold up the others of its cell for ever.
      this.logger.error('failed-report', { cellId: reporter.cellId, report, error });
      return { ok: false, error: { code: 'internal', message: 'This report could not be applied.' } };
    }
    if (error.retryable || error.code === 'fenced') throw error;
    this.logger.debug('refused-report', {
      cellId: reporter.cellId,
      type: report.type,
      reason: error.message,
    });
    return { ok: false, error: { code: error.code, message: error.message } };
  }

  private async applyLRPReport(reporter: Reporter, report: LRPReport): Promise<AcceptedReport> {
    if (isEvacuationReport(report)) return this.evacuations.apply(reporter, report);
    const transition = await this.processes.changeInstance(
      this.decisionOn(reporter, report),
      writeOptionsOf(reporter),
    );
    this.notifier.publish(transition, reporter.cellId);
    return { ok: true };
  }

  /**
   * A claim is answered with what the instance runs. An instance that was claimed before and whose desired LRP is gone has
   * nothing to run: its record goes too, because the cell drops what it is refused and would never report it again.
   */
  private async claimed(reporter: Reporter, report: SlotReport): Promise<StoredDefinition> {
    const { transition, definition } = await this.processes.changeInstanceOf(
      this.decisionOn(reporter, report),
      writeOptionsOf(reporter),
    );
    this.notifier.publish(transition, reporter.cellId);
    if (definition !== undefined) return definition;
    await this.applyLRPReport(reporter, { ...report, type: 'remove' });
    throw notFound('desired LRP', report.processGuid);
  }

  private decisionOn(reporter: Reporter, report: SlotReport): InstanceDecision {
    const { processGuid, index } = report;
    return { processGuid, index, decide: (instance) => this.decideLRP(instance, reporter, report) };
  }

  private decideLRP(instance: InstanceSnapshot, { cellId, zone }: Reporter, report: SlotReport): Transition {
    const key = { instanceGuid: report.instanceGuid, cellId };
    const context = contextOf(this.clock, this.ids);
    switch (report.type) {
      case 'claim':
        return claim(instance, key, context);
      case 'refuse':
        return refusePlacement(instance, key, report.reason, context);
      case 'start': {
        const { netInfo, routable } = report;
        return start(instance, key, { netInfo, routable, availabilityZone: zone }, context);
      }
      case 'crash':
        return crash(instance, key, report.reason, context);
      case 'remove':
        return remove(instance, key, context);
    }
  }

  private async applyTaskReport(reporter: Reporter, report: TaskReport): Promise<AcceptedReport> {
    let task: Task | undefined;
    const transition = await this.tasks.change(
      report.taskGuid,
      (found) => {
        task = found;
        return this.decideTask(found, reporter, report);
      },
      writeOptionsOf(reporter),
    );
    this.notifier.publish(transition, reporter.cellId);
    if (report.type !== 'start-task') return { ok: true };
    const started = transition[0]?.after as Task | undefined;
    return started === undefined ? { ok: true, task, alreadyStarted: true } : { ok: true, task: started };
  }

  private decideTask(task: Task | undefined, { cellId }: Reporter, report: TaskReport): Transition {
    const { taskGuid } = report;
    const context = contextOf(this.clock, this.ids);
    switch (report.type) {
      case 'start-task':
        return startTask(task, taskGuid, cellId, context);
      case 'refuse-task':
        return refuseTaskPlacement(task, cellId, report.reason, context);
      case 'reject-task':
        // Over Diego's API it may be anybody, who then names no cell.
        return rejectTask(task, taskGuid, report.reason, context, cellId === '' ? {} : { cellId });
      case 'complete-task': {
        const { failed, failureReason, result } = report;
        return completeTask(task, taskGuid, cellId, { failed, failureReason, result }, context);
      }
    }
  }
}

function isTaskReport(report: CellReport): report is TaskReport {
  return 'taskGuid' in report;
}
