import { type Command, InvalidArgumentError } from 'commander';
import type { LogStreamItem } from '#rivera/client';
import type { LogLine } from '#rivera/models';
import type { CliContext } from '../cli-context.js';
import { connect } from '../connection.js';
import { print, printJson } from '../output.js';
import { parseCount } from '../parse.js';

interface LogsOptions {
  follow?: boolean;
  tail?: number;
  /** In milliseconds since the Unix epoch. */
  since?: number;
  task?: boolean;
  json?: boolean;
}

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** `rivera logs` */
export function registerLogs(program: Command, context: CliContext): void {
  program
    .command('logs')
    .description('print what the instances of an LRP, or a task, wrote lately')
    .argument('<processGuid[/index]>', 'an LRP, or one instance of it; with --task the guid of a task')
    .option('-f, --follow', 'go on with what comes, until interrupted; of a task, until it ended')
    .option('--tail <lines>', 'of each instance only the last so many lines', parseCount)
    .option('--since <age>', 'only lines that are at most so old: 90s, 15m, 2h', (text) =>
      parseSince(text, context),
    )
    .option('--task', 'the guid is that of a task')
    .option('--json', 'one JSON object a line')
    .action(async (name: string, { task, json, ...query }: LogsOptions, command: Command) => {
      const client = await connect(command, context);
      const options = {
        signal: context.signal,
        onDisconnect: ({ message }: Error) => void context.stderr.write(`rivera: ${message} Resuming.\n`),
      };
      const [guid = '', index] = task ? [name] : name.split('/', 2);
      const items = task
        ? client.taskLogs(guid, query, options)
        : client.logs(guid, { ...query, ...(index !== undefined && { index: parseCount(index) }) }, options);
      for await (const item of items) await show(item, context, json);
    });
}

async function show(item: LogStreamItem, { stdout, stderr }: CliContext, json?: boolean): Promise<void> {
  if ('line' in item) {
    await (json ? printJson(stdout, item.line) : print(stdout, format(item.line)));
  } else if ('failed' in item) {
    await print(stderr, `rivera: ${item.failed.message}\n`);
  } else {
    const whose = item.index === undefined ? '' : ` of instance ${item.index}`;
    await print(stderr, `rivera: ${item.dropped} lines${whose} are missing here: they came too fast.\n`);
  }
}

/** As `cf logs` does. */
function format({ time, source, index, stream, text }: LogLine): string {
  const whose = index === undefined ? source : `${source}/${index}`;
  return `${new Date(time).toISOString()} [${whose}] ${stream.toUpperCase()} ${text}\n`;
}

function parseSince(text: string, { now }: CliContext): number {
  const match = /^(\d{1,7})([smh])$/.exec(text);
  if (!match) throw new InvalidArgumentError('It must be a number with a unit: 90s, 15m or 2h.');
  const [, digits = '', unit = ''] = match;
  return now() - Number(digits) * (UNITS_MS[unit] ?? 1);
}
