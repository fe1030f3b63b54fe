import type { Command } from 'commander';
import type { Cell } from '#rivera/models';
import type { CliContext } from '../cli-context.js';
import { connect } from '../connection.js';
import { ago, printList } from '../output.js';
import type { Column } from '../table.js';

/** `rivera cells` */
export function registerCells(program: Command, context: CliContext): void {
  program
    .command('cells')
    .description('list the cells, missing ones included')
    .option('--json', 'one JSON object a line')
    .action(async (options: { json?: boolean }, command: Command) => {
      const client = await connect(command, context);
      const items = client.cells({ signal: context.signal });
      await printList(context, { items, columns: columns(context.now()), json: options.json });
    });
}

function columns(now: number): Column<Cell>[] {
  return [
    { heading: 'CELL', value: (cell) => cell.cellId },
    { heading: 'STATE', value: (cell) => (cell.evacuating ? `${cell.state}, evacuating` : cell.state) },
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

function tags({ placementTags = [], optionalPlacementTags = [] }: Cell): string {
  return [...placementTags, ...optionalPlacementTags.map((tag) => `${tag} (optional)`)].join(', ');
}
