import type { Command } from 'commander';
import type { RiveraEventType } from '#rivera/models';
import type { CliContext } from '../cli-context.js';
import { connect } from '../connection.js';
import { print, printJson } from '../output.js';
import { collect } from '../parse.js';

interface EventsOptions {
  type?: string[];
  processGuid?: string[];
  taskGuid?: string[];
  domain?: string;
  cell?: string;
  after?: string;
}

/** `rivera events` */
export function registerEvents(program: Command, context: CliContext): void {
  program
    .command('events')
    .description('follow what happens, one JSON object a line, until interrupted')
    .option('-f, --follow', 'follow (it always does)')
    .option('--type <type>', 'only events of this type, may be repeated', collect)
    .option('--process-guid <processGuid>', 'only events of this LRP, may be repeated', collect)
    .option('--task-guid <taskGuid>', 'only events of this task, may be repeated', collect)
    .option('--domain <domain>', 'only events of this domain')
    .option('--cell <cellId>', 'only events of this cell')
    .option('--after <cursor>', 'begin after the event with this cursor rather than now')
    .action(async (options: EventsOptions, command: Command) => {
      const client = await connect(command, context);
      const { processGuid, taskGuid, domain, cell, after } = options;
      // The server knows the types and says so when one is wrong.
      const type = options.type as RiveraEventType[] | undefined;
      const events = client.events(
        { type, processGuid, taskGuid, domain, cellId: cell },
        {
          lastEventId: after,
          signal: context.signal,
          onDisconnect: ({ message }) => void context.stderr.write(`rivera: ${message} Resuming.\n`),
        },
      );
      for await (const item of events) {
        if ('reset' in item) {
          await print(context.stderr, `rivera: ${item.reset} List again to see what changed.\n`);
          await printJson(context.stdout, { type: 'reset', reason: item.reset });
        } else {
          await printJson(context.stdout, { cursor: item.cursor, ...item.event });
        }
      }
    });
}
