import * as wire from '#rivera/diego-wire';
import type { Task, TaskState } from '#rivera/models';
import { messageOf } from './records.js';

const STATES: Record<TaskState, wire.TaskState> = {
  PENDING: wire.TaskState.Pending,
  RUNNING: wire.TaskState.Running,
  COMPLETED: wire.TaskState.Completed,
  RESOLVING: wire.TaskState.Resolving,
};

export function wireTask(task: Task): wire.Task {
  const { firstCompletedAt } = task;
  return {
    taskDefinition: messageOf('TaskDefinition', task.definition),
    taskGuid: task.taskGuid,
    domain: task.domain,
    createdAt: wire.nanosecondsOf(task.createdAt),
    updatedAt: wire.nanosecondsOf(task.updatedAt),
    firstCompletedAt: firstCompletedAt === undefined ? undefined : wire.nanosecondsOf(firstCompletedAt),
    state: STATES[task.state],
    cellId: task.cellId,
    result: task.result || undefined,
    failed: task.failed || undefined,
    failureReason: task.failureReason || undefined,
    rejectionCount: task.rejectionCount || undefined,
    rejectionReason: task.rejectionReason || undefined,
  };
}
