/**
 * Whole foundations are filled and the outcome is looked at: Diego's own simulation (A to G, Diego auction, simulation)
 * with its assertions, and larger worlds (P, H1 to H8), of these a part.
 */
import {
  compare,
  DEFAULT_AUCTION_OPTIONS,
  IndexedAuction,
  inputOf,
  inputsOf,
  isTaskAuction,
  lineOf,
  parseWorld,
  ScanAuction,
  scaled,
  SCENARIOS,
  Simulation,
  simulate,
  workId,
} from '#rivera/auction';
import type {
  Auction,
  AuctionEngine,
  AuctionOptions,
  LRPAuction,
  Scenario,
  SimulationInput,
  SimulationReport,
  World,
} from '#rivera/auction';
import { ReferenceWorld, referenceOrder } from './placement-reference.js';

const ENGINES: Record<string, (options?: Partial<AuctionOptions>) => AuctionEngine> = {
  indexed: (options) => new IndexedAuction([], options),
  scan: (options) => new ScanAuction([], options),
};

function scenario(id: string): Scenario {
  const found = SCENARIOS.find((each) => each.id === id);
  if (found === undefined) throw new Error(`There is no scenario ${id}.`);
  return found;
}

function run(world: World, engine: AuctionEngine): SimulationReport {
  const simulation = new Simulation(engine);
  for (const input of inputsOf(world, () => simulation.hasFailed)) simulation.apply(input);
  return simulation.report();
}

/** How many cells received how many: `{ 5: 90 }` = 90 cells received 5 each. */
function histogram({ cells }: SimulationReport): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { placed } of cells) counts[placed] = (counts[placed] ?? 0) + 1;
  return counts;
}

const decided = ({ placements, failures }: SimulationReport) => placements + failures;

describe.each(Object.entries(ENGINES))('with the %s engine', (name, engineWith) => {
  /** Share of the large worlds; the scan takes too long for more. */
  const share = name === 'scan' ? 0.01 : 0.1;
  const diego = SCENARIOS.filter(({ id }) => /^[A-G]/.test(id));

  it.each(diego)('3.3 $id $title: $expectation.words', ({ world, options, expectation }) => {
    const report = run(world, engineWith(options));
    expect(expectation.complaints(report)).toEqual([]);
    expect(decided(report)).toBe(report.submitted);
  });

  it('C1, C2 spread memory no worse than Diego: 0.0276 and 0.0284', () => {
    expect(run(scenario('C1').world, engineWith()).distributionScore).toBeLessThanOrEqual(0.0276);
    expect(run(scenario('C2').world, engineWith()).distributionScore).toBeLessThanOrEqual(0.0284);
  });

  it('D1 a deploy: five empty cells of 100 get 6 each, 90 get 5, five get 4', () => {
    expect(histogram(run(scenario('D1').world, engineWith()))).toEqual({ 4: 5, 5: 90, 6: 5 });
  });

  it('D2 a deploy: the empty cell of 100 gets 2, 98 get 1, one gets none', () => {
    const report = run(scenario('D2').world, engineWith());
    expect(histogram(report)).toEqual({ 0: 1, 1: 98, 2: 1 });
    expect(report.cells.at(-1)).toMatchObject({ cellId: 'REP-100', placed: 2 });
  });

  it('E zones are served equally, however full: 10 and 10 in one, 20 in the other', () => {
    const report = run(scenario('E').world, engineWith());
    expect(report.cells.map(({ placed }) => placed)).toEqual([10, 20, 10]);
  });

  it('G the boulder goes first, then pebbles until the cell is full', () => {
    const report = run(scenario('G').world, engineWith());
    expect(report).toMatchObject({
      placements: 51,
      failures: 31,
      failuresByReason: { 'insufficient resources: memory': 31 },
      memoryFill: { mean: 1 },
    });
    expect(report.firstFailure?.work).toMatch(/^pebble-/);
  });

  it('P1 spread alone: the first refusal is of a 16 GB instance at 88 % of the memory or later', () => {
    const report = run(scenario('P1').world, engineWith());
    expect(scenario('P1').expectation.complaints(report)).toEqual([]);
    expect(report.firstFailure).toMatchObject({ memoryMb: 16_384, error: 'insufficient resources: memory' });
    expect(report.firstFailure?.memoryFill).toBeLessThan(0.97);
  });

  const large = SCENARIOS.filter(({ id }) => /^H[1-8]$/.test(id));

  it.each(large)('3.5 $id $title, a part of it: $expectation.words', ({ world, options, expectation }) => {
    const report = run(scaled(world, share), engineWith(options));
    expect(expectation.complaints(report)).toEqual([]);
    expect(decided(report)).toBe(report.submitted + report.refused + report.lost);
  });

  it('H5 what the lost zone held is placed in the others, and nowhere is more than fits', () => {
    const report = run(scaled(scenario('H5').world, share), engineWith());
    expect(report.zones.map(({ zone }) => zone)).toEqual(['z1', 'z2']);
    expect(report.lost).toBeGreaterThan(0);
    for (const { memoryMb, capacity } of report.cells)
      expect(memoryMb).toBeLessThanOrEqual(capacity.memoryMb);
  });

  it('H7 30 % are refused once, and every one of them is placed on another cell', () => {
    const report = run(scaled(scenario('H7').world, share), engineWith());
    expect(report.refused).toBe(0.3 * report.submitted);
    expect(report.placements).toBe(1.3 * report.submitted);
    expect(report.unplaced).toBe(0);
  });

  it('P8 what the simulation has booked is what the engine has left, after ends, losses and refusals', () => {
    const engine = engineWith();
    const report = run(TURBULENT, engine);
    expect(report.cells.length).toBe(8);
    for (const { cellId, capacity, memoryMb, diskMb, containers } of report.cells) {
      expect(engine.available(cellId)).toEqual({
        memoryMb: capacity.memoryMb - memoryMb,
        diskMb: capacity.diskMb - diskMb,
        containers: capacity.containers - containers,
      });
    }
  });

  it('P9 recorded and read again, the inputs give identical decisions', () => {
    const inputs = [...inputsOf(TURBULENT)];
    const again = inputs.map((input, at) => inputOf(lineOf(input), at + 1));
    expect(again).toEqual(inputs.map((input) => JSON.parse(JSON.stringify(input)) as unknown));
    const decisions = (of: SimulationInput[]) => {
      const simulation = new Simulation(engineWith());
      return of.flatMap((input) => simulation.apply(input)).map(({ cellId, error }) => [cellId, error]);
    };
    expect(decisions(again)).toEqual(decisions(inputs));
  });
});

it('C1 spreads memory as Diego does on the same worlds, over 8 seeds', () => {
  const seeds = [1, 2, 3, 4, 5, 6, 7, 8];
  const mean = (scores: number[]) => scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const worlds = seeds.map((seed) => ({ ...scenario('C1').world, seed }));
  const ours = mean(worlds.map((world) => run(world, new IndexedAuction()).distributionScore));
  const diegos = mean(worlds.map((world) => diegoScore(world)));
  // Who wins a tie is all that differs; it is chance, and moves the score of one world by several per cent.
  expect(ours).toBeLessThan(diegos * 1.05);
});

it('P2 with holes: the first refusal is at 97 % of the memory or later, whatever the order', () => {
  const { world, options } = scenario('P2');
  for (const seed of [1, 2, 3]) {
    const { firstFailure } = run({ ...world, seed }, new IndexedAuction([], options));
    expect(firstFailure?.memoryFill).toBeGreaterThanOrEqual(0.97);
  }
});

it.each(SCENARIOS.map(({ id }) => id))('%s: both engines decide the same', (id) => {
  const { world, options } = scenario(id);
  const small = /^[PH]/.test(id) ? scaled(world, 0.01) : world;
  const [indexed, scan] = [IndexedAuction, ScanAuction].map(
    (Engine) => new Simulation(new Engine([], options)),
  );
  const inputs = inputsOf(small, () => indexed!.hasFailed && scan!.hasFailed);
  const { same, differences } = compare(inputs, indexed!, scan!);
  expect(differences).toEqual([]);
  expect(same).toBeGreaterThan(0);
});

it('compares two policies on the same inputs, decision by decision', () => {
  const { world } = scenario('A3');
  const same = compare(inputsOf(world), simulation(), simulation());
  expect(same).toMatchObject({ auctions: 1, same: 200, differences: [] });

  const packing = compare(inputsOf(world), simulation(), simulation({ binPackFirstFitWeight: 0.75 }));
  expect(packing.same + packing.differences.length).toBe(200);
  expect(packing.differences.length).toBeGreaterThan(100);
  for (const { first, second } of packing.differences) expect(first.cellId).not.toBe(second.cellId);
  expect(packing.first.distributionScore).toBeCloseTo(0);
  expect(packing.second.distributionScore).toBeGreaterThan(0.4);
});

it('says what is wrong with a world, field by field', () => {
  const faultsOf = (change: object) => {
    try {
      parseWorld({ ...SMALL, ...change });
    } catch (error) {
      return (error as { details: { fields: { field: string; rule: string }[] } }).details.fields.map(
        ({ field, rule }) => `${field} ${rule}`,
      );
    }
    return [];
  };
  const [group] = SMALL.cells;
  expect(faultsOf({})).toEqual([]);
  expect(faultsOf({ cells: [{ ...group, count: 0 }] })).toEqual(['cells[0].count isInteger']);
  expect(faultsOf({ cells: [{ ...group, zones: [] }] })).toEqual(['cells[0].zones isTextList']);
  expect(faultsOf({ steps: [{ endFraction: 2 }] })).toEqual(['steps[0].endFraction isFraction']);
  expect(faultsOf({ steps: [{ loseZone: 'nowhere' }] })).toEqual(['steps[0].loseZone zone']);
  expect(faultsOf({ steps: [SMALL.steps[0], SMALL.steps[0]] })).toEqual(['steps[1].apps[0].name unique']);
  expect(faultsOf({ cells: [{ ...group, count: 100_000 }, group] })).toEqual(['cells max']);
  expect(faultsOf({ stepps: [] })).toHaveLength(1);
});

it('a world and its recording know everything that placement knows', () => {
  const [group] = SMALL.cells;
  const capacity = { memoryMb: 100, diskMb: 100, containers: 10, cpuMillicores: 4_000, ports: 10 };
  const world = parseWorld({
    ...SMALL,
    cells: [
      {
        ...group,
        capacity: { ...capacity, devices: [{ name: 'gpu', count: 2 }] },
        labels: { rack: 'r1', disk: 'ssd' },
        pool: 'big',
        maxStarting: 3,
        proxyMemoryMb: 4,
      },
    ],
    steps: [
      {
        apps: [
          {
            name: 'app',
            apps: 1,
            instances: 3,
            memoryMb: 1,
            diskMb: 1,
            cpuMillicores: 100,
            ports: 1,
            devices: [{ name: 'gpu', count: 1 }],
            priority: 5,
            affinity: [{ affinity: 'REQUIRE', label: 'disk', value: 'ssd' }],
            spread: [{ over: 'zone', maxSkew: 1 }],
          },
        ],
      },
    ],
  });
  const inputs = [...inputsOf(world)];
  const again = inputs.map((input, at) => inputOf(lineOf(input), at + 1));
  expect(again).toEqual(inputs.map((input) => JSON.parse(JSON.stringify(input)) as unknown));
  expect(run(world, new IndexedAuction())).toMatchObject({ placements: 3, failures: 0 });
});

it('refuses inputs that cannot have happened', () => {
  const apply = (...inputs: SimulationInput[]) => simulate(inputs, new ScanAuction());
  const auction: Auction = { taskGuid: 't', memoryMb: 1, diskMb: 1, rootfs: 'preloaded:linux' };
  expect(() => apply({ type: 'lost', cellId: 'c' })).toThrow('There is no cell c');
  expect(() => apply({ type: 'ended', work: 't' })).toThrow('There is no work t');
  expect(() => apply({ type: 'submit', auction }, { type: 'submit', auction })).toThrow(
    't is submitted twice',
  );
  expect(() => inputOf('{"type":"lost"}', 7)).toThrow('Line 7 is no input: The request is invalid: cellId');
  expect(() => inputOf('{"type":"found"}', 8)).toThrow('Line 8 is no input: The request is invalid: type');
  expect(() => inputOf('{"type":', 9)).toThrow('Line 9 is no input');
});

function simulation(options?: Partial<AuctionOptions>): Simulation {
  return new Simulation(new ScanAuction([], options));
}

const SMALL = {
  name: 'small',
  cells: [{ count: 4, zones: ['z1', 'z2'], capacity: { memoryMb: 100, diskMb: 100, containers: 10 } }],
  steps: [{ apps: [{ name: 'app', apps: 2, instances: 3, memoryMb: 10, diskMb: 10 }] }],
} satisfies World;

/** Everything that can happen. */
const TURBULENT: World = {
  name: 'turbulent',
  seed: 3,
  cells: [
    {
      count: 12,
      zones: ['z1', 'z2', 'z3'],
      capacity: { memoryMb: 1_000, diskMb: 1_000, containers: 20 },
      running: [{ name: 'old', perCell: 2, perCellMax: 5, instances: 3, memoryMb: 20, diskMb: 10 }],
    },
  ],
  steps: [
    {
      apps: [
        { name: 'app', apps: 12, instances: 3, memoryMb: 30, diskMb: 5 },
        { name: 'drawn', apps: 3, instances: 5, drawn: true, memoryMb: 40, diskMb: 5 },
      ],
      tasks: [{ name: 'task', tasks: 10, memoryMb: 50, diskMb: 5 }],
      shuffled: true,
      batchSize: 7,
      refusedFraction: 0.3,
    },
    { endFraction: 0.3, loseZone: 'z2' },
    { apps: [{ name: 'late', apps: 100, memoryMb: 200, diskMb: 5 }], batchSize: 10, startsAtOnce: true },
  ],
};

/** The distribution score of Diego's rule taken literally, the first cell seen winning a tie. */
function diegoScore(world: World): number {
  const inputs = [...inputsOf(world)];
  const cells = inputs.flatMap((input) => (input.type === 'cell' ? [input.cell] : []));
  const work = inputs.flatMap((input) => (input.type === 'submit' ? [input.auction] : []));
  const reference = new ReferenceWorld(cells, DEFAULT_AUCTION_OPTIONS);
  const batch = {
    lrps: work.filter((auction): auction is LRPAuction => !isTaskAuction(auction)),
    tasks: work.filter(isTaskAuction),
  };
  const placed = referenceOrder(batch, false).map((auction): SimulationInput[] => {
    const expected = reference.expected(auction);
    const [cellId = ''] = 'winners' in expected ? expected.winners : [];
    reference.place(auction, cellId);
    return [{ type: 'runs', cellId, auction }];
  });
  const books = cells.map((cell): SimulationInput => ({ type: 'cell', cell }));
  expect(new Set(work.map(workId)).size).toBe(placed.length);
  return simulate([...books, ...placed.flat()], new ScanAuction()).distributionScore;
}
