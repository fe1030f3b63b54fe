import { type Command, Option } from 'commander';
import type { ContainerStats } from '#rivera/models';
import type { CliContext } from '../cli-context.js';
import { connect } from '../connection.js';
import { UsageError } from '../errors.js';
import { parseCount } from '../parse.js';
import { print, printList } from '../output.js';
import type { Column } from '../table.js';

const MEBIBYTE = 1024 * 1024;

/** `rivera stats` */
export function registerStats(program: Command, context: CliContext): void {
  program
    .command('stats')
    .description('show what the instances of an LRP, or all containers of a cell, use')
    .argument('[processGuid[/index]]', 'an LRP, or one instance of it')
    .addOption(new Option('--cell <cellId>', 'the containers of this cell'))
    .option('--json', 'one JSON object a line')
    .action(
      async (
        name: string | undefined,
        { cell, json }: { cell?: string; json?: boolean },
        command: Command,
      ) => {
        if ((name === undefined) === (cell === undefined))
          throw new UsageError('Give a process guid or --cell.');
        const client = await connect(command, context);
        const { signal } = context;
        const [guid = '', index] = (name ?? '').split('/', 2);
        const query = index === undefined ? {} : { index: parseCount(index) };
        const { items, unreachable = [] } =
          cell === undefined
            ? await client.lrpStats(guid, query, { signal })
            : await client.cellStats(cell, { signal });
        await printList(context, { items, columns, json });
        for (const { message } of unreachable) await print(context.stderr, `rivera: ${message}\n`);
      },
    );
}

const columns: Column<ContainerStats>[] = [
  { heading: 'INSTANCE', value: nameOf },
  { heading: 'CPU %', value: ({ cpuPercent }) => cpuPercent?.toFixed(1), align: 'right' },
  {
    heading: 'MEMORY MB',
    value: (stats) => share(stats.memoryBytes, stats.memoryLimitBytes),
    align: 'right',
  },
  { heading: 'DISK MB', value: (stats) => share(stats.diskBytes, stats.diskLimitBytes), align: 'right' },
  { heading: 'PIDS', value: ({ pids }) => pids, align: 'right' },
  { heading: 'RECEIVED MB', value: ({ rxBytes }) => megabytes(rxBytes), align: 'right' },
  { heading: 'SENT MB', value: ({ txBytes }) => megabytes(txBytes), align: 'right' },
  { heading: 'AGE', value: ({ ageMs }) => age(ageMs), align: 'right' },
];

function nameOf({ guid, processGuid, index }: ContainerStats): string {
  return processGuid === undefined ? guid : `${processGuid}/${index}`;
}

function share(used: number | undefined, limit: number | undefined): string | undefined {
  if (used === undefined) return undefined;
  return limit ? `${megabytes(used)} / ${Math.round(limit / MEBIBYTE)}` : megabytes(used);
}

function megabytes(bytes: number | undefined): string | undefined {
  return bytes === undefined ? undefined : (bytes / MEBIBYTE).toFixed(1);
}

function age(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : `${Math.round(ms / 1000)}s`;
}
