/** What placement knows beyond Diego's rule, in examples; docs/placement.md, "Beyond the score". Strict mode knows none of it. */
import type { AuctionOptions } from '#rivera/auction';
import { IndexedAuction, inputsOf, SCENARIOS, Simulation } from '#rivera/auction';
import type { AffinityRule } from '#rivera/models';
import type { CellFixture } from './placement-fixtures.js';
import { cell, decide, ENGINES, errors, held, lrp, name, size, task, winners } from './placement-fixtures.js';

const GB = 1024;
const rack = (value: string) => ({ labels: { rack: value } });

describe.each(ENGINES)('%s', (_engine, engineWith) => {
  /** Where the last piece of work goes. */
  const winnerOf = (cells: CellFixture[], ...work: Parameters<typeof decide>[1][]) =>
    winners(decide(engineWith(cells), ...work))[name(work.at(-1)!)];

  it('decides higher priorities first, whatever the index and kind', () => {
    const order = (strict: boolean) =>
      decide(
        engineWith([cell('a', 'z')], { strict }),
        lrp('usual', 0),
        task('urgent', { priority: 5 }),
        lrp('late', 0, { priority: -1 }),
        lrp('more', 1, { priority: 5 }),
      ).placements.map(({ auction }) => name(auction));
    expect(order(false)).toEqual(['urgent', 'more[1]', 'usual[0]', 'late[0]']);
    expect(order(true)).toEqual(['usual[0]', 'late[0]', 'urgent', 'more[1]']);
  });

  it('starts no more on a cell at a time than it allows', () => {
    const engine = engineWith([cell('a', 'z', { maxStarting: 2 })]);
    const result = decide(engine, lrp('p', 0), lrp('p', 1), lrp('p', 2));
    expect(result.placements).toHaveLength(2);
    expect(result.failures).toMatchObject([
      {
        error: 'waiting to start instance: reached start limit of compatible cells',
        why: { reason: 'resources', full: 1, short: { starts: 1 } },
      },
    ]);
    engine.release('a', { ...lrp('p', 0), starting: true });
    engine.reserve('a', { ...lrp('p', 0), starting: false });
    expect(decide(engine, lrp('p', 2)).placements).toHaveLength(1);
  });

  it.each([
    ['cpu', { cpuMillicores: 500 }, { cpuMillicores: 900 }],
    ['ports', { ports: 2 }, { ports: 3 }],
    ['devices', { devices: [{ name: 'gpu', count: 1 }] }, { devices: [{ name: 'gpu', count: 1 }] }],
  ])('counts %s where the cell does', (resource, needs, limit) => {
    const capacity = { memoryMb: 100, diskMb: 100, containers: 100 };
    const engine = engineWith([cell('a', 'z', { capacity: { ...capacity, ...limit } })]);
    const result = decide(engine, lrp('p', 0, needs), lrp('p', 1, needs), lrp('plain', 2));
    expect(Object.keys(winners(result))).toEqual(['p[0]', 'plain[2]']);
    expect(errors(result)).toEqual({ 'p[1]': `insufficient resources: ${resource}` });
    const endless = decide(engineWith([cell('a', 'z')]), lrp('p', 0, needs), lrp('p', 1, needs));
    expect(endless.placements).toHaveLength(resource === 'devices' ? 0 : 2);
  });

  describe('affinity', () => {
    const cells = [
      cell('a', 'z1', { ...rack('r1'), holds: [held('db')] }),
      cell('b', 'z1', rack('r2')),
      cell('c', 'z2', { ...rack('r1'), holds: [held('other', 50)] }),
    ];
    const near = (affinity: AffinityRule['affinity'], over?: string): AffinityRule =>
      over === undefined ? { affinity, processGuid: 'db' } : { affinity, processGuid: 'db', over };

    it.each([
      ['REQUIRE', undefined, ['a']],
      ['FORBID', undefined, ['b', 'c']],
      ['REQUIRE', 'zone', ['a', 'b']],
      ['FORBID', 'zone', ['c']],
      ['REQUIRE', 'rack', ['a', 'c']],
      ['FORBID', 'rack', ['b']],
    ] as const)('%s of a process over %s', (affinity, over, allowed) => {
      const verdicts = engineWith(cells).explain(lrp('p', 0, { affinity: [near(affinity, over)] }));
      const barred = verdicts.filter((verdict) => verdict.barred === 'affinity').map(({ cellId }) => cellId);
      expect(['a', 'b', 'c'].filter((id) => !barred.includes(id))).toEqual(allowed);
      expect(allowed).toContain(winnerOf(cells, lrp('p', 0, { affinity: [near(affinity, over)] })));
    });

    it('PREFER and AVOID go before zones, and yield when there is no other cell', () => {
      expect(winnerOf(cells, lrp('p', 0, { affinity: [near('PREFER')] }))).toBe('a');
      expect(winnerOf(cells, lrp('p', 0, { affinity: [near('AVOID', 'rack')] }))).toBe('b');
      expect(winnerOf(cells, lrp('other', 1, { affinity: [near('AVOID', 'zone')] }))).toBe('c');
      expect(winnerOf(cells, lrp('p', 0, { memoryMb: 95, affinity: [near('AVOID')] }))).toBe('b');
      expect(winnerOf([cells[0]!], lrp('p', 0, { affinity: [near('AVOID')] }))).toBe('a');
    });

    it('to labels of cells', () => {
      const label = (affinity: AffinityRule['affinity'], value: string): AffinityRule => ({
        affinity,
        label: 'rack',
        value,
      });
      expect(winnerOf(cells, lrp('p', 0, { affinity: [label('REQUIRE', 'r2')] }))).toBe('b');
      expect(winnerOf(cells, task('t', { affinity: [label('FORBID', 'r1')] }))).toBe('b');
      expect(winnerOf(cells, lrp('p', 0, { affinity: [label('PREFER', 'r2')] }))).toBe('b');
      const result = decide(engineWith(cells), lrp('p', 0, { affinity: [label('REQUIRE', 'r9')] }));
      expect(result.failures).toMatchObject([
        {
          error: 'found no compatible cell with required labels',
          why: { reason: 'labels', mismatched: { labels: 3 } },
        },
      ]);
    });

    it('keeps the instances of an app apart, and says why when it cannot', () => {
      const alone = { affinity: [{ affinity: 'FORBID' as const, processGuid: 'p' }] };
      const result = decide(engineWith(cells), ...[0, 1, 2, 3].map((index) => lrp('p', index, alone)));
      expect(new Set(Object.values(winners(result)))).toEqual(new Set(['a', 'b', 'c']));
      expect(result.failures).toMatchObject([
        {
          error: 'found no compatible cell with required affinity',
          why: { reason: 'affinity', full: 0, barred: { affinity: 3 } },
        },
      ]);
    });
  });

  describe('spread', () => {
    const racks = ['r1', 'r1', 'r1', 'r2', 'r3'];
    const cells = racks.map((value, at) => cell(`c${at}`, 'z', rack(value)));
    const spreadOver = (maxSkew: number, over = 'rack') => ({ spread: [{ over, maxSkew }] });
    const instances = (count: number, more: object) =>
      Array.from({ length: count }, (_, index) => lrp('p', index, more));

    it('is even over the values of a label', () => {
      const placed = Object.values(winners(decide(engineWith(cells), ...instances(6, spreadOver(1)))));
      const counts = ['r1', 'r2', 'r3'].map(
        (value) => placed.filter((id) => racks[Number(id.slice(1))] === value).length,
      );
      expect(counts).toEqual([2, 2, 2]);
    });

    it('never leaves the allowed skew, though there is room', () => {
      const full = cells.map((each) =>
        each.labels?.['rack'] === 'r3' ? { ...each, holds: [held('x', 100)] } : each,
      );
      const result = decide(engineWith(full), ...instances(5, spreadOver(2)));
      expect(result.placements).toHaveLength(4);
      expect(result.failures).toMatchObject([
        {
          error: 'found no compatible cell within the allowed skew',
          why: { reason: 'spread', full: 1, barred: { spread: 4 } },
        },
      ]);
    });

    it('works over zones, and leaves out cells without the label', () => {
      const zones = [cell('a', 'z1'), cell('b', 'z2', { holds: [held('x', 100)] })];
      expect(decide(engineWith(zones), ...instances(3, spreadOver(1, 'zone'))).placements).toHaveLength(1);
      expect(decide(engineWith([cell('plain', 'z')]), ...instances(1, spreadOver(1))).placements).toEqual([]);
    });
  });

  describe('pools', () => {
    const options = (packFromPercent: number): Partial<AuctionOptions> => ({
      pools: { batch: { packFromPercent } },
      startingContainerWeight: 0.25,
    });
    const cells = ['a', 'b', 'c'].map((id) => cell(id, 'z', { pool: 'batch' }));
    const apps = (count: number, memoryMb: number) =>
      Array.from({ length: count }, (_, at) => lrp(`app-${at}`, 0, size(memoryMb)));
    const usedOn = (packFromPercent: number, count: number, memoryMb: number) => {
      const engine = engineWith(cells, options(packFromPercent));
      expect(decide(engine, ...apps(count, memoryMb)).failures).toEqual([]);
      return cells.map(({ cellId }) => 100 - engine.available(cellId)!.memoryMb).toSorted((a, b) => a - b);
    };

    it('pack: the fullest cell first', () => expect(usedOn(0, 6, 20)).toEqual([0, 20, 100]));

    it('spread until some fill, then pack', () => {
      expect(usedOn(30, 6, 10)).toEqual([20, 20, 20]);
      const [least = 0, middle = 0, most = 0] = usedOn(30, 18, 10);
      expect([least, middle, most]).toEqual([50, 50, 80]);
    });

    it('usually spread', () => expect(usedOn(101, 6, 20)).toEqual([40, 40, 40]));
  });

  it('keeps holes for large work', () => {
    const capacity = { memoryMb: 64 * GB, diskMb: 1_000_000, containers: 250 };
    const cells = Array.from({ length: 20 }, (_, at) => cell(`c${at}`, 'z', { capacity }));
    const filled = (holes: AuctionOptions['holes']) => {
      const engine = engineWith(cells, { holes, startingContainerWeight: 0.25 });
      for (let at = 0; ; at += 1) {
        const isLarge = at % 100 === 99;
        const work = lrp(`app-${at}`, 0, { memoryMb: (isLarge ? 16 : 0.75) * GB, diskMb: 1 });
        if (decide(engine, work).failures.length === 0) continue;
        const left = cells.reduce((sum, { cellId }) => sum + engine.available(cellId)!.memoryMb, 0);
        return { isLarge, fill: 1 - left / (20 * 64 * GB) };
      }
    };
    expect(filled({ memoryMb: 0, count: 0 })).toMatchObject({ isLarge: true });
    const kept = filled({ memoryMb: 16 * GB, count: 3 });
    expect(kept.fill).toBeGreaterThan(0.97);
    expect(kept.fill).toBeGreaterThan(filled({ memoryMb: 0, count: 0 }).fill);
  });

  it('strict mode knows none of it', () => {
    const capacity = { memoryMb: 100, diskMb: 100, containers: 100, cpuMillicores: 0, ports: 0 };
    const cells = [cell('a', 'z', { capacity, maxStarting: 1, holds: [{ ...held('db'), starting: true }] })];
    const wishes = {
      cpuMillicores: 1,
      ports: 1,
      devices: [{ name: 'gpu', count: 1 }],
      affinity: [{ affinity: 'FORBID' as const, processGuid: 'db' }],
      spread: [{ over: 'rack', maxSkew: 1 }],
    };
    expect(decide(engineWith(cells, { strict: true }), lrp('p', 0, wishes)).placements).toHaveLength(1);
    expect(decide(engineWith(cells), lrp('p', 0, wishes)).failures).toHaveLength(1);
  });
});

it('with two holes a zone, a 16 GB instance is refused only when 97 % of the memory is used', () => {
  const { world, options } = SCENARIOS.find(({ id }) => id === 'P1')!;
  for (const seed of [1, 2, 3]) {
    const engine = new IndexedAuction([], {
      ...options,
      startingContainerWeight: 0.25,
      holes: { memoryMb: 16 * GB, count: 2 },
    });
    const simulation = new Simulation(engine);
    for (const input of inputsOf({ ...world, seed }, () => simulation.hasFailed)) simulation.apply(input);
    expect(simulation.report().firstFailure?.memoryFill).toBeGreaterThanOrEqual(0.97);
  }
});
