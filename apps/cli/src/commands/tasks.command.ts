import type { Command } from 'commander';
import type { Task, TaskState } from '#rivera/models';
import type { CliContext } from '../cli-context.js';
import { connect } from '../connection.js';
import { ago, print, printJson, printList } from '../output.js';
import { formatRecord } from '../table.js';
import type { Column } from '../table.js';

interface TasksOptions {
  domain?: string;
  cell?: string;
  state?: TaskState;
  json?: boolean;
}

/** `rivera tasks`, `task` and `cancel` */
export function registerTasks(program: Command, context: CliContext): void {
  const { signal } = context;
  program
    .command('tasks')
    .description('list the tasks')
    .option('--domain <domain>', 'only those of this domain')
    .option('--cell <cellId>', 'only those on this cell')
    .option('--state <state>', 'PENDING, RUNNING, COMPLETED or RESOLVING')
    .option('--json', 'one JSON object a line')
    .action(async ({ domain, cell, state, json }: TasksOptions, command: Command) => {
      const client = await connect(command, context);
      const items = client.tasks({ domain, cellId: cell, state }, { signal });
      await printList(context, { items, columns: columns(context.now()), json });
    });
  program
    .command('task')
    .description('show one task')
    .argument('<taskGuid>')
    .option('--json', 'the whole record as one JSON object')
    .action(async (taskGuid: string, { json }: { json?: boolean }, command: Command) => {
      const client = await connect(command, context);
      const task = await client.getTask(taskGuid, { signal });
      if (json) await printJson(context.stdout, task);
      else await print(context.stdout, formatTask(task, context.now()));
    });
  program
    .command('cancel')
    .description('end a task as failed, wherever it is')
    .argument('<taskGuid>')
    .action(async (taskGuid: string, _options: object, command: Command) => {
      const client = await connect(command, context);
      await client.cancelTask(taskGuid, { signal });
      await print(context.stdout, `Cancelled ${taskGuid}.\n`);
    });
}

function columns(now: number): Column<Task>[] {
  return [
    { heading: 'TASK GUID', value: ({ taskGuid }) => taskGuid },
    { heading: 'DOMAIN', value: ({ domain }) => domain },
    { heading: 'STATE', value: stateOf },
    { heading: 'CELL', value: ({ cellId }) => cellId },
    { heading: 'AGE', value: ({ createdAt }) => ago(createdAt, now) },
    { heading: 'REASON', value: reasonOf },
  ];
}

function stateOf({ state, failed }: Task): string {
  return failed ? `${state}, failed` : state;
}

function reasonOf({ failureReason, rejectionReason }: Task): string | undefined {
  return failureReason || rejectionReason;
}

function formatTask(task: Task, now: number): string {
  const { definition } = task;
  return formatRecord([
    ['task guid', task.taskGuid],
    ['domain', task.domain],
    ['state', stateOf(task)],
    ['cell', task.cellId],
    ['created', `${ago(task.createdAt, now)} ago`],
    ['updated', `${ago(task.updatedAt, now)} ago`],
    ['rootfs', definition.rootfs],
    ['memory', `${definition.memoryMb} MB`],
    ['disk', `${definition.diskMb} MB`],
    ['rejected', task.rejectionCount > 0 ? `${task.rejectionCount} times` : undefined],
    ['reason', reasonOf(task)],
    ['result', task.result],
  ]);
}
