import { type Command, InvalidArgumentError } from 'commander';
import type { CliContext } from '../cli-context.js';
import { collect, parseCount, parseMb } from '../parse.js';
import type { SimulateOptions } from './run-simulate.js';

/** `rivera simulate` */
export function registerSimulate(program: Command, context: CliContext): void {
  const command = program
    .command('simulate')
    .description('try placement on described cells; needs no cluster')
    .argument('[scenarios...]', 'scenarios that come with Rivera: C1, or A for all of A; none lists them')
    .option('-f, --file <file>', 'a world in JSON; - reads standard input')
    .option('--replay <file>', 'inputs that were recorded')
    .option('--seed <number>', 'of everything random', parseCount)
    .option('--scale <factor>', 'this share of the cells and of the work', parseFactor)
    .option('-o, --option <name=value>', 'an option of the auction; may be repeated', collect)
    .option('--diff <name=value>', 'compare with the same inputs under this option; may be repeated', collect)
    .option('--record <file>', 'write the inputs, for --replay')
    .option('--svg <file>', 'write a picture of the cells by fill')
    .option('--html <file>', 'write a page with the picture and the report')
    .option('--json', 'one JSON object for each simulation');
  command
    .optionsGroup('A world without a file:')
    .option('--cells <count>', 'cells (default: 100)', parseCount)
    .option('--zones <count>', 'zones they are spread over (default: 3)', parseCount)
    .option('--cell-memory <mb>', 'memory of a cell (default: 64G)', parseMb)
    .option('--cell-disk <mb>', 'disk of a cell (default: eight times its memory)', parseMb)
    .option('--cell-containers <count>', 'containers a cell takes (default: 250)', parseCount)
    .option('--apps <count>', 'apps submitted at once (default: 1000)', parseCount)
    .option('--instances <count>', 'instances of each (default: 2)', parseCount)
    .option('--tasks <count>', 'tasks submitted with them (default: 0)', parseCount)
    .option('--memory <mb>', 'memory of an instance or task (default: 512)', parseMb)
    .option('--disk <mb>', 'disk of an instance or task (default: twice its memory)', parseMb);
  command.action(async (scenarios: string[], options: SimulateOptions) => {
    // Loaded when it is asked for: no other command needs the engine.
    const { runSimulate } = await import('./run-simulate.js');
    await runSimulate(scenarios, options, context);
  });
}

function parseFactor(text: string): number {
  const factor = Number(text);
  if (!(factor > 0 && factor <= 1)) {
    throw new InvalidArgumentError('It must be a number above 0 and at most 1.');
  }
  return factor;
}
