import type { Command } from 'commander';
import type { DesiredLRPRequest } from '#rivera/models';
import type { CliContext } from '../cli-context.js';
import { connect } from '../connection.js';
import { print } from '../output.js';
import { parseCount } from '../parse.js';
import { readJson } from '../read-json.js';

/** `rivera desire`, `scale`, `delete` and `restart`: what changes LRPs. */
export function registerDesire(program: Command, context: CliContext): void {
  const { signal } = context;
  program
    .command('desire')
    .description('have an LRP run')
    .requiredOption('-f, --file <file>', 'the desired LRP in JSON; - reads standard input')
    .action(async ({ file }: { file: string }, command: Command) => {
      // Whether it is a desired LRP is for the server to say, field by field.
      const lrp = (await readJson(file, context)) as DesiredLRPRequest;
      const client = await connect(command, context);
      const { processGuid, instances, domain } = await client.desireLRP(lrp, { signal });
      await print(context.stdout, `Desired ${processGuid}: ${count(instances)} in domain ${domain}.\n`);
    });
  program
    .command('scale')
    .description('change how many instances of an LRP are desired')
    .argument('<processGuid>')
    .argument('<instances>', 'how many', parseCount)
    .action(async (processGuid: string, instances: number, _options: object, command: Command) => {
      const client = await connect(command, context);
      await client.updateDesiredLRP(processGuid, { instances }, { signal });
      await print(context.stdout, `Scaled ${processGuid} to ${count(instances)}.\n`);
    });
  program
    .command('delete')
    .description('no longer desire an LRP; its instances are stopped')
    .argument('<processGuid>')
    .action(async (processGuid: string, _options: object, command: Command) => {
      const client = await connect(command, context);
      await client.removeDesiredLRP(processGuid, { signal });
      await print(context.stdout, `Deleted ${processGuid}; its instances are being stopped.\n`);
    });
  program
    .command('restart')
    .description('stop one instance and have it replaced')
    .argument('<processGuid>')
    .argument('<index>', 'which instance', parseCount)
    .action(async (processGuid: string, index: number, _options: object, command: Command) => {
      const client = await connect(command, context);
      await client.retireActualLRP(processGuid, index, { signal });
      await print(
        context.stdout,
        `Instance ${index} of ${processGuid} is being stopped and will be replaced.\n`,
      );
    });
}

function count(instances: number): string {
  return instances === 1 ? '1 instance' : `${instances} instances`;
}
