import {
  type Placement,
  RiveraError,
  type Task,
  type TaskRequest,
  type TaskState,
  notFound,
} from '#rivera/models';
import { refused, truncated } from './actual-lrp-records.js';
import { newTag, nextTag, type RecordChange, type Transition } from './change.js';
import type { Context } from './context.js';
import { isRepetition } from './process.js';
import { withFields } from './with-fields.js';

/** Diego BBS, max_task_retries: the next rejection after this many fails the task. */
export const MAX_TASK_REJECTIONS = 3;
const TASK_REJECTION_INTERVAL_MS = 30_000;

/** The outcome of a task's container. */
export interface TaskOutcome {
  failed: boolean;
  failureReason?: string;
  result?: string;
}

/**
 * A client wants a task run (Diego BBS, DesireTask). The same request again, known by its idempotency key, changes
 * nothing.
 *
 * Errors: `already-exists`.
 */
export function desireTask(
  existing: Task | undefined,
  request: TaskRequest & { idempotencyKey?: string },
  context: Context,
): Transition {
  const { idempotencyKey } = request;
  if (existing !== undefined) {
    if (isRepetition(existing, idempotencyKey)) return [];
    throw new RiveraError(
      'already-exists',
      `A task ${JSON.stringify(request.taskGuid)} exists already (${existing.state}). Choose another task guid.`,
    );
  }
  const after: Task = {
    taskGuid: request.taskGuid,
    domain: request.domain,
    definition: request.definition,
    state: 'PENDING',
    createdAt: context.now,
    updatedAt: context.now,
    modificationTag: newTag(context),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    rejectionCount: 0,
  };
  return [{ kind: 'task', after }];
}

/** The auctioneer gives a PENDING task to a cell. Someone else was faster: no change. */
export function placeTask(task: Task | undefined, placement: Placement, context: Context): Transition {
  if (task === undefined || !isUnplacedTask(task)) return [];
  return [changed(task, { placement }, context)];
}

/** The cell it was given to will not take it, or never answered: place it again, there last. */
export function refuseTaskPlacement(
  task: Task | undefined,
  cellId: string,
  reason: string,
  context: Context,
): Transition {
  if (task?.state !== 'PENDING' || task.placement?.cellId !== cellId) return [];
  const { refusedBy, refusal } = refused(task, cellId, reason, context);
  return [changed(task, { placement: undefined, refusedBy, refusal }, context)];
}

/**
 * A cell starts a task (Diego BBS, StartTask). Starting it again on the same cell is success without a change: the
 * caller must not run it twice.
 *
 * Errors: `not-found`, `invalid-state-transition`.
 */
export function startTask(
  task: Task | undefined,
  taskGuid: string,
  cellId: string,
  context: Context,
): Transition {
  if (task === undefined) throw notFound('task', taskGuid);
  if (task.state === 'RUNNING' && task.cellId === cellId) return [];
  const isGivenToAnother = task.placement !== undefined && task.placement.cellId !== cellId;
  if (task.state !== 'PENDING' || isGivenToAnother) throw invalidTransition(task, 'RUNNING');
  const forgotten = { placement: undefined, refusedBy: undefined, refusal: undefined };
  return [changed(task, { state: 'RUNNING', cellId, ...forgotten }, context)];
}

/**
 * A task's container ended (Diego BBS, CompleteTask).
 *
 * Errors: `not-found`, `running-on-different-cell`, `invalid-state-transition` (also on repetition).
 */
export function completeTask(
  task: Task | undefined,
  taskGuid: string,
  cellId: string,
  outcome: TaskOutcome,
  context: Context,
): Transition {
  if (task === undefined) throw notFound('task', taskGuid);
  if (task.state !== 'RUNNING') throw invalidTransition(task, 'COMPLETED');
  requireCell(task, cellId);
  return [completed(task, outcome, context)];
}

/**
 * A client no longer wants it (Diego BBS, CancelTask): it is COMPLETED as failed, and its cell ends the container.
 *
 * Errors: `not-found`, `invalid-state-transition`.
 */
export function cancelTask(task: Task | undefined, taskGuid: string, context: Context): Transition {
  if (task === undefined) throw notFound('task', taskGuid);
  if (task.state !== 'PENDING' && task.state !== 'RUNNING') throw invalidTransition(task, 'COMPLETED');
  return [completed(task, { failed: true, failureReason: 'task was cancelled' }, context)];
}

/**
 * It could not be run for a reason that another try may not have (Diego BBS, RejectTask): PENDING again, or failed for
 * good after `maxRejections`. With `cellId`, only that cell's task: a cell that says it twice, since an answer was lost,
 * says nothing about where the task has gone meanwhile.
 *
 * Errors: `not-found`, `invalid-state-transition`, `running-on-different-cell`.
 */
export function rejectTask(
  task: Task | undefined,
  taskGuid: string,
  reason: string,
  context: Context,
  { maxRejections = MAX_TASK_REJECTIONS, cellId }: { maxRejections?: number; cellId?: string } = {},
): Transition {
  if (task === undefined) throw notFound('task', taskGuid);
  if (task.state !== 'PENDING' && task.state !== 'RUNNING') throw invalidTransition(task, 'PENDING');
  if (cellId !== undefined) {
    if (task.state === 'RUNNING') requireCell(task, cellId);
    else if (task.placement?.cellId !== cellId) throw invalidTransition(task, 'PENDING');
  }
  const rejection = { rejectionCount: task.rejectionCount + 1, rejectionReason: truncated(reason) };
  if (task.rejectionCount >= maxRejections) {
    return [completed({ ...task, ...rejection }, { failed: true, failureReason: reason }, context, task)];
  }
  return [
    changed(
      task,
      {
        ...rejection,
        state: 'PENDING',
        cellId: undefined,
        lastCellId: task.cellId ?? task.lastCellId,
        placement: undefined,
      },
      context,
    ),
  ];
}

/**
 * No cell could take a PENDING task. Counts as a rejection at most once per 30 s, so that being offered often does not
 * use up its tries (Diego rejects once per convergence pass).
 */
export function failTaskPlacement(task: Task | undefined, error: string, context: Context): Transition {
  if (task === undefined || !isUnplacedTask(task)) return [];
  if (task.rejectionCount > 0 && context.now - task.updatedAt < TASK_REJECTION_INTERVAL_MS) return [];
  return rejectTask(task, task.taskGuid, error, context);
}

/**
 * Someone takes care of the result, alone (Diego BBS, ResolvingTask).
 *
 * Errors: `not-found`, `invalid-state-transition` (somebody else does, or it has not completed).
 */
export function resolveTask(task: Task | undefined, taskGuid: string, context: Context): Transition {
  if (task === undefined) throw notFound('task', taskGuid);
  if (task.state !== 'COMPLETED') throw invalidTransition(task, 'RESOLVING');
  return [changed(task, { state: 'RESOLVING' }, context)];
}

/**
 * A client has read the result and wants the record gone (Diego BBS, ResolvingTask and DeleteTask in one).
 *
 * Errors: `not-found`, `invalid-state-transition` while it has not completed.
 */
export function deleteTask(task: Task | undefined, taskGuid: string): Transition {
  if (task === undefined) throw notFound('task', taskGuid);
  if (task.state !== 'COMPLETED' && task.state !== 'RESOLVING') {
    throw new RiveraError(
      'invalid-state-transition',
      `Task ${JSON.stringify(taskGuid)} is ${task.state}. Cancel it, or wait until it is COMPLETED, then delete it.`,
    );
  }
  return [{ kind: 'task', before: task }];
}

/** Completes a task on its behalf, e.g. because its cell is gone. */
export function failTask(task: Task, failureReason: string, context: Context): Transition {
  return [completed(task, { failed: true, failureReason }, context)];
}

/** Waiting for the auctioneer. */
export function isUnplacedTask(task: Task): boolean {
  return task.state === 'PENDING' && task.placement === undefined;
}

function completed(task: Task, outcome: TaskOutcome, context: Context, before = task): RecordChange {
  return {
    kind: 'task',
    before,
    after: withFields(task, {
      state: 'COMPLETED',
      cellId: undefined,
      lastCellId: task.cellId ?? task.lastCellId,
      placement: undefined,
      refusedBy: undefined,
      refusal: undefined,
      failed: outcome.failed,
      failureReason: outcome.failureReason === undefined ? undefined : truncated(outcome.failureReason),
      result: outcome.result,
      firstCompletedAt: context.now,
      updatedAt: context.now,
      modificationTag: nextTag(task),
    }),
  };
}

function changed(before: Task, fields: Partial<Task>, context: Context): RecordChange {
  return {
    kind: 'task',
    before,
    after: withFields(before, fields, { updatedAt: context.now, modificationTag: nextTag(before) }),
  };
}

/** The error of a transition that a task's state does not allow. It is Diego's sentence: clients match on it. */
export function invalidTransition(task: Task, to: TaskState): RiveraError {
  return new RiveraError(
    'invalid-state-transition',
    `Cannot transition from ${task.state} to ${to} (task ${JSON.stringify(task.taskGuid)}).`,
  );
}

function requireCell(task: Task, cellId: string): void {
  if (task.cellId === cellId) return;
  throw new RiveraError(
    'running-on-different-cell',
    `Task ${JSON.stringify(task.taskGuid)} runs on cell ${task.cellId}, not on ${cellId}. End that copy.`,
  );
}
