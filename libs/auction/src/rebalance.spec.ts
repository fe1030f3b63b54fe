import * as fc from 'fast-check';
import { firstMismatch, parseRootfs } from './constraints.js';
import type { Move } from '#rivera/models';
import { planRebalance } from './rebalance.js';
import { DEFAULT_REBALANCE_OPTIONS } from './rebalance-types.js';
import type { RebalanceApp, RebalanceOptions, RebalanceWorld } from './rebalance-types.js';
import type { AuctionCell, HeldWork } from './types.js';

const linux = [{ scheme: 'preloaded', stacks: ['linux'] }];

function cell(cellId: string, zone: string, more: Partial<AuctionCell> = {}): AuctionCell {
  const capacity = { memoryMb: 100, diskMb: 100, containers: 20 };
  return { cellId, zone, capacity, rootfsProviders: linux, ...more };
}

/** Its instances in order, by their cells. */
function app(processGuid: string, cellIds: string[], more: Partial<RebalanceApp> = {}): RebalanceApp {
  const instances = cellIds.map((cellId, index) => ({ index, cellId }));
  return {
    processGuid,
    memoryMb: 10,
    diskMb: 10,
    rootfs: 'preloaded:linux',
    instances,
    isMovable: true,
    ...more,
  };
}

function plan(cells: AuctionCell[], apps: RebalanceApp[], options: Partial<RebalanceOptions> = {}) {
  return planRebalance({ cells, apps, others: [] }, options);
}

const moved = ({ moves }: { moves: Move[] }) =>
  moves.map(({ processGuid, index, from, to, reason }) => `${processGuid}.${index} ${from}→${to} ${reason}`);

describe('planRebalance', () => {
  const two = [cell('a', 'z1'), cell('b', 'z2')];

  it('evens zones that differ by more than one', () => {
    const { moves, before, after } = plan(two, [app('web', ['a', 'a', 'a'])]);
    expect(moves).toMatchObject([{ processGuid: 'web', from: 'a', to: 'b', reason: 'zone' }]);
    expect(before).toMatchObject({ largestZoneSkew: 3, skewedApps: 1, crowdedApps: 1 });
    expect(after).toMatchObject({ largestZoneSkew: 1, skewedApps: 0 });
  });

  it('leaves zones that differ by one', () => {
    expect(plan(two, [app('web', ['a', 'a', 'b'])]).moves).toEqual([]);
  });

  it('takes a second instance off a cell when another cell has none', () => {
    const cells = [cell('a', 'z1'), cell('b', 'z1')];
    expect(moved(plan(cells, [app('web', ['a', 'a'])]))).toEqual([
      expect.stringMatching(/^web\.[01] a→b locality$/),
    ]);
  });

  it('moves work from full cells to an empty one, one instance of an app at a time', () => {
    const cells = [cell('a', 'z1'), cell('b', 'z1'), cell('new', 'z1')];
    const apps = Array.from({ length: 6 }, (_, at) => app(`app-${at}`, ['a', 'b']));
    const { moves, before, after } = plan(cells, apps);
    expect(moves).toHaveLength(4);
    expect(new Set(moves.map(({ processGuid }) => processGuid)).size).toBe(4);
    for (const { to, reason } of moves) expect({ to, reason }).toEqual({ to: 'new', reason: 'fill' });
    expect(after.fillDeviation).toBeLessThan(before.fillDeviation / 10);
  });

  it('moves no more than it may', () => {
    const cells = [cell('a', 'z1'), cell('b', 'z1'), cell('new', 'z1')];
    const apps = Array.from({ length: 6 }, (_, at) => app(`app-${at}`, ['a', 'b']));
    expect(plan(cells, apps, { maxMoves: 2 }).moves).toHaveLength(2);
    expect(plan(cells, apps, { minGain: 50 }).moves).toEqual([]);
  });

  it('leaves apps with one instance, and those that may not be moved now', () => {
    const cells = [cell('a', 'z1'), cell('b', 'z1')];
    const single = Array.from({ length: 5 }, (_, at) => app(`app-${at}`, ['a']));
    expect(plan(cells, single).moves).toEqual([]);
    expect(plan(cells, single, { minInstances: 1 }).moves).toHaveLength(2);
    expect(plan(cells, [app('web', ['a', 'a'], { isMovable: false })]).moves).toEqual([]);
  });

  it('never uses a cell that does not match, has no room for both copies, or is leaving', () => {
    const others = [
      cell('tagged', 'z2', { placementTags: ['gpu'] }),
      cell('small', 'z2', { capacity: { memoryMb: 9, diskMb: 100, containers: 20 } }),
      cell('leaving', 'z2', { evacuating: true }),
    ];
    expect(plan([cell('a', 'z1'), ...others], [app('web', ['a', 'a', 'a'])]).moves).toEqual([]);
  });

  it('does not count on room that is only free when another move is done', () => {
    const capacity = { memoryMb: 20, diskMb: 100, containers: 20 };
    const cells = [cell('a', 'z1', { capacity }), cell('b', 'z2', { capacity })];
    const crossed = [app('one', ['a', 'a']), app('two', ['b', 'b'])];
    expect(plan(cells, crossed).moves).toEqual([]);
  });

  it('leaves apps with rules about what is near them, and those that are spread over more than zones', () => {
    const crowded = (more: Partial<RebalanceApp>) => moved(plan(two, [app('web', ['a', 'a', 'a'], more)]));
    expect(crowded({ affinity: [{ affinity: 'FORBID', processGuid: 'db' }] })).toEqual([]);
    expect(crowded({ spread: [{ over: 'rack', maxSkew: 1 }] })).toEqual([]);
    expect(crowded({ affinity: [{ affinity: 'REQUIRE', label: 'disk', value: 'ssd' }] })).toEqual([]);
    expect(crowded({ affinity: [{ affinity: 'FORBID', label: 'disk', value: 'hdd' }] })).toHaveLength(1);
  });

  it('heeds processors, ports, devices and how many may start at once', () => {
    const web = app('web', ['a', 'a', 'a'], {
      cpuMillicores: 500,
      ports: 2,
      devices: [{ name: 'gpu', count: 1 }],
    });
    const target = (more: Partial<AuctionCell>) => {
      const { capacity } = cell('b', 'z2');
      const devices = [{ name: 'gpu', count: 1 }];
      const offered = { ...capacity, cpuMillicores: 1_000, ports: 2, devices, ...more.capacity };
      return plan([cell('a', 'z1'), cell('b', 'z2', { ...more, capacity: offered })], [web]).moves.length;
    };
    const { capacity } = cell('b', 'z2');
    expect(target({})).toBe(1);
    expect(target({ capacity: { ...capacity, cpuMillicores: 400 } })).toBe(0);
    expect(target({ capacity: { ...capacity, ports: 1 } })).toBe(0);
    expect(target({ capacity: { ...capacity, devices: [] } })).toBe(0);
    expect(target({ maxStarting: 0 })).toBe(0);
  });

  it('makes a hole for big instances where one is wanted', () => {
    const cells = [cell('a', 'z1'), cell('b', 'z1'), cell('c', 'z1')];
    const apps = Array.from({ length: 4 }, (_, at) => app(`app-${at}`, ['a', 'b']));
    const spread = [...apps, app('one', ['c', 'a']), app('two', ['c', 'b'])];
    const wanted = { holeMemoryMb: 90, holesPerZone: 1 };
    const { before, after, moves } = plan(cells, spread, wanted);
    expect(before.missingHoles).toBeGreaterThan(0);
    expect(after.missingHoles).toBeLessThan(before.missingHoles);
    expect(moves.some(({ reason }) => reason === 'hole')).toBe(true);
  });
});

describe('in every world', () => {
  const cellIds = Array.from({ length: 7 }, (_, at) => `cell-${at}`);
  const tags = fc.oneof({ arbitrary: fc.constant<string[]>([]), weight: 3 }, fc.constant<string[]>(['t']));
  const size = {
    memoryMb: fc.constantFrom(0, 5, 10, 30),
    diskMb: fc.constantFrom(0, 10, 20),
    cpuMillicores: fc.constantFrom(0, 100, 300),
  };
  const heldWork: fc.Arbitrary<HeldWork> = fc.record(
    { ...size, processGuid: fc.constant('starting') },
    { requiredKeys: ['memoryMb', 'diskMb'] },
  );
  const apps = fc
    .array(
      fc.record({
        ...size,
        rootfs: fc.constantFrom('preloaded:linux', 'preloaded:linux', 'docker:image'),
        placementTags: tags,
        isMovable: fc.constantFrom(true, true, true, false),
        on: fc.array(fc.constantFrom(...cellIds), { minLength: 1, maxLength: 6 }),
      }),
      { maxLength: 8 },
    )
    .map((all) => all.map(({ on, ...rest }, at): RebalanceApp => ({ ...app(`app-${at}`, on), ...rest })));
  const worlds: fc.Arbitrary<RebalanceWorld> = fc.record({
    cells: fc.tuple(
      ...cellIds.map((cellId) =>
        fc.record({
          cellId: fc.constant(cellId),
          zone: fc.constantFrom('z1', 'z2', 'z3'),
          capacity: fc.record({
            memoryMb: fc.constantFrom(100, 100, 60, 200, 0),
            diskMb: fc.constantFrom(100, 100, 60),
            containers: fc.constantFrom(20, 20, 5),
            cpuMillicores: fc.constantFrom(1_000, 500),
          }),
          rootfsProviders: fc.constantFrom(linux, linux, [...linux, { scheme: 'docker' }]),
          placementTags: tags,
          optionalPlacementTags: tags,
          proxyMemoryMb: fc.constantFrom(0, 0, 4),
          evacuating: fc.constantFrom(false, false, false, true),
        }),
      ),
    ),
    apps,
    others: fc.array(fc.record({ cellId: fc.constantFrom(...cellIds), held: heldWork }), { maxLength: 6 }),
  });
  const optionSets: fc.Arbitrary<Partial<RebalanceOptions>> = fc.record({
    maxMoves: fc.constantFrom(1, 3, 100),
    minGain: fc.constantFrom(0.01, 0.1, 5),
    minInstances: fc.constantFrom(1, 2),
    holeMemoryMb: fc.constantFrom(0, 80),
    holesPerZone: fc.constantFrom(0, 1, 2),
  });
  const RUNS = { numRuns: 1_000 };

  /** The world when these moves are done. */
  function apply(world: RebalanceWorld, moves: readonly Move[]): RebalanceWorld {
    const to = new Map(moves.map((move) => [`${move.processGuid}.${move.index}`, move.to]));
    return {
      ...world,
      apps: world.apps.map((each) => ({
        ...each,
        instances: each.instances.map(({ index, cellId }) => ({
          index,
          cellId: to.get(`${each.processGuid}.${index}`) ?? cellId,
        })),
      })),
    };
  }

  const check = (property: (world: RebalanceWorld, options: Partial<RebalanceOptions>) => void): void =>
    fc.assert(fc.property(worlds, optionSets, property), RUNS);

  it('a move takes an instance from where it is to a cell that matches what it asks for', () => {
    check((world, options) => {
      for (const { processGuid, index, from, to } of planRebalance(world, options).moves) {
        const moving = world.apps.find((each) => each.processGuid === processGuid)!;
        const target = world.cells.find(({ cellId }) => cellId === to)!;
        expect(moving.instances).toContainEqual({ index, cellId: from });
        expect(moving.isMovable).toBe(true);
        expect(from).not.toBe(to);
        expect(target.evacuating).toBe(false);
        expect(firstMismatch(target, moving, parseRootfs(moving.rootfs))).toBeUndefined();
      }
    });
  });

  it('no target is filled beyond its capacity, while old copies are still there', () => {
    check((world, options) => {
      const { moves } = planRebalance(world, options);
      for (const { cellId, capacity, proxyMemoryMb = 0 } of world.cells) {
        if (!moves.some(({ to }) => to === cellId)) continue;
        const arriving = moves.filter(({ to }) => to === cellId).map(({ processGuid }) => processGuid);
        const instances = world.apps.flatMap((each) => [
          ...each.instances.filter((instance) => instance.cellId === cellId).map(() => each),
          ...arriving.filter((processGuid) => processGuid === each.processGuid).map(() => each),
        ]);
        const others = world.others.filter((each) => each.cellId === cellId).map(({ held }) => held);
        const proxied = instances.length + others.filter((held) => held.processGuid !== undefined).length;
        const all = [...instances, ...others];
        const memoryMb = all.reduce((sum, each) => sum + each.memoryMb, 0) + proxied * proxyMemoryMb;
        expect(memoryMb).toBeLessThanOrEqual(capacity.memoryMb);
        expect(all.reduce((sum, each) => sum + each.diskMb, 0)).toBeLessThanOrEqual(capacity.diskMb);
        expect(all.length).toBeLessThanOrEqual(capacity.containers);
        // A cell that has less than nothing left still takes what asks for none.
        const asking = arriving.some((guid) =>
          world.apps.some((each) => each.processGuid === guid && each.cpuMillicores! > 0),
        );
        const cpuMillicores = all.reduce((sum, each) => sum + (each.cpuMillicores ?? 0), 0);
        if (asking) expect(cpuMillicores).toBeLessThanOrEqual(capacity.cpuMillicores ?? Infinity);
      }
    });
  });

  it('at most one instance of an app moves, of apps with enough instances, within the budget', () => {
    check((world, options) => {
      const { moves } = planRebalance(world, options);
      const { maxMoves, minInstances } = { ...DEFAULT_REBALANCE_OPTIONS, ...options };
      expect(moves.length).toBeLessThanOrEqual(maxMoves);
      expect(new Set(moves.map(({ processGuid }) => processGuid)).size).toBe(moves.length);
      for (const { processGuid } of moves) {
        const moving = world.apps.find((each) => each.processGuid === processGuid)!;
        expect(moving.instances.length).toBeGreaterThanOrEqual(minInstances);
      }
    });
  });

  it('the gain is real: measured again when the moves are done, that much imbalance is gone', () => {
    check((world, options) => {
      const { moves, before, after } = planRebalance(world, options);
      const measured = planRebalance(apply(world, moves), options).before;
      const { minGain } = { ...DEFAULT_REBALANCE_OPTIONS, ...options };
      for (const { gain, cost } of moves) {
        expect(gain / cost).toBeGreaterThanOrEqual(minGain);
        expect(cost).toBeGreaterThanOrEqual(1);
      }
      const promised = moves.reduce((sum, { gain }) => sum + gain, 0);
      expect(before.points - measured.points).toBeCloseTo(promised, 6);
      expect(after.points).toBeCloseTo(measured.points, 6);
    });
  });

  it('zones of no app are further apart than before', () => {
    const skews = (world: RebalanceWorld) =>
      world.apps.map((each) => {
        const zones = new Map<string, number>();
        for (const { cellId, zone } of world.cells) {
          const here = each.instances.filter((instance) => instance.cellId === cellId).length;
          zones.set(zone, (zones.get(zone) ?? 0) + here);
        }
        return Math.max(...zones.values()) - Math.min(...zones.values());
      });
    check((world, options) => {
      const before = skews(world);
      const after = skews(apply(world, planRebalance(world, options).moves));
      after.forEach((skew, at) => expect(skew).toBeLessThanOrEqual(before[at] ?? 0));
    });
  });

  it('planning and moving again and again comes to an end', () => {
    check((world, options) => {
      let now = world;
      let rounds = 0;
      for (let moves = planRebalance(now, options).moves; moves.length > 0; rounds += 1) {
        expect(rounds).toBeLessThan(200);
        now = apply(now, moves);
        moves = planRebalance(now, options).moves;
      }
    });
  });

  it('the same world gives the same plan, in whatever order its cells and apps are told', () => {
    check((world, options) => {
      const turned = {
        cells: world.cells.toReversed(),
        apps: world.apps.toReversed(),
        others: world.others.toReversed(),
      };
      expect(planRebalance(turned, options).moves).toEqual(planRebalance(world, options).moves);
    });
  });
});
