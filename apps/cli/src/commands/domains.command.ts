import type { Command } from 'commander';
import type { Domain } from '#rivera/models';
import type { CliContext } from '../cli-context.js';
import { connect } from '../connection.js';
import { printList } from '../output.js';
import type { Column } from '../table.js';

/** `rivera domains` */
export function registerDomains(program: Command, context: CliContext): void {
  program
    .command('domains')
    .description('list the fresh domains')
    .option('--json', 'one JSON object a line')
    .action(async (options: { json?: boolean }, command: Command) => {
      const client = await connect(command, context);
      const items = client.domains({ signal: context.signal });
      await printList(context, { items, columns, json: options.json });
    });
}

const columns: Column<Domain>[] = [
  { heading: 'DOMAIN', value: ({ domain }) => domain },
  {
    heading: 'FRESH UNTIL',
    value: ({ expiresAt }) => (expiresAt === undefined ? 'for ever' : new Date(expiresAt).toISOString()),
  },
];
