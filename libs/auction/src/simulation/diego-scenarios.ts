import {
  all,
  distributionScoreWithin,
  evenWithin,
  evenZones,
  placed,
  zonesFilledFromFirstCell,
} from './expectations.js';
import type { Scenario } from './scenario.js';
import type { AppGroup, CellGroup, RunningGroup, Step, World } from './world.js';

/** Diego's auction simulation: its worlds and its assertions (Diego auction, simulation). */

/** `REP-1` … in two zones in turn: 100 MB of memory, 100 MB of disk, 100 containers. */
function reps(count: number, running?: Omit<RunningGroup, 'name' | 'memoryMb' | 'diskMb'>): CellGroup {
  return {
    count,
    idPrefix: 'REP-',
    zones: ['Z0', 'Z1'],
    capacity: { memoryMb: 100, diskMb: 100, containers: 100 },
    ...(running && { running: [{ name: 'preloaded', memoryMb: 1, diskMb: 1, ...running }] }),
  };
}

/** Apps of one instance each; the simulation gives the i-th of them the index i. */
function unique(apps: number, memoryMb = 1, name = 'unique'): AppGroup {
  return { name, apps, numberedThroughout: true, memoryMb, diskMb: 1 };
}

function oneApp(name: string, instances: number, memoryMb = 1): AppGroup {
  return { name, apps: 1, instances, memoryMb, diskMb: 1 };
}

function world(name: string, cells: CellGroup[], step: Step): World {
  return { name, cells, steps: [step] };
}

const COLD = [
  [4, 8],
  [10, 40],
  [20, 200],
  [40, 800],
] as const;

const smallCold = COLD.map(([cells, apps], at): Scenario => ({
  id: `A${at + 1}`,
  title: `${cells} empty cells, ${apps} apps of one instance`,
  world: world('Small cold start', [reps(cells)], { apps: [unique(apps)] }),
  expectation: evenWithin(1),
}));

const packings = [0.25, 0.5, 0.75].flatMap((weight) =>
  COLD.map(([cells, count]) => ({ weight, cells, count })),
);

const packed = packings.map(({ weight, cells, count }, at): Scenario => ({
  id: `B${at + 1}`,
  title: `bin-packing weight ${weight}: ${cells} cells, ${count} apps of one instance`,
  world: world('Bin-packing', [reps(cells)], { apps: [unique(count)] }),
  options: { binPackFirstFitWeight: weight, startingContainerWeight: 0.5 },
  expectation: zonesFilledFromFirstCell,
}));

const packedSpread = packings.map(({ weight, cells, count }, at): Scenario => ({
  id: `B${at + 13}`,
  title: `bin-packing weight ${weight}: ${cells} cells, one app of ${count} instances`,
  world: world('Bin-packing, one app', [reps(cells)], { apps: [oneApp('yellow', count)] }),
  options: { binPackFirstFitWeight: weight, startingContainerWeight: 0.5 },
  expectation: evenWithin(1),
}));

/** 2,050 instances for 25 cells, `times` as many for more: half of them apps of their own, half of one of four apps. */
function largeColdMix(times: number): AppGroup[] {
  return [
    { memoryMb: 1, apps: 900 },
    { memoryMb: 2, apps: 100 },
    { memoryMb: 4, apps: 25 },
  ].flatMap(({ memoryMb, apps }) => [
    unique(apps * times, memoryMb, `unique-${memoryMb}mb`),
    {
      name: `colour-${memoryMb}mb`,
      apps: 4,
      instances: (apps * times) / 4,
      drawn: true,
      memoryMb,
      diskMb: 1,
    },
  ]);
}

function largeCold(id: string, cells: number, seed: number): Scenario {
  return {
    id,
    title: `${cells} empty cells filled to 96 % of their memory`,
    world: {
      ...world('Large cold start', [reps(cells)], { apps: largeColdMix(cells / 25), shuffled: true }),
      seed,
    },
    expectation: all(evenWithin(10), distributionScoreWithin(0.035)),
  };
}

const nearlyFull = (id: string, cells: number, instances: number): Scenario => ({
  id,
  title: `one app of ${instances} instances over ${cells} cells that hold 78 to 80 of 100`,
  world: world('Watters demo', [reps(cells, { perCell: 78, perCellMax: 80 })], {
    apps: [oneApp('red', instances)],
  }),
  expectation: evenWithin(1),
});

export const DIEGO_SCENARIOS: readonly Scenario[] = [
  ...smallCold,
  ...packed,
  ...packedSpread,
  largeCold('C1', 25, 5),
  largeCold('C2', 100, 1),
  {
    id: 'D1',
    title: 'a deploy: 95 cells hold 50 each, 5 are empty, 500 apps come',
    world: world('Imbalanced', [reps(95, { perCell: 50 }), reps(5)], { apps: [unique(500)] }),
    expectation: evenWithin(1),
  },
  {
    id: 'D2',
    title: 'a deploy: 99 cells hold 50 each, 1 is empty, 100 apps come',
    world: world('Imbalanced', [reps(99, { perCell: 50 }), reps(1)], { apps: [unique(100)] }),
    expectation: evenWithin(1),
  },
  {
    id: 'E',
    title: 'zones of two empty cells and of one half full cell, one app of 40 instances',
    world: world('Zones', [reps(1), reps(1, { perCell: 50 }), reps(1)], { apps: [oneApp('red', 40)] }),
    expectation: all(placed(40), evenZones(0)),
  },
  nearlyFull('F1', 10, 80),
  nearlyFull('F2', 30, 200),
  nearlyFull('F3', 100, 400),
  {
    id: 'G',
    title: 'one cell, 80 apps of 1 MB and one of two instances of 50 MB',
    world: world('Little memory', [reps(1)], {
      apps: [{ name: 'pebble', apps: 80, memoryMb: 1, diskMb: 1 }, oneApp('red', 2, 50)],
    }),
    expectation: placed(51, 31),
  },
];
