import type { Auction, AuctionCell, LRPAuction, TaskAuction } from '../types.js';
import { workId } from '../types.js';
import { Random } from './random.js';
import type { AppGroup, CellGroup, RunningGroup, Step, TaskGroup, World } from './world.js';
import { DEFAULT_ROOTFS } from './world.js';

/**
 * One thing that happens to a foundation. None of them depends on how the auction decided: work is named, not its cell.
 * So the same inputs can be given to another engine or policy.
 */
export type SimulationInput =
  /** A cell is there. */
  | { type: 'cell'; cell: AuctionCell }
  /** This ran on the cell before anything was decided. */
  | { type: 'runs'; cellId: string; auction: Auction }
  /** This waits for the next auction. */
  | { type: 'submit'; auction: Auction }
  /** Everything that waits is decided as one batch. */
  | { type: 'auction' }
  /** Everything that was placed runs now. */
  | { type: 'started' }
  /** The cell that was given this refuses it; it waits for the next auction. */
  | { type: 'refused'; work: string }
  /** This has ended. */
  | { type: 'ended'; work: string }
  /** The cell is gone; what it held waits for the next auction. */
  | { type: 'lost'; cellId: string };

/**
 * Everything that happens in a world, in order.
 *
 * @param hasFailed Has anything not been placed? Asked after each batch of a step with `untilFailure`.
 */
export function* inputsOf(world: World, hasFailed: () => boolean = () => false): Generator<SimulationInput> {
  const random = new Random(world.seed ?? 1);
  const cells = cellsOf(world.cells);
  const progress: Progress = { work: [], askedMb: 0, memoryMb: 0 };
  for (const { cell } of cells) {
    progress.memoryMb += cell.capacity.memoryMb;
    yield { type: 'cell', cell };
  }
  for (const input of runningAtFirst(world.cells, cells, random)) {
    note(progress, input.auction);
    yield input;
  }
  for (const step of world.steps) {
    yield* endings(step, progress, random);
    for (const { cell } of cells) {
      if (cell.zone === step.loseZone) yield { type: 'lost', cellId: cell.cellId };
    }
    if (step.loseZone !== undefined) yield { type: 'auction' };
    yield* arrivals(step, { progress, random, hasFailed });
  }
}

/** What the steps so far come to. */
interface Progress {
  /** Everything that has not ended. */
  work: Auction[];
  /** Memory of everything that has not ended. */
  askedMb: number;
  /** Of all cells, lost ones too. */
  memoryMb: number;
}

function note(progress: Progress, auction: Auction): void {
  progress.work.push(auction);
  progress.askedMb += auction.memoryMb;
}

interface NumberedCell {
  cell: AuctionCell;
  group: CellGroup;
}

function cellsOf(groups: readonly CellGroup[]): NumberedCell[] {
  const all = groups.flatMap((group) => Array.from({ length: group.count }, () => group));
  return all.map((group, index) => {
    const { count: _count, idPrefix = 'cell-', zones, running: _running, ...offered } = group;
    const rootfsProviders = group.rootfsProviders ?? [{ scheme: 'preloaded', stacks: ['linux'] }];
    const zone = zones[index % zones.length] as string;
    return { group, cell: { ...offered, rootfsProviders, cellId: `${idPrefix}${index + 1}`, zone, index } };
  });
}

function* runningAtFirst(
  groups: readonly CellGroup[],
  cells: readonly NumberedCell[],
  random: Random,
): Generator<SimulationInput & { type: 'runs' }> {
  for (const group of groups) {
    const ofGroup = cells.filter((each) => each.group === group).map(({ cell }) => cell);
    for (const running of group.running ?? []) yield* deal(running, ofGroup, random);
  }
}

/** One to each cell, then the next to each, and so on: instances of one app are on different cells. */
function* deal(
  running: RunningGroup,
  cells: readonly AuctionCell[],
  random: Random,
): Generator<SimulationInput & { type: 'runs' }> {
  const { name, perCell, perCellMax = perCell, instances = 1, memoryMb, diskMb } = running;
  const left = cells.map(() => random.between(perCell, perCellMax));
  let dealt = 0;
  for (let round = 0; round < perCellMax; round += 1) {
    for (const [at, { cellId, placementTags, volumeDrivers }] of cells.entries()) {
      if (round >= (left[at] ?? 0)) continue;
      const auction: LRPAuction = {
        processGuid: `${name}-${Math.floor(dealt / instances)}`,
        index: dealt % instances,
        memoryMb,
        diskMb,
        rootfs: DEFAULT_ROOTFS,
        placementTags,
        volumeDrivers,
      };
      dealt += 1;
      yield { type: 'runs', cellId, auction };
    }
  }
}

function* endings({ endFraction = 0 }: Step, progress: Progress, random: Random): Generator<SimulationInput> {
  if (endFraction === 0) return;
  const shuffled = random.shuffle(progress.work);
  const ended = shuffled.splice(0, Math.round(shuffled.length * endFraction));
  for (const auction of ended) {
    progress.askedMb -= auction.memoryMb;
    yield { type: 'ended', work: workId(auction) };
  }
}

function* arrivals(
  step: Step,
  { progress, random, hasFailed }: { progress: Progress; random: Random; hasFailed: () => boolean },
): Generator<SimulationInput> {
  const { untilMemoryFill, untilFailure, startsAtOnce } = step;
  const arriving = workOf(step, random);
  const batchSize = step.batchSize ?? Math.max(1, arriving.length);
  for (let at = 0; at < arriving.length; at += batchSize) {
    const batch: Auction[] = [];
    for (const auction of arriving.slice(at, at + batchSize)) {
      const asked = progress.askedMb + auction.memoryMb;
      if (untilMemoryFill !== undefined && asked > untilMemoryFill * progress.memoryMb) break;
      note(progress, auction);
      batch.push(auction);
      yield { type: 'submit', auction };
    }
    if (batch.length === 0) return;
    yield { type: 'auction' };
    yield* refusals(step, batch, random);
    if (startsAtOnce) yield { type: 'started' };
    if (untilFailure && hasFailed()) return;
  }
}

function* refusals(
  { refusedFraction = 0 }: Step,
  batch: Auction[],
  random: Random,
): Generator<SimulationInput> {
  if (refusedFraction === 0) return;
  const refused = random.shuffle(batch).slice(0, Math.round(batch.length * refusedFraction));
  for (const auction of refused) yield { type: 'refused', work: workId(auction) };
  yield { type: 'auction' };
}

function workOf({ apps = [], tasks = [], shuffled }: Step, random: Random): Auction[] {
  const work: Auction[] = [
    ...apps.flatMap((group) => [...instancesOf(group, random)]),
    ...tasks.flatMap((group) => [...tasksOf(group)]),
  ];
  return shuffled ? random.shuffle(work) : work;
}

function* instancesOf(group: AppGroup, random: Random): Generator<LRPAuction> {
  const { name, apps, instances = 1, drawn, numberedThroughout, ...demand } = group;
  for (let nth = 0; nth < apps * instances; nth += 1) {
    const app = drawn ? random.between(0, apps - 1) : Math.floor(nth / instances);
    const index = drawn || numberedThroughout ? nth : nth % instances;
    yield { rootfs: DEFAULT_ROOTFS, ...demand, processGuid: `${name}-${app}`, index };
  }
}

function* tasksOf({ name, tasks, ...demand }: TaskGroup): Generator<TaskAuction> {
  for (let nth = 0; nth < tasks; nth += 1) {
    yield { rootfs: DEFAULT_ROOTFS, ...demand, taskGuid: `${name}-${nth}` };
  }
}
