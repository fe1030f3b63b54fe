import type { Scenario, World } from '#rivera/auction';
import { parseWorld, scaled, SCENARIOS } from '#rivera/auction';
import { RiveraError } from '#rivera/models';
import type { CliContext } from '../cli-context.js';
import { UsageError } from '../errors.js';
import { readJson } from '../read-json.js';

/** A world described on the command line. */
export interface WorldFlags {
  cells?: number;
  zones?: number;
  cellMemory?: number;
  cellDisk?: number;
  cellContainers?: number;
  apps?: number;
  instances?: number;
  tasks?: number;
  memory?: number;
  disk?: number;
}

export interface WorldChoice extends WorldFlags {
  file?: string;
  seed?: number;
  scale?: number;
}

/** What is to be simulated: a scenario that comes with Rivera, or a world without expectations. */
export type Subject = Pick<Scenario, 'id' | 'title' | 'world' | 'options'> & Partial<Scenario>;

/** @throws UsageError when it cannot be told what to simulate, or the file is no world. */
export async function chooseSubjects(
  names: readonly string[],
  choice: WorldChoice,
  context: CliContext,
): Promise<Subject[]> {
  const { file, seed, scale } = choice;
  const isDescribed = describesWorld(choice);
  const ways = [names.length > 0, file !== undefined, isDescribed].filter(Boolean).length;
  if (ways > 1)
    throw new UsageError('Give a scenario, or -f and a file, or the options of a world; not several.');
  const subjects = file
    ? [await worldOfFile(file, context)]
    : isDescribed
      ? [{ id: '-', title: 'described on the command line', world: worldOfFlags(choice) }]
      : names.flatMap(scenariosCalled);
  return subjects.map((subject) => ({
    ...subject,
    // What is expected of a scenario holds for its own seed and size.
    ...((seed !== undefined || scale !== undefined) && { expectation: undefined }),
    world: {
      ...(scale === undefined ? subject.world : scaled(subject.world, scale)),
      ...(seed !== undefined && { seed }),
    },
  }));
}

/** `C1`, or `C` for all whose names begin so. */
function scenariosCalled(name: string): Scenario[] {
  const wanted = name.toUpperCase();
  const exact = SCENARIOS.filter(({ id }) => id === wanted);
  const found = exact.length > 0 ? exact : SCENARIOS.filter(({ id }) => id.replace(/\d+$/, '') === wanted);
  if (found.length === 0) {
    throw new UsageError(`There is no scenario "${name}". \`rivera simulate --list\` names them.`);
  }
  return found;
}

async function worldOfFile(file: string, context: CliContext): Promise<Subject> {
  const content = await readJson(file, context);
  try {
    const world = parseWorld(content);
    return { id: '-', title: world.name, world };
  } catch (error) {
    throw asUsageError(`${file} is no world`, error);
  }
}

/** What a file holds is wrong: said as a mistake in the command line, with every field and rule. */
export function asUsageError(what: string, error: unknown): unknown {
  if (!(error instanceof RiveraError)) return error;
  const fields = error.details.fields ?? [];
  const lines = fields.map(({ rule, message }) => `\n  ${message} (${rule})`);
  return new UsageError(`${what}:${lines.length === 0 ? ` ${error.message}` : lines.join('')}`);
}

const FLAGS = [
  'cells',
  'zones',
  'cellMemory',
  'cellDisk',
  'cellContainers',
  'apps',
  'instances',
  'tasks',
  'memory',
  'disk',
] as const satisfies readonly (keyof WorldFlags)[];

function describesWorld(flags: WorldFlags): boolean {
  return FLAGS.some((flag) => flags[flag] !== undefined);
}

function worldOfFlags(flags: WorldFlags): World {
  const {
    cells = 100,
    zones = 3,
    cellMemory = 65_536,
    cellDisk = 8 * cellMemory,
    cellContainers = 250,
  } = flags;
  const { apps = 1_000, instances = 2, tasks = 0, memory = 512, disk = 2 * memory } = flags;
  const demand = { memoryMb: memory, diskMb: disk };
  try {
    return parseWorld({
      name: 'Described on the command line',
      cells: [
        {
          count: cells,
          zones: Array.from({ length: zones }, (_, at) => `z${at + 1}`),
          capacity: { memoryMb: cellMemory, diskMb: cellDisk, containers: cellContainers },
        },
      ],
      steps: [
        {
          ...(apps > 0 && { apps: [{ name: 'app', apps, instances, ...demand }] }),
          ...(tasks > 0 && { tasks: [{ name: 'task', tasks, ...demand }] }),
        },
      ],
    });
  } catch (error) {
    throw asUsageError('These options make no world', error);
  }
}
