import type { Command } from 'commander';
import type { ExecRequest } from '#rivera/models';
import type { CliContext } from '../cli-context.js';
import { connect } from '../connection.js';
import { ExitStatus } from '../errors.js';
import { type InstanceName, parseInstance } from '../instance-name.js';
import { collectVariable } from '../parse.js';
import { runRemotely } from '../terminal/run-remotely.js';
import { sizeOf } from '../terminal/terminal.js';

interface ExecOptions {
  interactive?: boolean;
  tty?: boolean;
  user?: string;
  dir?: string;
  env?: ExecRequest['env'];
}

/** As ssh: it was Rivera that failed, not the command. */
const RIVERA_FAILED = 255;

/** `rivera exec` */
export function registerExec(program: Command, context: CliContext): void {
  program
    .command('exec')
    .description('run a command in the container of an instance; exits as the command does')
    .argument('<processGuid/index>', 'the instance; without an index, instance 0', parseInstance)
    .argument('<command...>', 'after --, the program and its arguments')
    .option('-i, --interactive', 'hand it the standard input')
    .option('-t, --tty', 'give it a terminal')
    .option('--user <user>', "user name or uid[:gid] in the container (default: the instance's)")
    .option('--dir <path>', "working directory (default: the instance's)")
    .option('--env <NAME=value>', 'environment variable, may be repeated', collectVariable)
    .action(async (name: InstanceName, words: string[], options: ExecOptions, command: Command) => {
      const client = await connect(command, context);
      try {
        const { signal } = context;
        const request = requestOf(words, options, context);
        const process = await client.exec(name.processGuid, name.index, request, { signal });
        const status = await runRemotely(process, {
          context,
          withInput: options.interactive ?? false,
          withTerminal: options.tty ?? false,
        });
        throw new ExitStatus(status);
      } catch (error) {
        if (error instanceof ExitStatus || context.signal.aborted) throw error;
        const { explain } = await import('../failure.js');
        context.stderr.write(explain(error).text);
        throw new ExitStatus(RIVERA_FAILED);
      }
    });
}

function requestOf(words: string[], options: ExecOptions, { env, stdout }: CliContext): ExecRequest {
  const [path = '', ...args] = words;
  const { interactive, tty, user, dir } = options;
  const variables = [
    ...(tty && env['TERM'] ? [{ name: 'TERM', value: env['TERM'] }] : []),
    ...(options.env ?? []),
  ];
  return {
    path,
    args,
    user,
    dir,
    ...(variables.length > 0 && { env: variables }),
    ...(tty && { tty: sizeOf(stdout) }),
    ...(interactive && { stdin: true }),
  };
}
