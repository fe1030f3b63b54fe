/**
 * Diego's placement behaviour, as far as the pure engine decides it. Numbered as in the list of conformance items that
 * all of `test/conformance` follows. Items of the same sections that are not about the decision are tested elsewhere:
 *
 * - 7.1.17, 7.1.24, and of 7.1.34 that a refusal leads to another auction: what a cell's refusal does to a record
 *   (auctioneer, lifecycle). Also the wait times, attempts and numbers of calls that 7.1.6, 15, 18 and 23 mention.
 * - 7.1.19: what is logged (auctioneer).
 * - 7.2.53–56: sending placements to cells (auctioneer).
 * - 7.3.57, 59–61: there is no polling of cell states; presence is a record of the store (store, auctioneer).
 * - 7.3.63–66, 69, 70: batches are read from the index of unplaced work (auctioneer).
 * - 7.4.78: paths of preloaded root filesystems (cell).
 */
import type { LRPAuction, TaskAuction } from '#rivera/auction';
import type { RootfsProvider } from '#rivera/models';
import {
  cell,
  decide,
  ENGINES,
  errors,
  F1,
  F1Starting,
  F1Tasks,
  F2,
  F3,
  lrp,
  size,
  task,
  winners,
} from './placement-fixtures.js';

const NO_CELLS = 'unable to communicate to compatible cells';
const START_LIMIT = 'waiting to start instance: reached in-flight start limit';
const NO_ROOTFS = 'found no compatible cell for required rootfs';
const NO_DRIVERS = 'found no compatible cell with required volume drivers';

const windowsOnly = cell('C-cell', 'C-zone', {
  rootfsProviders: [{ scheme: 'preloaded', stacks: ['windows'] }],
});

describe.each(ENGINES)('%s', (_engine, engineWith) => {
  describe('7.1 the scheduler', () => {
    it('7.1.1 without cells everything fails', () => {
      const result = decide(engineWith([]), lrp('pg-1', 0), task('tg-1'));
      expect(result.placements).toEqual([]);
      expect(errors(result)).toEqual({ 'pg-1[0]': NO_CELLS, 'tg-1': NO_CELLS });
    });

    it('7.1.2 the start limit stops what comes last in the order of work', () => {
      const engine = engineWith(F1Starting(), { startingContainerCountMaximum: 5 });
      const result = decide(engine, lrp('pg-7', 1), lrp('pg-7', 0), task('tg-1'), task('tg-2'));
      expect(Object.keys(winners(result))).toEqual(['pg-7[0]', 'tg-1', 'tg-2']);
      expect(errors(result)).toEqual({ 'pg-7[1]': START_LIMIT });
    });

    const five = [10, 40, 10, 40, 10].map((memoryMb, at) => lrp(`pg-${at + 10}`, at, { memoryMb }));

    it('7.1.3 the start limit counts starting containers of all cells', () => {
      const none = engineWith(F1(), { startingContainerCountMaximum: 3 });
      const result = decide(none, ...five);
      expect(result.placements).toHaveLength(3);
      expect(Object.values(errors(result))).toEqual([START_LIMIT, START_LIMIT]);
      const two = engineWith(F1Starting(), { startingContainerCountMaximum: 3 });
      expect(decide(two, ...five).placements).toHaveLength(1);
    });

    it('7.1.4 a negative start limit is none', () => {
      const engine = engineWith(F1Starting(), { startingContainerCountMaximum: -3 });
      expect(decide(engine, ...five).placements).toHaveLength(5);
    });

    it('7.1.5 the start limit holds for tasks', () => {
      const engine = engineWith(F1Tasks(), { startingContainerCountMaximum: 2 });
      const result = decide(engine, task('a'), task('b'), task('c'), task('d'));
      expect(result.placements).toHaveLength(2);
      expect(errors(result)).toEqual({ c: START_LIMIT, d: START_LIMIT });
    });

    it('7.1.6 an LRP goes to the only cell with its rootfs', () => {
      const result = decide(
        engineWith([...F1(), windowsOnly]),
        lrp('pg-win-2', 1, { rootfs: 'preloaded:windows' }),
      );
      expect(winners(result)).toEqual({ 'pg-win-2[1]': 'C-cell' });
      expect(result.failures).toEqual([]);
    });

    it('7.1.7 a task goes to the only cell with its rootfs', () => {
      const result = decide(engineWith([...F1(), windowsOnly]), task('tg', { rootfs: 'preloaded:windows' }));
      expect(winners(result)).toEqual({ tg: 'C-cell' });
    });

    it('7.1.8 drivers split over two cells do not help', () => {
      const result = decide(engineWith(F3()), lrp('pg', 0, { volumeDrivers: ['driver-1', 'driver-3'] }));
      expect(errors(result)).toEqual({ 'pg[0]': NO_DRIVERS });
    });

    it('7.1.9 an LRP goes to the cell with its driver', () => {
      const result = decide(engineWith(F3()), lrp('pg', 0, { volumeDrivers: ['driver-3'] }));
      expect(winners(result)).toEqual({ 'pg[0]': 'B-cell' });
    });

    it('7.1.10 a task goes to the cell with its drivers, or fails', () => {
      const result = decide(
        engineWith(F3()),
        task('unknown', { volumeDrivers: ['driver-9'] }),
        task('both', { volumeDrivers: ['driver-1', 'driver-2'] }),
      );
      expect(errors(result)).toEqual({ unknown: NO_DRIVERS });
      expect(winners(result)).toEqual({ both: 'A-cell' });
    });

    it('7.1.11 a cell must not require more tags than are asked, nor lack any', () => {
      const result = decide(engineWith(F2()), lrp('pg', 0, { placementTags: ['moo', 'quack'] }));
      expect(winners(result)).toEqual({ 'pg[0]': 'cell-z1-1' });
    });

    it('7.1.12 tags nobody offers together are named', () => {
      const result = decide(engineWith(F2()), lrp('pg', 0, { placementTags: ['oink', 'kakaaaaa'] }));
      expect(errors(result)).toEqual({
        'pg[0]': 'found no compatible cell with placement tags "oink" and "kakaaaaa"',
      });
    });

    it('7.1.13 an optional tag may be asked for', () => {
      const result = decide(engineWith(F2()), lrp('pg', 0, { placementTags: ['quack', 'chirp'] }));
      expect(winners(result)).toEqual({ 'pg[0]': 'cell-z2-1' });
    });

    it('7.1.14 a task is bound by tags in the same way', () => {
      const result = decide(
        engineWith(F2({ optional: false })),
        task('fits', { placementTags: ['quack'] }),
        task('fails', { placementTags: ['oink'] }),
      );
      expect(winners(result)).toEqual({ fits: 'cell-z2-1' });
      expect(errors(result)).toEqual({ fails: 'found no compatible cell with placement tag "oink"' });
    });

    it('7.1.15 zone balance goes before fill', () => {
      expect(winners(decide(engineWith(F1()), lrp('pg-3', 1)))).toEqual({ 'pg-3[1]': 'A-cell' });
    });

    it('7.1.16 fill decides between zones with equally many instances', () => {
      expect(winners(decide(engineWith(F1()), lrp('pg-4', 1)))).toEqual({ 'pg-4[1]': 'B-cell' });
    });

    const roomyForMemory = cell('C-cell', 'C-zone', {
      capacity: { memoryMb: 1200, diskMb: 5, containers: 100 },
    });

    describe.each([
      ['LRP', (more: Partial<LRPAuction & TaskAuction>) => lrp('pg-4', 1, more)],
      ['task', (more: Partial<LRPAuction & TaskAuction>) => task('pg-4[1]', more)],
    ])('shortages, for a %s', (_kind, work) => {
      it('7.1.18, 7.1.22 names the resource short on every cell', () => {
        const { placements, failures } = decide(engineWith(F1()), work(size(1000, 50)));
        expect(placements).toEqual([]);
        expect(failures).toMatchObject([
          {
            error: 'insufficient resources: memory',
            why: { reason: 'resources', cells: 2, full: 2, short: { containers: 0, disk: 0, memory: 2 } },
          },
        ]);
      });

      it('7.1.20, 7.1.22 names several resources alphabetically', () => {
        expect(errors(decide(engineWith(F1()), work(size(1000))))).toEqual({
          'pg-4[1]': 'insufficient resources: disk, memory',
        });
      });

      it('7.1.21, 7.1.22 names none when no resource is short on every cell', () => {
        const { failures } = decide(engineWith([...F1(), roomyForMemory]), work(size(1000, 50)));
        expect(failures).toMatchObject([
          { error: 'insufficient resources', why: { full: 3, short: { disk: 1, memory: 2 } } },
        ]);
      });
    });

    it('7.1.23 a task goes where less is used', () => {
      const cells = F1Tasks().map((fixture) => ({
        ...fixture,
        holds: fixture.holds?.map((work, at) => ({ ...work, processGuid: `pg-${at}` })),
      }));
      expect(winners(decide(engineWith(cells), task('tg')))).toEqual({ tg: 'B-cell' });
      expect(winners(decide(engineWith(F1Tasks()), task('tg')))).toEqual({ tg: 'B-cell' });
    });

    it('7.1.25 an unknown rootfs scheme matches no cell', () => {
      const { failures } = decide(engineWith(F1()), task('tg', { rootfs: 'unsupported:linux' }));
      expect(failures).toMatchObject([
        { error: NO_ROOTFS, why: { reason: 'rootfs', cells: 2, mismatched: { rootfs: 2 } } },
      ]);
    });

    it('7.1.26 a mixed batch', () => {
      const engine = engineWith([
        cell('A-cell', 'A-zone', {
          holds: [
            { processGuid: 'pg-1', ...size(10) },
            { processGuid: 'pg-2', ...size(10) },
          ],
        }),
        cell('B-cell', 'B-zone', {
          holds: [
            { processGuid: 'pg-3', ...size(10) },
            { processGuid: 'pg-4', ...size(20) },
          ],
        }),
      ]);
      const net = { rootfs: 'preloaded:.net' };
      const result = decide(
        engine,
        lrp('pg-3', 1, size(40)),
        lrp('pg-2', 1, size(5)),
        lrp('pg-nope', 1, net),
        task('tg-1', size(40)),
        task('tg-2', size(5)),
        task('tg-nope', net),
      );
      expect(winners(result)).toEqual({
        'pg-3[1]': 'A-cell',
        'tg-1': 'A-cell',
        'pg-2[1]': 'B-cell',
        'tg-2': 'B-cell',
      });
      expect(errors(result)).toEqual({ 'pg-nope[1]': NO_ROOTFS, 'tg-nope': NO_ROOTFS });
    });

    it.each([
      ['7.1.27', 130, ['pg-7[0]', 'tg-2', 'tg-1', 'pg-8[1]', 'pg-7[1]', 'pg-8[2]']],
      ['7.1.28', 10, ['pg-7[0]']],
      ['7.1.29', 45, ['pg-7[0]', 'tg-2', 'tg-1']],
      ['7.1.30', 95, ['pg-7[0]', 'tg-2', 'tg-1', 'pg-8[1]', 'pg-7[1]']],
      ['7.1.31', 80, ['pg-7[0]', 'tg-2', 'tg-1', 'pg-8[1]']],
    ])('%s the order of work on a cell of %i MB', (_item, memoryMb, placed) => {
      const capacity = { memoryMb, diskMb: 1000, containers: 1000 };
      const work = [
        lrp('pg-7', 0),
        lrp('pg-7', 1),
        lrp('pg-8', 1, { memoryMb: 40 }),
        lrp('pg-8', 2, { memoryMb: 40 }),
        task('tg-1'),
        task('tg-2', { memoryMb: 20 }),
      ];
      for (const submitted of [work, work.toReversed()]) {
        const result = decide(engineWith([cell('cell', 'zone', { capacity })]), ...submitted);
        expect(Object.keys(winners(result))).toEqual(placed);
      }
    });

    it('7.1.32 the largest task goes first', () => {
      const capacity = { memoryMb: 31, diskMb: 1000, containers: 1000 };
      const tasks = [10, 20, 30].map((memoryMb) => task(`tg-${memoryMb}`, { memoryMb }));
      const result = decide(engineWith([cell('cell', 'zone', { capacity })]), ...tasks);
      expect(winners(result)).toEqual({ 'tg-30': 'cell' });
    });

    it('7.1.33 strict mode runs a batch of first instances after its tasks', () => {
      const order = [false, true].map((strict) =>
        Object.keys(winners(decide(engineWith(F1(), { strict }), lrp('pg-4', 0), task('tg')))),
      );
      expect(order).toEqual([
        ['pg-4[0]', 'tg'],
        ['tg', 'pg-4[0]'],
      ]);
    });

    it('7.1.34 a refused item goes to the next best cell; strict mode does not remember', () => {
      const again = lrp('pg-4', 1, { refusedBy: ['B-cell'] });
      expect(winners(decide(engineWith(F1()), again))).toEqual({ 'pg-4[1]': 'A-cell' });
      expect(winners(decide(engineWith(F1(), { strict: true }), again))).toEqual({ 'pg-4[1]': 'B-cell' });
    });

    it('7.1.35 the furthest mismatch of any zone is told, whatever the order of zones', () => {
      const cells = [
        cell('tags', 'z1', { volumeDrivers: ['d'], placementTags: ['t'] }),
        cell('drivers', 'z2'),
        { ...windowsOnly, zone: 'z3' },
      ];
      for (const order of [cells, cells.toReversed(), [cells[1]!, cells[0]!, cells[2]!]]) {
        const { failures } = decide(engineWith(order), lrp('pg', 0, { volumeDrivers: ['d'] }));
        expect(failures).toMatchObject([
          {
            error: 'found no compatible cell with no placement tags',
            why: { mismatched: { rootfs: 1, 'volume-drivers': 1, 'placement-tags': 1 }, full: 0 },
          },
        ]);
      }
    });
  });

  describe('7.3 zones and order', () => {
    it('7.3.58 an evacuating cell is left out and its instances are not counted', () => {
      const cells = F1();
      const evacuating = [
        ...cells,
        cell('A-leaving', 'A-zone', { evacuating: true, holds: [{ processGuid: 'pg-9', ...size(1) }] }),
      ];
      expect(winners(decide(engineWith(evacuating), lrp('pg-9', 0), lrp('pg-9', 1)))).toEqual({
        'pg-9[0]': 'B-cell',
        'pg-9[1]': 'A-cell',
      });
      const all = cells.map((fixture) => ({ ...fixture, evacuating: true }));
      expect(errors(decide(engineWith(all), task('tg')))).toEqual({ tg: NO_CELLS });
    });

    it('7.3.62 bin-packing renumbers cells within their zone and fills the first', () => {
      const cells = [
        cell('first', 'z1', { index: 0 }),
        cell('second', 'z1', { index: 2 }),
        cell('alone', 'z2', { index: 5 }),
      ];
      const score = (binPackFirstFitWeight: number) =>
        Object.fromEntries(
          engineWith(cells, { binPackFirstFitWeight })
            .explain(lrp('pg', 0))
            .map(({ cellId, score: points = NaN }) => [cellId, points]),
        );
      const packed = score(1);
      expect(packed['alone']).toBe(packed['first']);
      expect(packed['second']).toBe(packed['first']! + 1e9);
      expect(new Set(Object.values(score(0))).size).toBe(1);
    });

    it('7.3.67 LRPs by index, then memory; tasks by memory', () => {
      const result = decide(
        engineWith(F1()),
        lrp('late-but-big', 2, size(30)),
        lrp('small', 1, size(5)),
        lrp('big', 1, size(20)),
        task('small-task', size(1)),
        task('big-task', size(2)),
      );
      expect(Object.keys(winners(result))).toEqual([
        'big-task',
        'small-task',
        'big[1]',
        'small[1]',
        'late-but-big[2]',
      ]);
    });

    it.each([
      [[], 'no placement tags'],
      [['a'], 'placement tag "a"'],
      [['a', 'b'], 'placement tags "a" and "b"'],
      [['a', 'b', 'c'], 'placement tags "a", "b" and "c"'],
    ])('7.3.68 the error for tags %j', (placementTags, text) => {
      const engine = engineWith([cell('isolated', 'z1', { placementTags: ['x'] })]);
      expect(errors(decide(engine, lrp('pg', 0, { placementTags })))).toEqual({
        'pg[0]': `found no compatible cell with ${text}`,
      });
    });
  });

  describe('7.4 matching', () => {
    it.each([
      ['7.4.71', [], [], [[]], [['foo']]],
      ['7.4.72', ['foo', 'bar'], [], [['foo', 'bar']], [[], ['foo']]],
      ['7.4.73', [], ['foo'], [[], ['foo']], [['bar']]],
      ['7.4.74', ['foo'], ['bar'], [['foo'], ['foo', 'bar']], [[], ['bar'], ['foo', 'bar', 'baz']]],
    ])('%s required %j, optional %j', (_item, placementTags, optionalPlacementTags, fitting, failing) => {
      const engine = engineWith([cell('cell', 'zone', { placementTags, optionalPlacementTags })]);
      const isPlaced = (tags: string[]) =>
        engine.plan({ lrps: [lrp('pg', 0, { placementTags: tags })], tasks: [] }).placements.length === 1;
      for (const tags of fitting) expect(isPlaced(tags), JSON.stringify(tags)).toBe(true);
      for (const tags of failing) expect(isPlaced(tags), JSON.stringify(tags)).toBe(false);
    });

    it.each([
      ['containers, disk, memory', { memoryMb: 5, diskMb: 5, containers: 0 }],
      ['containers, disk', { memoryMb: 50, diskMb: 5, containers: 0 }],
      ['containers, memory', { memoryMb: 5, diskMb: 50, containers: 0 }],
      ['disk, memory', { memoryMb: 5, diskMb: 5, containers: 1 }],
      ['containers', { memoryMb: 50, diskMb: 50, containers: 0 }],
      ['disk', { memoryMb: 50, diskMb: 5, containers: 1 }],
      ['memory', { memoryMb: 5, diskMb: 50, containers: 1 }],
    ])('7.4.75 short of %s', (text, capacity) => {
      const engine = engineWith([cell('cell', 'zone', { capacity })]);
      expect(errors(decide(engine, lrp('pg', 0)))).toEqual({ 'pg[0]': `insufficient resources: ${text}` });
    });

    const providers = [{ scheme: 'docker' }, { scheme: 'preloaded', stacks: ['baz', 'quux'] }];

    it.each([
      ['docker:///any/image#tag', true],
      ['docker://registry/any', true],
      ['preloaded:baz', true],
      ['preloaded:quux', true],
      ['preloaded:other', false],
      ['preloaded://baz', false],
      ['preloaded:/baz', false],
      ['preloaded:quux/not-baz', false],
      ['bogus:baz', false],
      ['baz', false],
    ])('7.4.76, 7.4.77 providers, also after a JSON round trip, and %s: %s', (rootfs, matches) => {
      const rootfsProviders: RootfsProvider[] = JSON.parse(JSON.stringify(providers));
      for (const offer of [providers, rootfsProviders]) {
        const engine = engineWith([cell('cell', 'zone', { rootfsProviders: offer })]);
        expect(decide(engine, lrp('pg', 0, { rootfs })).placements).toHaveLength(matches ? 1 : 0);
      }
    });
  });
});
