import type { Command } from 'commander';
import type { CliContext } from '../cli-context.js';
import { connect } from '../connection.js';
import { UsageError } from '../errors.js';
import { type InstanceName, parseInstance } from '../instance-name.js';
import { packLocal, unpackLocal } from '../files/local-files.js';

/** A place in an instance. */
interface Remote {
  instance: InstanceName;
  path: string;
}

/** `rivera cp` */
export function registerCp(program: Command, context: CliContext): void {
  program
    .command('cp')
    .description('copy files and directories into an instance or out of it')
    .argument('<from>', 'processGuid/index:/path, a path here, or - for a tar stream on the standard input')
    .argument(
      '<to>',
      'the same; what ends in / is a directory to put it into; - for a tar stream on the output',
    )
    .option('--user <user>', "whom the files belong to in the instance (default: the instance's)")
    .action(async (from: string, to: string, { user }: { user?: string }, command: Command) => {
      const [source, target] = [parseRemote(from), parseRemote(to)];
      if ((source === undefined) === (target === undefined)) {
        throw new UsageError(
          'One of the two must be in an instance, like web/0:/tmp/file, and the other here.',
        );
      }
      const client = await connect(command, context);
      const { signal, stdin, stdout } = context;
      if (source !== undefined) {
        const { instance, path } = source;
        const tar = await client.streamOut(instance.processGuid, instance.index, path, { signal });
        await unpackLocal(tar, { to, cwd: context.cwd, stdout });
      }
      if (target !== undefined) {
        const { instance, path } = target;
        const { directory, tar } = await packLocal(from, { to: path, cwd: context.cwd, stdin });
        const { processGuid, index } = instance;
        await client.streamIn(processGuid, index, { path: directory, user, tar }, { signal });
      }
    });
}

/** Undefined for a path on this machine: what has a `/` before its first `:` and no instance in front is one. */
function parseRemote(text: string): Remote | undefined {
  const match = /^([\w-]+(?:\/\d+)?):(.*)$/.exec(text);
  if (!match) return undefined;
  const [, name = '', path = ''] = match;
  if (!path.startsWith('/')) throw new UsageError(`The path in ${text} must begin with "/".`);
  return { instance: parseInstance(name), path };
}
