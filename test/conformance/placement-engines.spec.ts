/** Every engine decides as the plain scan does: in every tie, every error and every number it tells. */
import * as fc from 'fast-check';
import { IndexedAuction, ScanAuction, workId } from '#rivera/auction';
import type {
  AuctionBatch,
  AuctionCell,
  AuctionEngine,
  AuctionResult,
  HeldWork,
  LRPAuction,
} from '#rivera/auction';
import { richBatchOf, richCell, richHeldWork, richOptions } from './placement-rich-worlds.js';
import { auctionOptions, batchOf, describedCell, heldWork, worlds } from './placement-worlds.js';

/** The scan, which is the yardstick, takes its time. */
vi.setConfig({ testTimeout: 300_000 });

const outcome = ({ placements, failures }: AuctionResult) => ({
  placements: placements.map(({ auction, cellId }) => [workId(auction), cellId]),
  failures: failures.map(({ auction, error, why }) => [workId(auction), error, why]),
});

type Step =
  | { do: 'upsert'; cell: AuctionCell }
  | { do: 'remove'; cellId: string }
  | { do: 'reserve'; cellId: string; held: HeldWork }
  | { do: 'release' | 'start'; which: number }
  | { do: 'auction' | 'plan'; batch: AuctionBatch };

const cellIds = Array.from({ length: 8 }, (_, at) => `cell-${at}`);
const cellId = fc.constantFrom(...cellIds);

interface Kinds {
  cell: (cellId: string) => fc.Arbitrary<AuctionCell>;
  held: fc.Arbitrary<HeldWork>;
  batch: fc.Arbitrary<AuctionBatch>;
}

const historyOf = ({ cell, held, batch }: Kinds): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.record({ do: fc.constant('upsert' as const), cell: cellId.chain(cell) }) },
      fc.record({ do: fc.constant('remove' as const), cellId }),
      { weight: 4, arbitrary: fc.record({ do: fc.constant('reserve' as const), cellId, held }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('release', 'start'), which: fc.nat(50) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('auction', 'plan'), batch }) },
    ),
    { maxLength: 40, size: 'max' },
  );

/** Two engines that are told the same and have to say the same. */
class Pair {
  private readonly holds: { cellId: string; held: HeldWork }[] = [];

  constructor(
    private readonly oracle: AuctionEngine,
    private readonly engine: AuctionEngine,
  ) {}

  do(next: Step): void {
    switch (next.do) {
      case 'upsert':
        return this.both((engine) => engine.upsertCell(next.cell));
      case 'remove':
        return this.both((engine) => engine.removeCell(next.cellId));
      case 'reserve':
        return this.reserve(next);
      case 'release':
        return void this.release(next.which);
      case 'start': {
        const entry = this.release(next.which);
        if (entry !== undefined) this.reserve({ ...entry, held: { ...entry.held, starting: false } });
        return undefined;
      }
      case 'plan':
        return this.both((engine) => outcome(engine.plan(next.batch)));
      case 'auction':
        return this.auction(next.batch);
    }
  }

  /** What can be seen from outside, at the end. */
  compare(batch: AuctionBatch): void {
    for (const id of cellIds) this.both((engine) => engine.available(id));
    for (const auction of [...batch.lrps, ...batch.tasks]) this.both((engine) => engine.explain(auction));
    this.both((engine) => outcome(engine.plan(batch)));
  }

  private auction(batch: AuctionBatch): void {
    const expected = this.oracle.auction(batch);
    expect(outcome(this.engine.auction(batch))).toEqual(outcome(expected));
    for (const { auction, cellId: winner } of expected.placements) {
      this.holds.push({ cellId: winner, held: { ...auction, starting: true } });
    }
  }

  private reserve(entry: { cellId: string; held: HeldWork }): void {
    this.holds.push(entry);
    this.both((engine) => engine.reserve(entry.cellId, entry.held));
  }

  private release(which: number) {
    const [entry] = this.holds.splice(which % Math.max(this.holds.length, 1), 1);
    if (entry !== undefined) this.both((engine) => engine.release(entry.cellId, entry.held));
    return entry;
  }

  private both(call: (engine: AuctionEngine) => unknown): void {
    expect(call(this.engine)).toEqual(call(this.oracle));
  }
}

it('P6 the index decides as the scan does, in any world', () => {
  fc.assert(
    fc.property(worlds, ({ cells, holds, batch, options }) => {
      const pair = new Pair(new ScanAuction(cells, options), new IndexedAuction(cells, options));
      for (const hold of holds) pair.do({ do: 'reserve', ...hold });
      pair.compare(batch);
      pair.do({ do: 'auction', batch });
    }),
    { numRuns: 3000 },
  );
});

it.each([
  ['', { cell: describedCell, held: heldWork, batch: batchOf(12) }, auctionOptions],
  [
    ', with everything beyond the score',
    { cell: richCell, held: richHeldWork, batch: richBatchOf(12) },
    richOptions,
  ],
])('P6, P8 the index decides as the scan does, after any history%s', (_words, kinds, anyOptions) => {
  fc.assert(
    fc.property(historyOf(kinds), kinds.batch, anyOptions, (history, last, options) => {
      const pair = new Pair(new ScanAuction([], options), new IndexedAuction([], options));
      for (const next of history) pair.do(next);
      pair.compare(last);
    }),
    { numRuns: 2000 },
  );
});

/** A well-mixed generator, so that large worlds need not be made of thousands of arbitraries. */
function randomOf(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) % below;
  };
}

/** Hundreds of cells: alike, of three sizes, or each of its own size. */
function manyCells(random: (below: number) => number): AuctionCell[] {
  const kinds = [1, 1, 3, 1000][random(4)]!;
  const zones = 1 + random(4);
  const count = 150 + random(150);
  return Array.from({ length: count }, (_, at): AuctionCell => {
    const kind = random(kinds);
    return {
      cellId: `cell-${at}`,
      zone: `z${random(zones)}`,
      index: random(count),
      capacity: { memoryMb: 100 + 37 * kind, diskMb: 200 + 11 * kind, containers: 12 + (kind % 5) },
      rootfsProviders: [{ scheme: 'preloaded', stacks: random(8) === 0 ? ['windows'] : ['linux'] }],
      placementTags: random(10) === 0 ? ['isolated'] : [],
      proxyMemoryMb: random(3) === 0 ? 4 : 0,
      evacuating: random(25) === 0,
    };
  });
}

/** A large app or two and many small ones, of a few sizes. */
function muchWork(random: (below: number) => number, scale: number): AuctionBatch {
  const lrps: LRPAuction[] = [];
  const request = () => ({
    memoryMb: [5, 10, 10, 40][random(4)]!,
    diskMb: [5, 10][random(2)]!,
    rootfs: random(12) === 0 ? 'preloaded:windows' : 'preloaded:linux',
    placementTags: random(12) === 0 ? ['isolated'] : [],
  });
  for (const app of ['large-a', 'large-b']) {
    const alike = request();
    const from = random(3) * 100;
    const count = random(2) * random(3 * scale);
    for (let index = from; index < from + count; index += 1) {
      lrps.push({
        processGuid: app,
        index,
        ...alike,
        refusedBy: random(9) === 0 ? [`cell-${random(300)}`] : [],
      });
    }
  }
  for (let at = random(scale); at > 0; at -= 1) {
    lrps.push({ processGuid: `small-${random(60)}`, index: at, ...request() });
  }
  const tasks = Array.from({ length: random(scale) }, (_, at) => ({ taskGuid: `task-${at}`, ...request() }));
  return { lrps, tasks };
}

it('P6, P8 the index decides as the scan does, among hundreds of cells and with apps larger than that', () => {
  fc.assert(
    fc.property(fc.integer(), auctionOptions, (seed, options) => {
      const random = randomOf(seed);
      const cells = manyCells(random);
      const free = { ...options, startingContainerCountMaximum: 0 };
      const pair = new Pair(new ScanAuction(cells, free), new IndexedAuction(cells, free));
      for (let round = 0; round < 3; round += 1) {
        pair.do({ do: 'auction', batch: muchWork(random, 200) });
        for (let at = 0; at < 60; at += 1)
          pair.do({ do: random(2) === 0 ? 'release' : 'start', which: random(1000) });
        const cell = cells[random(cells.length)]!;
        pair.do({ do: 'remove', cellId: cell.cellId });
        pair.do({ do: 'upsert', cell: { ...cell, evacuating: random(2) === 0, zone: `z${random(4)}` } });
      }
      pair.compare(muchWork(random, 30));
    }),
    { numRuns: 12 },
  );
});
