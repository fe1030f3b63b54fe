import {
  IsFlag,
  IsGuid,
  IsInteger,
  IsName,
  IsNameList,
  IsPartList,
  IsRootfs,
  LIMITS,
  Optional,
  parse,
  propertyRule,
  RiveraError,
  RootfsProvider,
  SpreadRule,
} from '#rivera/models';
import type { FieldError } from '#rivera/models';
import { DescribedCell, DescribedWork } from './described.js';

/** Groups in one list of a world. */
const MAX_GROUPS = 1_000;
const MAX_CELLS = 100_000;
/** Instances or tasks of one group. */
const MAX_WORK = 10_000_000;

export const DEFAULT_ROOTFS = 'preloaded:linux';

const IsFraction = (): PropertyDecorator =>
  propertyRule('isFraction', (value) =>
    typeof value === 'number' && value >= 0 && value <= 1
      ? undefined
      : `must be a number from 0 to 1${typeof value === 'number' ? `, not ${value}` : ''}`,
  );

/** What runs on each cell of a group before anything is submitted. */
export class RunningGroup {
  @IsGuid()
  name: string;

  /** Instances on each cell; with `perCellMax` a random number between the two. */
  @IsInteger({ min: 0, max: MAX_WORK })
  perCell: number;

  @Optional()
  @IsInteger({ min: 0, max: MAX_WORK })
  perCellMax?: number;

  /** Instances of one app; they are dealt round the cells of the group. Absent = 1. */
  @Optional()
  @IsInteger({ min: 1, max: LIMITS.instances })
  instances?: number;

  @IsInteger({ min: 0 })
  memoryMb: number;

  @IsInteger({ min: 0 })
  diskMb: number;
}

/** Cells that are alike. Over all groups the i-th cell is `<idPrefix><i + 1>` in zone `zones[i mod n]`. */
export class CellGroup extends DescribedCell {
  @IsInteger({ min: 1, max: MAX_CELLS })
  count: number;

  /** Absent = `cell-`. */
  @Optional()
  @IsGuid()
  idPrefix?: string;

  @IsNameList({ min: 1, max: 1_000 })
  zones: string[];

  /** Absent = the stack `linux`. */
  @Optional()
  @IsPartList(() => RootfsProvider, { max: LIMITS.rootfsProviders })
  rootfsProviders?: RootfsProvider[];

  @Optional()
  @IsPartList(() => RunningGroup, { max: MAX_GROUPS })
  running?: RunningGroup[];
}

/** What one instance or task of a group asks of its cell. */
class Demand extends DescribedWork {
  /** Apps and tasks are called `<name>-<i>`. */
  @IsGuid()
  name: string;

  /** Absent = `preloaded:linux`. */
  @Optional()
  @IsRootfs()
  rootfs?: string;
}

/** Apps that are alike. */
export class AppGroup extends Demand {
  /** How many apps. */
  @IsInteger({ min: 1, max: MAX_WORK })
  apps: number;

  /** Instances of each app. Absent = 1. */
  @Optional()
  @IsInteger({ min: 1, max: LIMITS.instances })
  instances?: number;

  @Optional()
  @IsPartList(() => SpreadRule, { max: LIMITS.spreadRules })
  spread?: SpreadRule[];

  /** There are `apps × instances` instances in all, and chance says of which app each is. Numbered consecutively. */
  @Optional()
  @IsFlag()
  drawn?: boolean;

  /** The i-th instance of the group has index i, whatever its app, as in Diego's simulation; otherwise each app counts from 0. */
  @Optional()
  @IsFlag()
  numberedThroughout?: boolean;
}

/** Tasks that are alike. */
export class TaskGroup extends Demand {
  @IsInteger({ min: 1, max: MAX_WORK })
  tasks: number;
}

/** One thing after another: first some work ends, then a zone is lost, then work is submitted. */
export class Step {
  /** This share of the work that was submitted or ran from the start ends, chosen at random. */
  @Optional()
  @IsFraction()
  endFraction?: number;

  /** All cells of this zone are gone at once, and what they held is placed again. */
  @Optional()
  @IsName()
  loseZone?: string;

  @Optional()
  @IsPartList(() => AppGroup, { max: MAX_GROUPS })
  apps?: AppGroup[];

  @Optional()
  @IsPartList(() => TaskGroup, { max: MAX_GROUPS })
  tasks?: TaskGroup[];

  /** Work arrives in random order, otherwise in the order of the groups. */
  @Optional()
  @IsFlag()
  shuffled?: boolean;

  /** So many instances and tasks arrive at a time. Absent = all at once. */
  @Optional()
  @IsInteger({ min: 1, max: MAX_WORK })
  batchSize?: number;

  /** Everything that was placed runs before the next batch; otherwise it goes on starting. */
  @Optional()
  @IsFlag()
  startsAtOnce?: boolean;

  /** This share of every batch, chosen at random, is refused by the cell it is given to and placed again at once. */
  @Optional()
  @IsFraction()
  refusedFraction?: number;

  /** Work arrives until it asks for this share of the memory of all cells, together with all before it. */
  @Optional()
  @IsFraction()
  untilMemoryFill?: number;

  /** Work arrives until something cannot be placed. */
  @Optional()
  @IsFlag()
  untilFailure?: boolean;
}

/** A foundation and what happens to it, in the form of a file (docs/simulation.md). */
export class World {
  @IsName()
  name: string;

  /** Of everything random. Absent = 1. */
  @Optional()
  @IsInteger({ min: 0 })
  seed?: number;

  @IsPartList(() => CellGroup, { min: 1, max: MAX_GROUPS })
  cells: CellGroup[];

  @IsPartList(() => Step, { max: MAX_GROUPS })
  steps: Step[];
}

/**
 * A world as it was written.
 *
 * @throws RiveraError `invalid-request`; its `details.fields` name each field and rule.
 */
export function parseWorld(input: unknown): World {
  const world = parse(World, input);
  const faults = faultsOf(world);
  if (faults.length > 0) {
    const [first] = faults;
    throw new RiveraError('invalid-request', `The world is invalid: ${first?.message}`, { fields: faults });
  }
  return world;
}

/** What is wrong between fields that are each fine. */
function faultsOf(world: World): FieldError[] {
  const faults: FieldError[] = [];
  const fault = (field: string, rule: string, message: string) =>
    faults.push({ field, rule, message: `${field} ${message}.` });
  const names = new Set<string>();
  const zones = new Set(world.cells.flatMap((group) => group.zones));
  const checkName = (field: string, name: string) => {
    if (names.has(name)) fault(field, 'unique', `is ${JSON.stringify(name)}, as another group is called`);
    names.add(name);
  };
  let work = 0;
  world.cells.forEach(({ count, running = [] }, at) =>
    running.forEach(({ name, perCell, perCellMax = perCell }, nth) => {
      const field = `cells[${at}].running[${nth}]`;
      checkName(`${field}.name`, name);
      if (perCellMax < perCell) fault(`${field}.perCellMax`, 'inOrder', `must not be below perCell`);
      work += count * perCellMax;
    }),
  );
  world.steps.forEach(({ loseZone, apps = [], tasks = [] }, at) => {
    if (loseZone !== undefined && !zones.has(loseZone)) {
      fault(`steps[${at}].loseZone`, 'zone', `is ${JSON.stringify(loseZone)}, which no cell is in`);
    }
    apps.forEach(({ name }, nth) => checkName(`steps[${at}].apps[${nth}].name`, name));
    tasks.forEach(({ name }, nth) => checkName(`steps[${at}].tasks[${nth}].name`, name));
    work += apps.reduce((sum, group) => sum + group.apps * (group.instances ?? 1), 0);
    work += tasks.reduce((sum, group) => sum + group.tasks, 0);
  });
  const cells = world.cells.reduce((sum, { count }) => sum + count, 0);
  if (cells > MAX_CELLS) fault('cells', 'max', `are ${cells}; at most ${MAX_CELLS} can be simulated`);
  if (work > MAX_WORK) {
    fault('steps', 'max', `make ${work} instances and tasks; at most ${MAX_WORK} can be simulated`);
  }
  return faults;
}

/**
 * The same world with this share of its cells and of its work, at least one of each, so that a large one can be tried
 * quickly. What runs per cell, and the instances of an app, stay as they are.
 */
export function scaled(world: World, factor: number): World {
  const scale = (count: number) => Math.max(1, Math.round(count * factor));
  return {
    ...world,
    cells: world.cells.map((group) => ({ ...group, count: scale(group.count) })),
    steps: world.steps.map((step) => ({
      ...step,
      apps: step.apps?.map((group) => ({ ...group, apps: scale(group.apps) })),
      tasks: step.tasks?.map((group) => ({ ...group, tasks: scale(group.tasks) })),
    })),
  };
}
