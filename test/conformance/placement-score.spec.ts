/** Section 7.2 of the conformance items: what makes one cell better than another. */
import type { Auction, AuctionOptions, HeldWork } from '#rivera/auction';
import type { CellFixture } from './placement-fixtures.js';
import { cell, decide, ENGINES, errors, held, lrp, size, task } from './placement-fixtures.js';

const capacity = { memoryMb: 100, diskMb: 200, containers: 50 };
const busyApps = ['pg-1', 'pg-1', 'pg-2', 'pg-3', 'pg-4'];
const busyHolds = busyApps.map((app) => held(app, 10, 20));

const idle = (more: Partial<CellFixture> = {}) => cell('cell', 'zone', { capacity, ...more });
/** Five LRPs; ten containers start, of which five are not counted for anything else than a slot. */
const busy = (more: Partial<CellFixture> = {}) =>
  idle({
    holds: [...busyHolds, ...busyApps.map((app) => held(`${app}-starting`, 0))].map((work) => ({
      ...work,
      starting: true,
    })),
    ...more,
  });

describe.each(ENGINES)('%s', (_engine, engineWith) => {
  /** The score of the one cell for this work; fails when it cannot take it. */
  function scoreOf(fixture: CellFixture, work: Auction, options: Partial<AuctionOptions> = {}): number {
    const [verdict] = engineWith([fixture], options).explain(work);
    if (verdict?.score === undefined) throw new Error(`No score: ${JSON.stringify(verdict)}`);
    return verdict.score / 1e9;
  }

  const running = (fixture: CellFixture): CellFixture => ({
    ...fixture,
    holds: fixture.holds?.map((work) => ({ ...work, starting: false })),
  });
  const quarter = { startingContainerWeight: 0.25 };

  describe.each([
    ['LRP', (more?: object): Auction => lrp('pg-new', 0, more)],
    ['task', (more?: object): Auction => task('tg-new', more)],
  ])('7.2.36–48 and, by 7.2.49, for a task as well: %s', (_kind, work) => {
    it('7.2.36 less memory scores lower, and so does an empty cell', () => {
      expect(scoreOf(idle(), work(size(10)))).toBeLessThan(scoreOf(idle(), work(size(20, 10))));
      expect(scoreOf(idle(), work())).toBeLessThan(scoreOf(busy(), work()));
    });

    it('7.2.37 less disk scores lower', () => {
      expect(scoreOf(idle(), work(size(10)))).toBeLessThan(scoreOf(idle(), work(size(10, 20))));
    });

    it('7.2.38 more container slots score lower', () => {
      const fewer = idle({ capacity: { ...capacity, containers: 20 } });
      expect(scoreOf(idle(), work())).toBeLessThan(scoreOf(fewer, work()));
    });

    it('7.2.44 starting containers raise the score, by their weight', () => {
      expect(scoreOf(busy(), work(), quarter) - scoreOf(running(busy()), work(), quarter)).toBeCloseTo(
        2.5,
        8,
      );
      expect(scoreOf(busy(), work(), quarter)).toBeGreaterThan(
        scoreOf(busy(), work(), { startingContainerWeight: 0.15 }),
      );
    });

    it('7.2.46 starting containers with weight 0 make no difference', () => {
      expect(scoreOf(busy(), work())).toBe(scoreOf(running(busy()), work()));
    });

    it.each([
      ['memory', idle(), { memoryMb: 10_000 }],
      ['disk', idle(), { diskMb: 10_000 }],
      ['containers', idle({ capacity: { ...capacity, containers: 0 } }), {}],
    ])('7.2.48 not enough %s', (resource, fixture, more) => {
      const engine = engineWith([fixture]);
      const [verdict] = engine.explain(work(more));
      expect(verdict?.short).toEqual([resource]);
      expect(verdict?.score).toBeUndefined();
      expect(Object.values(errors(decide(engine, work(more))))).toEqual([
        `insufficient resources: ${resource}`,
      ]);
    });
  });

  /** A cell with this much memory whose proxies take 4 MB each. */
  const withProxy = (memoryMb: number) => idle({ capacity: { ...capacity, memoryMb }, proxyMemoryMb: 4 });

  /** The scores of the cells of one zone, in order of index. */
  const packed = (binPackFirstFitWeight: number, work: Auction, ...holds: HeldWork[]) => {
    const cells = [idle({ cellId: 'c0', index: 0, holds }), idle({ cellId: 'c1', index: 1 })];
    return engineWith(cells, { binPackFirstFitWeight })
      .explain(work)
      .map(({ score = NaN }) => score);
  };

  describe('7.2 only for LRPs', () => {
    it('7.2.39 the proxy needs room', () => {
      expect(scoreOf(withProxy(260), lrp('pg', 0, { memoryMb: 256 }))).toBeGreaterThan(0);
      expect(errors(decide(engineWith([withProxy(259)]), lrp('pg', 0, { memoryMb: 256 })))).toEqual({
        'pg[0]': 'insufficient resources: memory',
      });
      expect(scoreOf(withProxy(256), task('tg', { memoryMb: 256 }))).toBeGreaterThan(0);
    });

    it('7.2.40 bin-packing prefers the lower index', () => {
      const [first, second] = packed(0.2, lrp('pg', 0));
      expect(first).toBeLessThan(second!);
    });

    it('7.2.41 an instance of the same app weighs more than the index', () => {
      const [first, second] = packed(0.2, lrp('pg', 1), held('pg'));
      expect(second).toBeLessThan(first!);
    });

    it('7.2.42 without bin-packing the index makes no difference', () => {
      const [first, second] = packed(0, lrp('pg', 0));
      expect(first).toBe(second);
    });

    it('7.2.43 the first cells of different zones are equal', () => {
      const cells = [
        idle({ cellId: 'c3', zone: 'z1', index: 3 }),
        idle({ cellId: 'c7', zone: 'z2', index: 7 }),
      ];
      const [first, second] = engineWith(cells, { binPackFirstFitWeight: 1 }).explain(lrp('pg', 0));
      expect(first?.score).toBe(second?.score);
    });

    it('7.2.45 an instance of the same app weighs more than starting containers', () => {
      const withApp = idle({ holds: [held('pg-new')] });
      expect(scoreOf(busy(), lrp('pg-new', 1), quarter)).toBeLessThan(
        scoreOf(withApp, lrp('pg-new', 1), quarter),
      );
    });

    it('7.2.47 each instance of the same app raises the score', () => {
      const apps = [
        ['a', 'b'],
        ['pg', 'a'],
        ['pg', 'pg'],
      ];
      const [none, one, two] = apps.map((on) =>
        scoreOf(idle({ holds: on.map((app) => held(app)) }), lrp('pg', 2)),
      );
      expect(none).toBeLessThan(one!);
      expect(one).toBeLessThan(two!);
    });

    it('7.2.50 a reservation raises the next score, for the same app by far', () => {
      const engine = engineWith([idle()]);
      const scores = () => ['pg', 'other'].map((app) => engine.explain(lrp(app, 1))[0]?.score ?? NaN);
      const [same, other] = scores();
      expect(same).toBe(other);
      decide(engine, lrp('pg', 0));
      const [sameAfter, otherAfter] = scores();
      expect(otherAfter).toBeGreaterThan(other!);
      expect(sameAfter! - otherAfter!).toBeGreaterThanOrEqual(1000e9);
    });
  });

  describe('7.2 only for tasks', () => {
    it('7.2.49 neither the proxy, nor the index, nor LRPs of any name count', () => {
      expect(scoreOf(idle({ proxyMemoryMb: 4 }), task('tg'))).toBe(scoreOf(idle(), task('tg')));
      const cells = [idle({ cellId: 'c0', index: 0 }), idle({ cellId: 'c1', index: 1 })];
      const [first, second] = engineWith(cells, { binPackFirstFitWeight: 1 }).explain(task('tg'));
      expect(first?.score).toBe(second?.score);
      const sameName = idle({ holds: [held('tg')] });
      expect(scoreOf(sameName, task('tg'))).toBe(scoreOf(idle({ holds: [held('other')] }), task('tg')));
    });

    it('7.2.51 a reservation raises the next task score by more than 1000', () => {
      const engine = engineWith([idle()]);
      const score = () => engine.explain(task('next'))[0]?.score ?? NaN;
      const before = score();
      decide(engine, task('tg'));
      expect(score() - before).toBeGreaterThan(1000e9);
    });
  });

  it('7.2.52 what does not fit changes nothing', () => {
    const engine = engineWith([idle()]);
    expect(errors(decide(engine, lrp('pg', 0, { memoryMb: 10_000 })))).toEqual({
      'pg[0]': 'insufficient resources: memory',
    });
    expect(engine.available('cell')).toEqual(capacity);
    expect(engine.explain(lrp('pg', 0))).toEqual(engineWith([idle()]).explain(lrp('pg', 0)));
  });
});
