import type { ActualLRP, ActualLRPKey } from './actual-lrp.js';
import type { CellDrain } from './cell.js';
import type { DesiredLRP } from './desired-lrp.js';
import type { ActualLRPNetInfo } from './net-info.js';
import type { FieldError, ErrorCode } from './errors.js';
import type { Task } from './task.js';

/** What a cell reports of one of its instances. `instanceGuid` names the run the report is about. */
export type LRPReport = ActualLRPKey & { instanceGuid: string } & (
    | { type: 'claim' }
    | { type: 'refuse'; reason: string }
    | { type: 'start'; netInfo: ActualLRPNetInfo; routable: boolean }
    | { type: 'crash'; reason: string }
    | { type: 'remove' }
    | Evacuating
  );

/** What a cell that leaves reports of its instances (Diego BBS, evacuation). */
type Evacuating =
  | { type: 'evacuate-claimed' }
  | { type: 'evacuate-running'; netInfo: ActualLRPNetInfo; routable: boolean }
  | { type: 'evacuate-crashed'; reason: string }
  | { type: 'evacuate-stopped' }
  | { type: 'remove-evacuating' };

export type EvacuationReport = Extract<LRPReport, Evacuating>;

/** What a cell reports of one of its tasks. */
export type TaskReport = { taskGuid: string } & (
  | { type: 'start-task' }
  | { type: 'refuse-task'; reason: string }
  | { type: 'reject-task'; reason: string }
  | { type: 'complete-task'; failed: boolean; failureReason?: string; result?: string }
);

/** One entry of `POST /v1/cells/:cellId/transitions`. */
export type CellReport = LRPReport | TaskReport;

/**
 * The answer to one report, in the order asked. A granted claim carries the definition to run; a granted task start
 * carries the task, unless it was started here before (`alreadyStarted`). The answer to an evacuation says whether the container
 * has to be kept (`keepContainer`): until its replacement runs, or because it is not its turn and the cell has to ask again
 * (`waiting`).
 */
export type CellReportResult =
  | {
      ok: true;
      desiredLRP?: DesiredLRP;
      task?: Task;
      alreadyStarted?: boolean;
      keepContainer?: boolean;
      waiting?: boolean;
    }
  | { ok: false; error: { code: ErrorCode; message: string; fields?: FieldError[] } };

/** The answer to `PUT /v1/cells/:cellId/presence`. */
export interface PresenceGrant {
  epoch: number;
  /** The presence ends this long after it was granted, unless renewed. */
  ttlMs: number;
  /** Set while an operator wants the cell drained. */
  drain?: CellDrain;
}

/** The answer to a report that was not refused. */
export type AcceptedReport = Extract<CellReportResult, { ok: true }>;

/** Everything the store says about one cell: `GET /v1/cells/:cellId/work`. */
export interface CellWork {
  epoch: number;
  /** Placed here, claimed here, running here, or here and to be stopped. */
  actualLRPs: ActualLRP[];
  tasks: Task[];
}
