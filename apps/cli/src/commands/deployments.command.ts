import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { RiveraClient } from '#rivera/client';
import type { Deployment, DesiredLRPRequest } from '#rivera/models';
import type { CliContext } from '../cli-context.js';
import { connect } from '../connection.js';
import { CommandFailure } from '../errors.js';
import { ago, print, printList } from '../output.js';
import { parseCount, parseSeconds } from '../parse.js';
import { readJson } from '../read-json.js';
import type { Column } from '../table.js';

/** Pause between two looks at a deployment that is waited for. */
const LOOK_MS = 500;
const STEERING = ['pause', 'resume', 'cancel'] as const;

interface UpdateOptions {
  file: string;
  as?: string;
  maxInFlight?: number;
  maxUnavailable?: number;
  /** In seconds. */
  minHealthy?: number;
  maxCrashes?: number;
  /** In seconds. */
  timeout?: number;
  wait?: boolean;
}

/** `rivera update` and `rivera deployments` */
export function registerDeployments(program: Command, context: CliContext): void {
  registerUpdate(program, context);
  const { signal } = context;
  const deployments = program
    .command('deployments')
    .description('list the deployments; pause, resume and cancel them')
    .option('--json', 'one JSON object a line')
    .action(async (options: { json?: boolean }, command: Command) => {
      const client = await connect(command, context);
      const items = client.deployments({}, { signal });
      await printList(context, { items, columns: columns(context.now()), json: options.json });
    });
  const explained = {
    pause: 'have a deployment go no further for now',
    resume: 'have it go on',
    cancel: 'go back to the LRP that was to be replaced',
  };
  for (const verb of STEERING) {
    deployments
      .command(verb)
      .description(explained[verb])
      .argument('<processGuid>', 'of the LRP that is replaced')
      .action(async (processGuid: string, _options: object, command: Command) => {
        const client = await connect(command, context);
        const { state } = await client[`${verb}Deployment`](processGuid, { signal });
        await print(context.stdout, `The deployment of ${processGuid} is ${state}.\n`);
      });
  }
}

function registerUpdate(program: Command, context: CliContext): void {
  const { signal } = context;
  program
    .command('update')
    .description('have a new definition take the place of an LRP, instance by instance')
    .argument('<processGuid>', 'the LRP that is replaced')
    .requiredOption('-f, --file <file>', 'the new definition in JSON; - reads standard input')
    .option('--as <processGuid>', 'process guid of the new definition; the one in the file when absent')
    .option('--max-in-flight <n>', 'new instances that are not healthy yet, at most (default 1)', parseCount)
    .option('--max-unavailable <n>', 'how many fewer than wanted may run (default 0)', parseCount)
    .option(
      '--min-healthy <time>',
      'how long a new instance runs until it counts (default 10s)',
      parseSeconds,
    )
    .option(
      '--max-crashes <n>',
      'crashes of new instances after which it is rolled back (default 3)',
      parseCount,
    )
    .option('--timeout <time>', 'without progress for so long it is rolled back (default 10m)', parseSeconds)
    .option('--wait', 'wait for its end, and say how far it got; fail when it is rolled back')
    .action(async (processGuid: string, options: UpdateOptions, command: Command) => {
      const file = (await readJson(options.file, context)) as DesiredLRPRequest;
      const definition = { ...file, ...(options.as !== undefined && { processGuid: options.as }) };
      const { maxInFlight, maxUnavailable, maxCrashes, minHealthy, timeout } = options;
      const policy = { maxInFlight, maxUnavailable, maxCrashes };
      const times = { minHealthyMs: inMs(minHealthy), progressTimeoutMs: inMs(timeout) };
      const client = await connect(command, context);
      const request = { processGuid, definition, ...policy, ...times };
      const { newProcessGuid } = await client.startDeployment(request, { signal });
      if (options.wait) return untilEnded(client, processGuid, context);
      await print(context.stdout, `${newProcessGuid} is taking the place of ${processGuid}.\n`);
    });
}

function inMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1_000;
}

async function untilEnded(client: RiveraClient, processGuid: string, context: CliContext): Promise<void> {
  let said = '';
  for (;;) {
    const deployment = await client.getDeployment(processGuid, { signal: context.signal });
    const { state, newProcessGuid, newInstances, reason = '' } = deployment;
    if (state === 'COMPLETED') {
      const what = `${newProcessGuid} has taken the place of ${processGuid}: ${newInstances} healthy.`;
      return print(context.stdout, `${what}\n`);
    }
    if (state === 'ROLLED_BACK' || state === 'FAILED') {
      throw new CommandFailure(`The deployment of ${processGuid} is ${state}: ${reason}`);
    }
    const progress = `${state}: ${progressOf(deployment)}`;
    if (progress !== said) await print(context.stdout, `${progress}\n`);
    said = progress;
    await sleep(LOOK_MS, undefined, { signal: context.signal });
  }
}

function progressOf({ state, healthy, oldInstances, newInstances, crashes }: Deployment): string {
  const wanted = state === 'ROLLING_BACK' || state === 'ROLLED_BACK' ? oldInstances : newInstances;
  const remark = crashes === 0 ? '' : `, ${crashes} crashes`;
  return `${healthy} of ${wanted} healthy${remark}`;
}

function columns(now: number): Column<Deployment>[] {
  return [
    { heading: 'PROCESS GUID', value: ({ processGuid }) => processGuid },
    { heading: 'NEW PROCESS GUID', value: ({ newProcessGuid }) => newProcessGuid },
    { heading: 'STATE', value: ({ state }) => state },
    { heading: 'PROGRESS', value: progressOf },
    { heading: 'SINCE', value: ({ createdAt }) => ago(createdAt, now) },
    { heading: 'REASON', value: ({ reason }) => reason },
  ];
}
