import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { RiveraClient } from '#rivera/client';
import { type Cell, type CellDetail, RiveraError } from '#rivera/models';
import type { CliContext } from '../cli-context.js';
import { connect } from '../connection.js';
import { CommandFailure } from '../errors.js';
import { ago, print, printList } from '../output.js';
import { parseSeconds } from '../parse.js';
import type { Column } from '../table.js';

/** Pause between two looks at a cell that is waited for. */
const LOOK_MS = 500;

/** `rivera cells`, and what operators want of a cell. */
export function registerCells(program: Command, context: CliContext): void {
  const { signal } = context;
  const cells = program
    .command('cells')
    .description('list the cells, missing ones included; cordon and drain them')
    .option('--json', 'one JSON object a line')
    .action(async (options: { json?: boolean }, command: Command) => {
      const client = await connect(command, context);
      const items = client.cells({ signal });
      await printList(context, { items, columns: columns(context.now()), json: options.json });
    });
  registerDrain(cells, context);
  cells
    .command('cordon')
    .description('have a cell take no new work; what it has stays')
    .argument('<cellId>')
    .action(async (cellId: string, _options: object, command: Command) => {
      await (await connect(command, context)).cordonCell(cellId, { signal });
      await print(context.stdout, `Cordoned ${cellId}: it takes no new work.\n`);
    });
  cells
    .command('uncordon')
    .description('have a cell take work again; a drain is cancelled')
    .argument('<cellId>')
    .action(async (cellId: string, _options: object, command: Command) => {
      await (await connect(command, context)).uncordonCell(cellId, { signal });
      await print(context.stdout, `Uncordoned ${cellId}: it takes work again.\n`);
    });
  cells
    .command('replace')
    .description('replace the work of missing cells that are lost indeed, although too many went at once')
    .argument('<cellId...>')
    .action(async (cellIds: string[], _options: object, command: Command) => {
      const client = await connect(command, context);
      for (const cellId of cellIds) {
        await client.releaseReplacement(cellId, { signal });
        await print(context.stdout, `What ${cellId} ran is being replaced.\n`);
      }
    });
}

interface DrainOptions {
  /** In seconds. */
  deadline?: number;
  wait?: boolean;
  cancel?: boolean;
}

function registerDrain(cells: Command, context: CliContext): void {
  const { signal } = context;
  cells
    .command('drain')
    .description('move the work off a cell, replacement first; the cell stays cordoned')
    .argument('<cellId>')
    .option(
      '--deadline <time>',
      'what is left after this long is stopped: 90s, 15m (default 10m)',
      parseSeconds,
    )
    .option('--wait', 'wait until the cell holds nothing, and say how far it got')
    .option('--cancel', 'end a drain where it is')
    .action(async (cellId: string, { deadline, wait, cancel }: DrainOptions, command: Command) => {
      const client = await connect(command, context);
      if (cancel) {
        await client.cancelDrain(cellId, { signal });
        return print(context.stdout, `Cancelled the drain of ${cellId}; it stays cordoned.\n`);
      }
      const request = deadline === undefined ? {} : { timeoutMs: deadline * 1_000 };
      await client.drainCell(cellId, request, { signal });
      if (wait) await untilDrained(client, cellId, context);
      else await print(context.stdout, `Draining ${cellId}. See how far it is with \`rivera cells\`.\n`);
    });
}

async function untilDrained(client: RiveraClient, cellId: string, context: CliContext): Promise<void> {
  let said = '';
  for (;;) {
    const cell = await lookAt(client, cellId, context.signal);
    if (cell === undefined || Object.values(cell.work).every((count) => count === 0)) {
      return print(context.stdout, `Drained ${cellId}.\n`);
    }
    if (cell.drain === undefined) throw new CommandFailure(`The drain of ${cellId} was cancelled.`);
    const progress = progressOf(cell);
    if (progress !== said) await print(context.stdout, `${progress}\n`);
    said = progress;
    await sleep(LOOK_MS, undefined, { signal: context.signal });
  }
}

/** Undefined when the cell has left, which it does when its agent drains because it ends. */
async function lookAt(
  client: RiveraClient,
  cellId: string,
  signal: AbortSignal,
): Promise<CellDetail | undefined> {
  try {
    return await client.getCell(cellId, { signal });
  } catch (error) {
    if (error instanceof RiveraError && error.code === 'not-found') return undefined;
    throw error;
  }
}

function progressOf({ cellId, work }: CellDetail): string {
  const { placed, claimed, running, evacuating, suspect, tasks } = work;
  return (
    `${cellId}: ${placed + claimed + running + suspect} instances to move, ` +
    `${evacuating} waiting for their replacement, ${tasks} tasks`
  );
}

function columns(now: number): Column<Cell>[] {
  return [
    { heading: 'CELL', value: (cell) => cell.cellId },
    { heading: 'STATE', value: stateOf },
    { heading: 'SINCE', value: (cell) => ago(cell.since, now) },
    { heading: 'ZONE', value: (cell) => cell.zone },
    { heading: 'ADDRESS', value: (cell) => cell.address },
    { heading: 'BACKEND', value: (cell) => cell.backend },
    { heading: 'MEMORY MB', value: (cell) => cell.capacity.memoryMb, align: 'right' },
    { heading: 'DISK MB', value: (cell) => cell.capacity.diskMb, align: 'right' },
    { heading: 'CONTAINERS', value: (cell) => cell.capacity.containers, align: 'right' },
    { heading: 'TAGS', value: tags },
  ];
}

function stateOf({ state, evacuating, cordoned, drain, replacementHeld }: Cell): string {
  const remarks = [
    drain !== undefined ? 'draining' : evacuating ? 'evacuating' : undefined,
    drain === undefined && cordoned ? 'cordoned' : undefined,
    replacementHeld ? 'replacement held' : undefined,
  ];
  return [state, ...remarks].filter((remark) => remark !== undefined).join(', ');
}

function tags({ placementTags = [], optionalPlacementTags = [] }: Cell): string {
  return [...placementTags, ...optionalPlacementTags.map((tag) => `${tag} (optional)`)].join(', ');
}
