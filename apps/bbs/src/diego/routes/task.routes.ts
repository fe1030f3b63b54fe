import * as wire from '#rivera/diego-wire';
import { cancelTask, deleteTask, failTask, invalidTransition } from '#rivera/lifecycle';
import type { Task } from '#rivera/models';
import type { Caller } from '#rivera/platform';
import type { TaskRepository } from '#rivera/store';
import type { Tasks } from '../../tasks/tasks.service.js';
import { DISAGREEMENTS, invalidField } from '../disagreements.js';
import { taskRequestOf } from '../mapping/definitions.js';
import { wireTask } from '../mapping/tasks.js';
import { taskAsR2 } from '../older-revisions.js';
import { everything } from '../whole-lists.js';
import type { RpcRoutes, WireRoutes } from '../wire-route.js';
import type { WireCellReports } from './instance-reports.js';

export interface TaskRoutesNeed {
  rpcs: RpcRoutes;
  tasks: Tasks;
  repository: TaskRepository;
  reports: WireCellReports;
}

/** One-off work (Diego BBS §1.2, and of §1.3 the reads without image layers and `fail`). */
export function taskRoutes(need: TaskRoutesNeed): WireRoutes {
  return { ...readRoutes(need), ...clientRoutes(need), ...cellRoutes(need) };
}

function readRoutes({ rpcs, tasks, repository }: TaskRoutesNeed): WireRoutes {
  const list = (present: (task: Task) => wire.Task) =>
    rpcs.rpc({
      request: wire.TasksRequest,
      response: wire.TasksResponse,
      handle: async (filter) => ({ tasks: (await listTasks(repository, filter)).map(present) }),
    });
  const get = (present: (task: Task) => wire.Task) =>
    rpcs.rpc({
      request: wire.TaskByGuidRequest,
      response: wire.TaskResponse,
      handle: async ({ taskGuid }, caller) => ({
        task: present(await tasks.get(requireGuid(taskGuid), caller)),
      }),
    });
  const asR2 = (task: Task) => taskAsR2(wireTask(task));
  return {
    '/v1/tasks/list.r3': list(wireTask),
    '/v1/tasks/list.r2': list(asR2),
    '/v1/tasks/get_by_task_guid.r3': get(wireTask),
    '/v1/tasks/get_by_task_guid.r2': get(asR2),
  };
}

function clientRoutes({ rpcs, tasks }: TaskRoutesNeed): WireRoutes {
  const response = wire.TaskLifecycleResponse;
  const byGuid = (handle: (taskGuid: string, caller: Caller) => Promise<unknown>) =>
    rpcs.rpc({
      request: wire.TaskGuidRequest,
      response,
      changes: 'client',
      handle: async ({ taskGuid }, caller) => {
        await handle(requireGuid(taskGuid), caller);
        return {};
      },
    });
  return {
    '/v1/tasks/desire.r2': rpcs.rpc({
      request: wire.DesireTaskRequest,
      response,
      changes: 'client',
      handle: async (request, caller) => {
        await tasks.desire(taskRequestOf(request), caller);
        return {};
      },
    }),
    '/v1/tasks/cancel': byGuid((taskGuid, caller) => tasks.cancel(taskGuid, caller)),
    '/v1/tasks/resolving': byGuid((taskGuid, caller) => tasks.resolve(taskGuid, caller)),
    '/v1/tasks/delete': byGuid((taskGuid, caller) =>
      tasks.change(taskGuid, caller, (task, guid) => {
        const deletion = deleteTask(task, guid);
        if (task?.state === DISAGREEMENTS.deletableTask) return deletion;
        throw invalidTransition(task!, DISAGREEMENTS.deletableTask);
      }),
    ),
  };
}

function cellRoutes({ rpcs, tasks, reports }: TaskRoutesNeed): WireRoutes {
  const response = wire.TaskLifecycleResponse;
  return {
    '/v1/tasks/start': rpcs.rpc({
      request: wire.StartTaskRequest,
      response: wire.StartTaskResponse,
      changes: 'cell',
      handle: async ({ taskGuid, cellId = '' }, { traceId }) => {
        const report = { type: 'start-task', taskGuid };
        const { alreadyStarted } = await reports.tellOfTask(cellId, report, traceId);
        return { shouldStart: alreadyStarted ? undefined : true };
      },
    }),
    '/v1/tasks/reject': rpcs.rpc({
      request: wire.RejectTaskRequest,
      response,
      changes: 'cell',
      errors: DISAGREEMENTS.rejectOfEndedTask,
      handle: async ({ taskGuid, rejectionReason: reason }, { traceId }) => {
        if (!reason) throw invalidField('rejection_reason');
        await reports.tellOfTask(undefined, { type: 'reject-task', taskGuid, reason }, traceId);
        return {};
      },
    }),
    '/v1/tasks/complete': rpcs.rpc({
      request: wire.CompleteTaskRequest,
      response,
      changes: 'cell',
      handle: async ({ taskGuid, cellId = '', failed, failureReason, result }, { traceId }) => {
        const outcome = { failed: failed ?? false, failureReason, result };
        await reports.tellOfTask(cellId, { type: 'complete-task', taskGuid, ...outcome }, traceId);
        return {};
      },
    }),
    '/v1/tasks/fail': rpcs.rpc({
      request: wire.FailTaskRequest,
      response,
      changes: 'cell',
      handle: async ({ taskGuid, failureReason = '' }, caller) => {
        await tasks.change(requireGuid(taskGuid), caller, (task, guid, context) => {
          // May fail when it may be cancelled.
          cancelTask(task, guid, context);
          return failTask(task!, failureReason, context);
        });
        return {};
      },
    }),
  };
}

async function listTasks(repository: TaskRepository, { domain, cellId }: wire.TasksRequest): Promise<Task[]> {
  const matches = (task: Task) => (!domain || task.domain === domain) && (!cellId || task.cellId === cellId);
  if (cellId) return (await repository.onCell(cellId)).filter(matches);
  const isFiltering = domain !== undefined && domain !== '';
  const found = await everything((page) => repository.storedPage(page), isFiltering ? matches : undefined);
  return found.map(({ record }) => record);
}

function requireGuid(taskGuid: string | undefined): string {
  if (!taskGuid) throw invalidField('task_guid');
  return taskGuid;
}
