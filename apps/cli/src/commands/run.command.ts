import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { RiveraClient } from '#rivera/client';
import type { Cell, EnvironmentVariable, Task, TaskRequest } from '#rivera/models';
import type { CliContext } from '../cli-context.js';
import { connect } from '../connection.js';
import { CommandFailure, UsageError } from '../errors.js';
import { print, printJson } from '../output.js';
import { collectVariable, parseMb } from '../parse.js';

/** The user of Diego's stacks (vcap), by number so that a root filesystem need not know the name. */
const DEFAULT_USER = '2000:2000';

/** First and longest pause between two looks at a task that is waited for. */
const FIRST_LOOK_MS = 100;
const LONGEST_LOOK_MS = 2_000;

interface RunOptions {
  rootfs?: string;
  memory: number;
  disk: number;
  env?: EnvironmentVariable[];
  user: string;
  dir?: string;
  resultFile?: string;
  domain: string;
  name?: string;
  wait?: boolean;
  json?: boolean;
}

/** `rivera run` */
export function registerRun(program: Command, context: CliContext): void {
  program
    .command('run')
    .description('run a command once, as a task; put -- before it')
    .argument('<command...>', 'the command and its arguments')
    .option('--rootfs <rootfs>', 'where it runs; a preloaded one that a cell offers when absent')
    .option('--memory <mb>', 'memory limit', parseMb, 128)
    .option('--disk <mb>', 'disk limit', parseMb, 256)
    .option('--env <NAME=value>', 'environment variable, may be repeated', collectVariable)
    .option('--user <user>', 'user name or uid[:gid]', DEFAULT_USER)
    .option('--dir <dir>', 'working directory')
    .option('--result-file <path>', "file in the container whose content becomes the task's result")
    .option('--domain <domain>', 'domain of the task', 'cli')
    .option('--name <taskGuid>', 'task guid; a new one when absent')
    .option('--wait', 'wait until it completed; print its result, or fail as it did')
    .option('--json', 'print the task as one JSON object')
    .action(async (words: string[], options: RunOptions, command: Command) => {
      const client = await connect(command, context);
      const rootfs = options.rootfs ?? (await offeredRootfs(client.cells({ signal: context.signal })));
      const request = requestOf(words, { ...options, rootfs, name: options.name ?? context.newGuid() });
      const desired = await client.desireTask(request, { signal: context.signal });
      const task = options.wait ? await completed(client, desired, context.signal) : desired;
      await report(task, { context, json: options.json, waited: options.wait });
    });
}

function requestOf(words: string[], options: RunOptions & { rootfs: string; name: string }): TaskRequest {
  const [path = '', ...args] = words;
  const { user, dir, env } = options;
  return {
    taskGuid: options.name,
    domain: options.domain,
    definition: {
      rootfs: options.rootfs,
      memoryMb: options.memory,
      diskMb: options.disk,
      environmentVariables: env,
      resultFile: options.resultFile,
      action: { run: { path, args, user, dir } },
    },
  };
}

/** The first, by name, of the preloaded root filesystems of the cells that are present. */
async function offeredRootfs(cells: AsyncIterable<Cell>): Promise<string> {
  const stacks: string[] = [];
  for await (const { state, rootfsProviders } of cells) {
    if (state !== 'PRESENT') continue;
    for (const provider of rootfsProviders) {
      if (provider.scheme === 'preloaded') stacks.push(...(provider.stacks ?? []));
    }
  }
  const [first] = stacks.toSorted();
  if (first === undefined) {
    throw new UsageError('No cell offers a preloaded root filesystem. Name one with --rootfs.');
  }
  return `preloaded:${first}`;
}

/** Looks at the record rather than at events: a look that fails is repeated, an event that is missed is gone. */
async function completed(client: RiveraClient, desired: Task, signal: AbortSignal): Promise<Task> {
  let task = desired;
  let pauseMs = FIRST_LOOK_MS;
  while (task.state !== 'COMPLETED' && task.state !== 'RESOLVING') {
    await sleep(pauseMs, undefined, { signal });
    pauseMs = Math.min(LONGEST_LOOK_MS, pauseMs * 1.5);
    task = await client.getTask(desired.taskGuid, { signal });
  }
  return task;
}

async function report(
  task: Task,
  { context, json, waited }: { context: CliContext; json?: boolean; waited?: boolean },
): Promise<void> {
  if (json) await printJson(context.stdout, task);
  else if (!waited) await print(context.stdout, `${task.taskGuid}\n`);
  else if (task.result) await print(context.stdout, task.result.replace(/\n?$/, '\n'));
  if (waited && task.failed) {
    throw new CommandFailure(`Task ${task.taskGuid} failed: ${task.failureReason || 'no reason was given'}`);
  }
}
