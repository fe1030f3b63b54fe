/** What has to hold in every world, tried on thousands of random ones. A failure prints the seed to repeat it. */
import * as fc from 'fast-check';
import { workId } from '#rivera/auction';
import type { Auction, AuctionResult, HeldWork } from '#rivera/auction';
import { ReferenceWorld, referenceOrder } from './placement-reference.js';
import { batchOf, describedCell, ENGINE_CLASSES, engineOf, heldWork, worlds } from './placement-worlds.js';
import type { World } from './placement-worlds.js';

const RUNS = { numRuns: 500 };

/** Walks through a result in the order of work, with the world as it was just before each decision. */
function replay(
  world: World,
  result: AuctionResult,
  check: (auction: Auction, got: { cellId?: string; error?: string }, before: ReferenceWorld) => void,
): void {
  const reference = new ReferenceWorld(world.cells, world.options);
  for (const { cellId, held } of world.holds) reference.hold(cellId, held);
  const decisions = new Map<Auction, { cellId?: string; error?: string }>(
    [...result.placements, ...result.failures].map(({ auction, ...decision }) => [auction, decision]),
  );
  for (const auction of referenceOrder(world.batch, world.options.strict)) {
    const got = decisions.get(auction) ?? {};
    check(auction, got, reference);
    if (got.cellId !== undefined) reference.place(auction, got.cellId);
  }
}

/** A result as values that can be compared. */
const outcome = ({ placements, failures }: AuctionResult) => ({
  placements: placements.map(({ auction, cellId }) => [workId(auction), cellId]),
  failures: failures.map(({ auction, error, why }) => [workId(auction), error, why]),
});

describe.each(ENGINE_CLASSES)('7.8 %s', (_engine, Engine) => {
  it('P1 nothing is placed beyond a capacity, proxies included', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const engine = engineOf(Engine, { ...world, options: { ...world.options, strict: false } });
        for (const { cellId } of engine.auction(world.batch).placements) {
          const { memoryMb = -1, diskMb = -1, containers = -1 } = engine.available(cellId) ?? {};
          expect(Math.min(memoryMb, diskMb, containers)).toBeGreaterThanOrEqual(0);
        }
      }),
      RUNS,
    );
  });

  it('P2 no constraint is broken and no evacuating cell used', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        replay(world, engineOf(Engine, world).auction(world.batch), (auction, { cellId }, before) => {
          if (cellId === undefined) return;
          expect(before.compatible(auction).map(({ cell }) => cell.cellId)).toContain(cellId);
        });
      }),
      RUNS,
    );
  });

  /** Worlds in which any cell has room for everything, and one app without refusals. */
  const roomyWorlds = fc
    .tuple(worlds, fc.constantFrom(0, 0.25, 2000), fc.integer({ min: 1, max: 30 }))
    .map(([world, binPackFirstFitWeight, instances]): World => {
      const capacity = { memoryMb: 1e6, diskMb: 1e6, containers: 1e6 };
      const request = world.batch.lrps[0] ?? {
        processGuid: 'app-a',
        rootfs: 'preloaded:linux',
        memoryMb: 10,
        diskMb: 10,
      };
      const lrps = Array.from({ length: instances }, (_, index) => ({ ...request, index, refusedBy: [] }));
      return {
        ...world,
        cells: world.cells.map((cell) => ({ ...cell, capacity })),
        batch: { lrps, tasks: [] },
        options: {
          ...world.options,
          binPackFirstFitWeight,
          startingContainerCountMaximum: 0,
          strict: false,
        },
      };
    });

  /** Instances of the world's app per key of the feasible cells, before and after, counted over all usable cells. */
  function spread(world: World, result: AuctionResult, keyOf: (cell: World['cells'][number]) => string) {
    const reference = new ReferenceWorld(world.cells, world.options);
    const [auction] = world.batch.lrps;
    const usable = world.cells.filter(({ evacuating }) => !evacuating);
    const feasible = auction ? reference.compatible(auction).map(({ cell }) => cell) : [];
    const countsOn = (cellIdsOfInstances: string[]) =>
      new Map(
        feasible.map((cell) => {
          const alike = new Set(
            usable.filter((other) => keyOf(other) === keyOf(cell)).map(({ cellId }) => cellId),
          );
          return [keyOf(cell), cellIdsOfInstances.filter((cellId) => alike.has(cellId)).length] as const;
        }),
      );
    const before = world.holds
      .filter(({ held }) => held.processGuid === auction?.processGuid)
      .map(({ cellId }) => cellId);
    const placed = result.placements.map(({ cellId }) => cellId);
    return { before: countsOn(before), after: countsOn([...before, ...placed]), feasible };
  }

  /** Whoever received anything has at most one more than whoever has least; so counts that were even differ by 1 at most. */
  function expectEven(before: Map<string, number>, after: Map<string, number>): void {
    const least = Math.min(...after.values());
    for (const [key, count] of after) {
      if (count > (before.get(key) ?? 0)) expect(count, key).toBeLessThanOrEqual(least + 1);
    }
  }

  it('P3 with room everywhere an app is spread evenly over the zones it can use', () => {
    fc.assert(
      fc.property(roomyWorlds, (world) => {
        const result = engineOf(Engine, world).auction(world.batch);
        const { before, after, feasible } = spread(world, result, ({ zone }) => zone);
        expect(result.placements).toHaveLength(feasible.length === 0 ? 0 : world.batch.lrps.length);
        expectEven(before, after);
      }),
      RUNS,
    );
  });

  it('P4 with room everywhere an app is spread evenly over the cells it can use in each zone', () => {
    fc.assert(
      fc.property(roomyWorlds, (world) => {
        const result = engineOf(Engine, world).auction(world.batch);
        const { before, after, feasible } = spread(world, result, ({ cellId }) => cellId);
        for (const zone of new Set(feasible.map((cell) => cell.zone))) {
          const inZone = new Set(feasible.filter((cell) => cell.zone === zone).map(({ cellId: id }) => id));
          const only = (counts: Map<string, number>) =>
            new Map([...counts].filter(([cellId]) => inZone.has(cellId)));
          expectEven(only(before), only(after));
        }
      }),
      RUNS,
    );
  });

  it('P5 what a cell could take is placed, unless the start limit holds it back', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const calm = {
          ...world,
          options: { ...world.options, startingContainerCountMaximum: 0, strict: false },
        };
        replay(calm, engineOf(Engine, calm).auction(calm.batch), (auction, { error }, before) => {
          const fitting = before.compatible(auction).filter((cell) => before.isFitting(cell, auction));
          expect(error === undefined, error).toBe(fitting.length > 0);
        });
      }),
      RUNS,
    );
  });

  it('P6, P12 every decision and every error is that of the literal rule, in both modes', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        replay(world, engineOf(Engine, world).auction(world.batch), (auction, got, before) => {
          const expected = before.expected(auction);
          if ('error' in expected) expect(got).toMatchObject({ error: expected.error });
          else expect(expected.winners).toContain(got.cellId);
        });
      }),
      { numRuns: 3000 },
    );
  });

  it('P7 the order in which cells and holdings are told of makes no difference', () => {
    const shuffled = worlds.chain((world) =>
      fc.record({
        world: fc.constant(world),
        cells: fc.shuffledSubarray(world.cells, { minLength: world.cells.length }),
        holds: fc.shuffledSubarray(world.holds, { minLength: world.holds.length }),
      }),
    );
    fc.assert(
      fc.property(shuffled, ({ world, cells, holds }) => {
        const other = engineOf(Engine, { ...world, cells, holds }).auction(world.batch);
        expect(outcome(other)).toEqual(outcome(engineOf(Engine, world).auction(world.batch)));
      }),
      RUNS,
    );
  });

  const cellId = fc.constantFrom('cell-0', 'cell-1', 'cell-2');
  const steps = fc.array(
    fc.oneof(
      fc.record({ do: fc.constant('reserve' as const), cellId, held: heldWork }),
      fc.record({ do: fc.constant('release' as const), which: fc.nat(50) }),
      fc.record({ do: fc.constant('start' as const), which: fc.nat(50) }),
      fc.record({ do: fc.constant('upsert' as const), cell: cellId.chain(describedCell) }),
      fc.record({ do: fc.constant('remove' as const), cellId }),
      fc.record({ do: fc.constantFrom('auction' as const, 'plan' as const), batch: batchOf(6) }),
    ),
    { maxLength: 30 },
  );

  it('P8 what is booked is what is held, after any history', () => {
    fc.assert(
      fc.property(steps, fc.boolean(), (history, strict) => {
        const engine = new Engine([], { strict });
        const known = new Map<string, World['cells'][number]>();
        const holds: { cellId: string; held: HeldWork }[] = [];
        const reserve = (entry: { cellId: string; held: HeldWork }) => {
          holds.push(entry);
          engine.reserve(entry.cellId, entry.held);
        };
        const release = (which: number) => {
          const [entry] = holds.splice(which % Math.max(holds.length, 1), 1);
          if (entry !== undefined) engine.release(entry.cellId, entry.held);
          return entry;
        };
        for (const step of history) {
          if (step.do === 'reserve') reserve(step);
          if (step.do === 'release') release(step.which);
          if (step.do === 'start') {
            const entry = release(step.which);
            if (entry !== undefined) reserve({ ...entry, held: { ...entry.held, starting: false } });
          }
          if (step.do === 'upsert') {
            known.set(step.cell.cellId, step.cell);
            engine.upsertCell(step.cell);
          }
          if (step.do === 'remove') {
            known.delete(step.cellId);
            engine.removeCell(step.cellId);
          }
          if (step.do === 'plan') engine.plan(step.batch);
          if (step.do === 'auction') {
            for (const { auction, cellId: winner } of engine.auction(step.batch).placements) {
              holds.push({ cellId: winner, held: { ...auction, starting: true } });
            }
          }
          for (const id of ['cell-0', 'cell-1', 'cell-2']) {
            const cell = known.get(id);
            const on = holds.filter((entry) => entry.cellId === id).map(({ held }) => held);
            const proxies = on.filter(({ processGuid }) => processGuid !== undefined).length;
            expect(engine.available(id)).toEqual(
              cell && {
                memoryMb:
                  cell.capacity.memoryMb -
                  on.reduce((sum, { memoryMb }) => sum + memoryMb, 0) -
                  proxies * (cell.proxyMemoryMb ?? 0),
                diskMb: cell.capacity.diskMb - on.reduce((sum, { diskMb }) => sum + diskMb, 0),
                containers: cell.capacity.containers - on.length,
              },
            );
          }
        }
      }),
      RUNS,
    );
  });

  it('P9 the same picture gives the same decisions, however it came about', () => {
    fc.assert(
      fc.property(worlds, batchOf(6), (world, detour) => {
        const direct = engineOf(Engine, world);
        const roundabout = new Engine([], world.options);
        for (const { cellId: id, held } of world.holds) roundabout.reserve(id, held);
        for (const cell of world.cells) roundabout.upsertCell({ ...cell, evacuating: false });
        for (const { auction, cellId: winner } of roundabout.auction(detour).placements) {
          roundabout.release(winner, { ...auction, starting: true });
        }
        for (const cell of world.cells) roundabout.upsertCell(cell);
        const planned = outcome(direct.plan(world.batch));
        expect(outcome(roundabout.auction(world.batch))).toEqual(planned);
        expect(outcome(direct.auction(world.batch))).toEqual(planned);
      }),
      RUNS,
    );
  });

  it('P10 everything submitted is either placed or failed, once, with a reason', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const { placements, failures } = engineOf(Engine, world).auction(world.batch);
        const decided = [...placements, ...failures].map(({ auction }) => auction);
        const submitted = new Set<Auction>([...world.batch.lrps, ...world.batch.tasks]);
        expect(decided).toHaveLength(submitted.size);
        expect(new Set(decided)).toEqual(submitted);
        for (const { auction, error, why } of failures) {
          expect(error).not.toBe('');
          // Only in strict mode may a cell neither mismatch nor be full: one whose score is not a number.
          if (world.options.strict) continue;
          const mismatched = Object.values(why.mismatched).reduce((sum, cells) => sum + cells, 0);
          expect(mismatched + why.full, workId(auction)).toBe(why.cells);
        }
      }),
      RUNS,
    );
  });
});
