/** Diego's own auction simulation: whole foundations are filled and the spread is looked at (Diego auction, simulation). */
import type { AuctionOptions, AuctionResult, LRPAuction, ScanAuction } from '#rivera/auction';
import { cell, decide, engineWith, held, lrp, winners } from './placement-fixtures.js';
import type { CellFixture } from './placement-fixtures.js';

/** `REP-1` … `REP-n`, two zones in turn; `preload(i)` is how many running apps of 1 MB the i-th holds. */
function foundation(
  count: number,
  options: Partial<AuctionOptions> = {},
  preload: (at: number) => number = () => 0,
): ScanAuction {
  const cells = Array.from({ length: count }, (_, at): CellFixture =>
    cell(`REP-${at + 1}`, `Z${at % 2}`, {
      index: at,
      holds: Array.from({ length: preload(at) }, (__, nth) => held(`preloaded-${at}-${nth}`, 1)),
    }),
  );
  return engineWith(cells, { startingContainerWeight: 0.25, ...options });
}

const small = { memoryMb: 1, diskMb: 1 };
/** The simulation gives the i-th of its apps of one instance the index i. */
const unique = (count: number, memoryMb = 1, prefix = 'unique'): LRPAuction[] =>
  Array.from({ length: count }, (_, at) => lrp(`${prefix}-${memoryMb}-${at}`, at, { memoryMb, diskMb: 1 }));
const instances = (app: string, count: number, memoryMb = 1): LRPAuction[] =>
  Array.from({ length: count }, (_, index) => lrp(app, index, { memoryMb, diskMb: 1 }));

/** Newly placed instances per cell, for the cells that received any. */
function received({ placements }: AuctionResult): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { cellId } of placements) counts.set(cellId, (counts.get(cellId) ?? 0) + 1);
  return counts;
}

function expectAround(result: AuctionResult, deviation: number): void {
  expect(result.failures).toEqual([]);
  const counts = [...received(result).values()];
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  for (const count of counts) expect(Math.abs(count - mean)).toBeLessThanOrEqual(deviation);
}

const COLD = [
  [4, 8],
  [10, 40],
  [20, 200],
  [40, 800],
] as const;

it.each(COLD)('small cold: %i cells, %i apps, even to 1', (cells, apps) => {
  expectAround(decide(foundation(cells), ...unique(apps)), 1);
});

const PACKED = [0.25, 0.5, 0.75].flatMap((weight) =>
  COLD.map(([cells, apps]) => [weight, cells, apps] as const),
);

it.each(PACKED)(
  'bin-packing %d: %i cells, %i apps fill each zone from its first cell',
  (weight, cells, apps) => {
    const engine = foundation(cells, { binPackFirstFitWeight: weight, startingContainerWeight: 0.5 });
    const result = decide(engine, ...unique(apps));
    expect(result.failures).toEqual([]);
    const counts = received(result);
    const zones = [0, 1].map((zone) =>
      Array.from({ length: cells }, (_, at) => at)
        .filter((at) => at % 2 === zone)
        .map((at) => counts.get(`REP-${at + 1}`) ?? 0),
    );
    for (const zone of zones) expect(zone).toEqual(zone.toSorted((a, b) => b - a));
    const [first = 0, second = 0] = zones.map((zone) => zone.reduce((sum, count) => sum + count, 0));
    expect(Math.abs(first - second)).toBeLessThanOrEqual(1);
  },
);

it.each(PACKED)(
  'bin-packing %d: %i cells, one app of %i instances stays even to 1',
  (weight, cells, count) => {
    const engine = foundation(cells, { binPackFirstFitWeight: weight, startingContainerWeight: 0.5 });
    expectAround(decide(engine, ...instances('yellow', count)), 1);
  },
);

it.each([25, 100])('large cold: %i cells filled to 96 %% of their memory, even to 10', (cells) => {
  const times = cells / 25;
  const colours = ['purple', 'red', 'orange', 'teal'];
  const coloured = (count: number, memoryMb: number) =>
    Array.from({ length: count }, (_, at) =>
      lrp(`${colours[(at * 7 + (at >> 3)) % 4]}-${memoryMb}`, at, { memoryMb, diskMb: 1 }),
    );
  const mix = [
    [900, 1],
    [100, 2],
    [25, 4],
  ].flatMap(([count = 0, memoryMb = 0]) => [
    ...unique(count * times, memoryMb),
    ...coloured(count * times, memoryMb),
  ]);
  const engine = foundation(cells);
  expectAround(decide(engine, ...mix), 10);
  const used = Array.from({ length: cells }, (_, at) => 100 - engine.available(`REP-${at + 1}`)!.memoryMb);
  const mean = used.reduce((sum, memoryMb) => sum + memoryMb, 0) / cells;
  const deviation = Math.sqrt(used.reduce((sum, memoryMb) => sum + (memoryMb - mean) ** 2, 0) / cells);
  // Diego itself reaches 0.028 with this weight.
  expect(deviation / mean).toBeLessThan(0.035);
});

/** How many cells received how many: `{ 5: 90 }` = 90 cells received 5 each. */
function histogram(result: AuctionResult): Record<number, number> {
  const histogramOf: Record<number, number> = {};
  for (const count of received(result).values()) histogramOf[count] = (histogramOf[count] ?? 0) + 1;
  return histogramOf;
}

it('a deploy: five empty cells of 100 get little more than their share', () => {
  const engine = foundation(100, {}, (at) => (at < 95 ? 50 : 0));
  const result = decide(engine, ...unique(500));
  expectAround(result, 1);
  expect(histogram(result)).toEqual({ 4: 5, 5: 90, 6: 5 });
});

it('a deploy: one empty cell of 100 gets one instance more', () => {
  const engine = foundation(100, {}, (at) => (at < 99 ? 50 : 0));
  const result = decide(engine, ...unique(100));
  expect(histogram(result)).toEqual({ 1: 98, 2: 1 });
  expect(received(result).get('REP-100')).toBe(2);
});

it('zones are served equally, however full', () => {
  const engine = foundation(3, {}, (at) => (at === 1 ? 50 : 0));
  const counts = received(decide(engine, ...instances('red', 40)));
  expect(counts.get('REP-2')).toBe(20);
  expect([counts.get('REP-1'), counts.get('REP-3')]).toEqual([10, 10]);
});

it.each([
  [10, 80],
  [30, 200],
  [100, 400],
])('one app over %i nearly full cells: %i instances, even to 1', (cells, count) => {
  expectAround(
    decide(
      foundation(cells, {}, (at) => 78 + (at % 3)),
      ...instances('red', count),
    ),
    1,
  );
});

it('packing when memory is low: the boulder first, then pebbles until the cell is full', () => {
  const pebbles = Array.from({ length: 80 }, (_, at) => lrp(`pebble-${at}`, 0, small));
  const result = decide(foundation(1), ...pebbles, ...instances('red', 2, 50));
  expect(winners(result)).toHaveProperty(['red[0]']);
  expect(result.placements).toHaveLength(51);
  expect(result.failures).toHaveLength(31);
  expect(winners(result)).not.toHaveProperty(['red[1]']);
});
