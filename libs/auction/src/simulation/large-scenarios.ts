import {
  all,
  distributionScoreWithin,
  everythingPlaced,
  firstFailureFrom,
  zoneSkewWithin,
} from './expectations.js';
import type { Scenario } from './scenario.js';
import type { AppGroup, CellGroup, RunningGroup, TaskGroup, World } from './world.js';

/** Foundations of the size that Diego documents, and ten times that. */

const GB = 1024;

/** Cells of 64 GB of memory in three zones. */
function hosts(count: number, more: Partial<CellGroup> = {}): CellGroup {
  return {
    count,
    zones: ['z1', 'z2', 'z3'],
    capacity: { memoryMb: 64 * GB, diskMb: 512 * GB, containers: 400 },
    ...more,
  };
}

const running = (perCell: number, more: Partial<RunningGroup> = {}): RunningGroup[] => [
  { name: 'running', perCell, instances: 10, memoryMb: 200, diskMb: 400, ...more },
];

const apps = (count: number, more: Partial<AppGroup> = {}): AppGroup => ({
  name: 'app',
  apps: count,
  instances: 10,
  memoryMb: 200,
  diskMb: 400,
  ...more,
});

/** Shares of 100 apps by the memory they ask for. */
const MIX = [
  { memoryMb: 256, share: 35 },
  { memoryMb: 512, share: 30 },
  { memoryMb: 1 * GB, share: 20 },
  { memoryMb: 2 * GB, share: 10 },
  { memoryMb: 4 * GB, share: 4 },
  { memoryMb: 16 * GB, share: 1 },
];

/** `hundreds` × 100 apps of one instance. */
const mixed = (hundreds: number): AppGroup[] =>
  MIX.map(({ memoryMb, share }) => ({
    name: `mb-${memoryMb}`,
    apps: share * hundreds,
    memoryMb,
    diskMb: memoryMb,
  }));

/** Eight sets of placement tags by five of volume drivers, 250 cells each. */
const CLASSES = Array.from({ length: 40 }, (_, at) => ({
  name: `class-${at + 1}`,
  placementTags: at % 8 === 0 ? [] : [`segment-${at % 8}`],
  volumeDrivers: [`driver-${Math.floor(at / 8) + 1}`],
}));

const tasks = (count: number): TaskGroup => ({ name: 'task', tasks: count, memoryMb: 512, diskMb: 1 * GB });

const PACKING: World = {
  name: 'Packing',
  cells: [hosts(100)],
  steps: [{ apps: mixed(75), shuffled: true, batchSize: 1, untilFailure: true }],
};

export const LARGE_SCENARIOS: readonly Scenario[] = [
  {
    id: 'P1',
    title: '100 cells of 64 GB, apps of 256 MB to 16 GB one by one until one cannot be placed',
    world: PACKING,
    expectation: firstFailureFrom(0.88),
  },
  {
    id: 'P2',
    title: 'the same, with three holes of 16 GB kept in each zone',
    world: PACKING,
    options: { holes: { memoryMb: 16 * GB, count: 3 } },
    expectation: firstFailureFrom(0.97),
  },
  {
    id: 'H1',
    title: '1,000 cells hold 250,000 instances; 1,000 and then 10,000 come',
    world: {
      name: 'The largest Diego documents',
      cells: [hosts(1_000, { running: running(250) })],
      steps: [{ apps: [apps(100)], startsAtOnce: true }, { apps: [apps(1_000, { name: 'more' })] }],
    },
    expectation: all(everythingPlaced, zoneSkewWithin(1)),
  },
  {
    id: 'H2',
    title: '10,000 empty cells, 1,000,000 instances of 100,000 apps at once',
    world: { name: 'A million, cold', cells: [hosts(10_000)], steps: [{ apps: [apps(100_000)] }] },
    expectation: all(everythingPlaced, zoneSkewWithin(1), distributionScoreWithin(0.01)),
  },
  {
    id: 'H3',
    title: '10,000 cells hold 1,000,000 instances; 500 instances and tasks come',
    world: {
      name: 'Steady state',
      cells: [hosts(10_000, { running: running(100) })],
      steps: [{ apps: [apps(40)], tasks: [tasks(100)], shuffled: true }],
    },
    expectation: all(everythingPlaced, zoneSkewWithin(1)),
  },
  {
    id: 'H4',
    title: '10,000 cells of 40 kinds hold 500,000 instances; 10,000 come, each for one kind',
    world: {
      name: 'Constraints',
      cells: CLASSES.map(({ name, ...offered }) =>
        hosts(250, { ...offered, running: running(50, { name: `running-${name}` }) }),
      ),
      steps: [
        {
          apps: CLASSES.map(({ name, ...asked }) => apps(25, { name, ...asked })),
          shuffled: true,
        },
      ],
    },
    // What runs at first is dealt round each kind of cells, whose number is no multiple of three.
    expectation: all(everythingPlaced, zoneSkewWithin(2)),
  },
  {
    id: 'H5',
    title: '1,000 cells hold 100,000 instances; one of three zones is lost',
    world: {
      name: 'A zone is lost',
      cells: [hosts(1_000, { running: running(100) })],
      steps: [{ loseZone: 'z3' }],
    },
    expectation: all(everythingPlaced, zoneSkewWithin(1)),
  },
  {
    id: 'H6',
    title: '1,000 cells filled to 95 % of their memory; 1,000 instances of 16 GB come',
    world: {
      name: 'Big instances late',
      cells: [hosts(1_000)],
      steps: [
        {
          apps: MIX.slice(0, 4).map(({ memoryMb, share }) => ({
            name: `mb-${memoryMb}`,
            apps: share * 1_200,
            memoryMb,
            diskMb: memoryMb,
          })),
          shuffled: true,
          batchSize: 1_000,
          startsAtOnce: true,
          untilMemoryFill: 0.95,
        },
        { apps: [{ name: 'big', apps: 1_000, memoryMb: 16 * GB, diskMb: 16 * GB }] },
      ],
    },
    expectation: firstFailureFrom(0.94),
  },
  {
    id: 'H7',
    title: '1,000 cells hold 100,000 instances; 10,000 come and 30 % of them are refused',
    world: {
      name: 'Refusals',
      cells: [hosts(1_000, { running: running(100) })],
      steps: [{ apps: [apps(1_000)], refusedFraction: 0.3 }],
    },
    expectation: all(everythingPlaced, zoneSkewWithin(1)),
  },
  {
    id: 'H8',
    title: '100 cells of 16, 64 and 256 GB, apps of 256 MB to 16 GB until one cannot be placed',
    world: {
      name: 'Cells of three sizes',
      cells: [16, 64, 256].map((gb, at) =>
        hosts(at === 0 ? 34 : 33, {
          idPrefix: `gb${gb}-`,
          capacity: { memoryMb: gb * GB, diskMb: 8 * gb * GB, containers: 4 * gb },
        }),
      ),
      steps: [{ apps: mixed(400), shuffled: true, batchSize: 1, untilFailure: true }],
    },
    expectation: firstFailureFrom(0.5),
  },
];
