/** Diego BBS reference §5.1: what convergence repairs in LRPs, rule by rule, and what it leaves alone. */
import {
  convergeProcess,
  effectsOf,
  EVACUATION_TIMEOUT_MS,
  eventsOf,
  type ProcessSnapshot,
  STALE_UNPLACED_MS,
} from '#rivera/lifecycle';
import type { ActualLRP } from '#rivera/models';
import {
  BOTH_CELLS,
  CELL_2_ONLY,
  MINE,
  NOW,
  OTHER,
  at,
  claimed,
  crashed,
  desiredInstances,
  evacuating,
  only,
  outline,
  processWith,
  running,
  suspect,
  unclaimed,
  worldOf,
} from './lifecycle-fixtures.js';

const STALE = worldOf({ 'cell-1': 'PRESENT', 'cell-2': 'PRESENT' }, { fresh: [] });
const STALE_CELL_2_ONLY = worldOf({ 'cell-1': 'MISSING', 'cell-2': 'PRESENT' }, { fresh: [] });
const CELL_1_HELD = worldOf({ 'cell-1': 'HELD', 'cell-2': 'PRESENT' });
const CELL_1_FORGOTTEN = worldOf({ 'cell-2': 'PRESENT' });
const one = (...rows: ActualLRP[]) => processWith(rows, desiredInstances(1));
const orphaned = (...rows: ActualLRP[]) => processWith(rows);
const converge = (process: ProcessSnapshot, world = BOTH_CELLS, now = NOW) =>
  convergeProcess(process, world, at(now));
const typesOf = (transition: Parameters<typeof eventsOf>[0]) => eventsOf(transition).map(({ type }) => type);

describe('5.1 a healthy process', () => {
  it.each([
    ['UNCLAIMED', unclaimed()],
    ['placed', unclaimed({ placement: { ...MINE, deadline: NOW + 1 } })],
    ['CLAIMED', claimed()],
    ['RUNNING', running()],
    ['waiting for its back-off', crashed({ restartAt: NOW + 1 })],
    ['CRASHED for good', crashed()],
    ['being stopped', running({ stopping: true })],
  ])('that is %s is left alone', (_state, row) => {
    expect(converge(one(row))).toEqual([]);
  });

  it('that is gone and wanted by nobody is left alone', () => {
    expect(converge(orphaned())).toEqual([]);
  });
});

describe('5.1 stale unclaimed', () => {
  it('is not written: it stays in the index of what waits for a cell', () => {
    expect(converge(one(unclaimed()), BOTH_CELLS, NOW + 10 * STALE_UNPLACED_MS)).toEqual([]);
  });
});

describe('5.1 placements', () => {
  const placed = unclaimed({ placement: { ...MINE, deadline: NOW }, since: NOW - 1 });

  it.each([
    ['past its deadline', BOTH_CELLS, NOW],
    ['on a cell that is missing', CELL_2_ONLY, NOW - 1],
    ['on a cell that is unknown', worldOf(), NOW - 1],
  ])('%s is refused on the cell’s behalf', (_what, world, now) => {
    const after = only(converge(one(placed), world, now));
    expect(after).toMatchObject({ state: 'UNCLAIMED', refusedBy: ['cell-1'], since: now });
    expect(after).not.toHaveProperty('placement');
  });
});

describe('5.1 missing cells', () => {
  it.each([
    ['CLAIMED', claimed()],
    ['RUNNING', running()],
  ])('%s becomes SUSPECT and is replaced, fresh domain or not', (state, row) => {
    for (const world of [CELL_2_ONLY, STALE_CELL_2_ONLY]) {
      const transition = converge(one(row), world);
      expect(outline(transition)).toEqual(['+0/ORDINARY/UNCLAIMED', `+0/SUSPECT/${state}`]);
      expect(transition[0]?.after).toMatchObject({
        crashCount: 0,
        modificationTag: { epoch: 'new-1', index: 0 },
      });
      expect(transition[1]?.after).toEqual({
        ...row,
        presence: 'SUSPECT',
        modificationTag: { epoch: row.modificationTag.epoch, index: 1 },
      });
    }
  });

  it('12.3 is told as one changed, with a tag that grew, and one created', () => {
    const row = running();
    const transition = converge(one(row), CELL_2_ONLY);
    expect(eventsOf(transition)).toEqual([
      { type: 'actual_lrp_changed', before: row, after: transition[1]?.after },
      { type: 'actual_lrp_created', after: transition[0]?.after },
    ]);
  });

  it('with a suspect of that index already: the second one is started anew instead', () => {
    const second = claimed({ ...OTHER, cellId: 'cell-3', crashCount: 1 });
    const transition = converge(one(second, suspect()), CELL_2_ONLY);
    expect(only(transition)).toMatchObject({ state: 'UNCLAIMED', presence: 'ORDINARY', crashCount: 1 });
    expect(typesOf(transition)).toEqual(['actual_lrp_created', 'actual_lrp_removed']);
  });

  it('an instance that was being stopped there needs no successor but its slot', () => {
    const row = running({ stopping: true });
    expect(only(converge(one(row), CELL_2_ONLY))).toMatchObject({ state: 'UNCLAIMED', presence: 'ORDINARY' });
    expect(outline(converge(orphaned(row), STALE_CELL_2_ONLY))).toEqual(['-0/ORDINARY/RUNNING']);
  });
});

describe('5.1 cells that are not coming back', () => {
  it.each([
    ['CLAIMED', claimed({ crashCount: 2 })],
    ['RUNNING', running({ crashCount: 2 })],
  ])('%s on one is replaced at once, nothing is suspect', (_state, row) => {
    const after = only(converge(one(row), CELL_1_FORGOTTEN));
    expect(after).toMatchObject({ state: 'UNCLAIMED', presence: 'ORDINARY', crashCount: 2 });
  });

  it('12.3 suspects end with their cell, whether or not their replacement runs', () => {
    for (const rows of [[unclaimed()], [claimed(OTHER)], [crashed()], []]) {
      const transition = converge(one(...rows, suspect()), CELL_1_FORGOTTEN);
      expect(outline(transition)).toContain('-0/SUSPECT/RUNNING');
    }
  });
});

describe('5.1 too many missing cells (beyond Diego)', () => {
  it.each([
    ['CLAIMED', one(claimed())],
    ['RUNNING', one(running())],
    ['being stopped', one(running({ stopping: true }))],
    ['evacuating', one(unclaimed(), evacuating())],
    ['placed', one(unclaimed({ placement: { ...MINE, deadline: NOW + 1 } }))],
  ])('what is %s there is left alone', (_what, process) => {
    expect(converge(process, CELL_1_HELD)).toEqual([]);
  });

  it('a placement past its deadline is refused all the same', () => {
    const placed = unclaimed({ placement: { ...MINE, deadline: NOW } });
    expect(only(converge(one(placed), CELL_1_HELD))).toMatchObject({ refusedBy: ['cell-1'] });
  });

  it('an operator lets go: everything is replaced as from any missing cell', () => {
    expect(outline(converge(one(running()), CELL_2_ONLY))).toEqual([
      '+0/ORDINARY/UNCLAIMED',
      '+0/SUSPECT/RUNNING',
    ]);
  });

  it('a suspect is not back yet', () => {
    expect(converge(one(unclaimed(), suspect()), CELL_1_HELD)).toEqual([]);
  });
});

describe('5.1 missing index', () => {
  it('is made, fresh domain or not', () => {
    const process = processWith([running(), suspect({ index: 1 })], desiredInstances(3));
    for (const world of [BOTH_CELLS, STALE]) {
      expect(outline(converge(process, world))).toContain('+2/ORDINARY/UNCLAIMED');
    }
  });

  it('12.3 is noticed by index: the right count at the wrong indices is repaired', () => {
    const process = processWith([running(), unclaimed({ index: 5 })], desiredInstances(2));
    expect(outline(converge(process))).toEqual(['-5/ORDINARY/UNCLAIMED', '+1/ORDINARY/UNCLAIMED']);
    expect(outline(converge(process, STALE))).toEqual(['+1/ORDINARY/UNCLAIMED']);
  });
});

describe('5.1 extra index and orphaned ordinary', () => {
  it.each([
    ['UNCLAIMED', unclaimed(), '-0/ORDINARY/UNCLAIMED'],
    ['CRASHED', crashed({ restartAt: NOW }), '-0/ORDINARY/CRASHED'],
    ['CLAIMED', claimed(), '+0/ORDINARY/CLAIMED'],
    ['RUNNING', running(), '+0/ORDINARY/RUNNING'],
  ])('%s goes, or is asked to stop, only in a fresh domain', (_state, row, expected) => {
    for (const process of [orphaned(row), processWith([row], desiredInstances(0))]) {
      expect(outline(converge(process))).toEqual([expected]);
      expect(converge(process, STALE)).toEqual([]);
    }
  });

  it('on a cell that is missing goes at once, only in a fresh domain', () => {
    expect(outline(converge(orphaned(running()), CELL_2_ONLY))).toEqual(['-0/ORDINARY/RUNNING']);
    expect(converge(orphaned(running()), STALE_CELL_2_ONLY)).toEqual([]);
  });
});

describe('5.1 suspects', () => {
  it('keep serving while their replacement starts', () => {
    for (const ordinary of [unclaimed(), claimed(OTHER), crashed({ restartAt: NOW + 1 })]) {
      expect(converge(one(ordinary, suspect()), CELL_2_ONLY)).toEqual([]);
    }
  });

  it('orphaned: go, only in a fresh domain', () => {
    expect(outline(converge(orphaned(suspect()), CELL_2_ONLY))).toEqual(['-0/SUSPECT/RUNNING']);
    expect(converge(orphaned(suspect()), STALE_CELL_2_ONLY)).toEqual([]);
  });

  it('extra: go when their replacement runs', () => {
    for (const world of [BOTH_CELLS, CELL_2_ONLY, STALE_CELL_2_ONLY]) {
      expect(outline(converge(one(running(OTHER), suspect()), world))).toEqual(['-0/SUSPECT/RUNNING']);
    }
  });

  it.each([
    ['an UNCLAIMED replacement', unclaimed()],
    ['a CLAIMED replacement', claimed(OTHER)],
    ['a CRASHED replacement', crashed()],
    ['no replacement', undefined],
  ])('returned, with %s: are ordinary again', (_what, ordinary) => {
    const row = suspect();
    const transition = converge(one(...(ordinary === undefined ? [row] : [ordinary, row])));
    expect(outline(transition)).toContain('-0/SUSPECT/RUNNING');
    expect(transition.find(({ after }) => after !== undefined)?.after).toEqual({
      ...row,
      presence: 'ORDINARY',
      modificationTag: { epoch: row.modificationTag.epoch, index: 1 },
    });
    expect(typesOf(transition)).toEqual(
      ordinary === undefined ? ['actual_lrp_changed'] : ['actual_lrp_changed', 'actual_lrp_removed'],
    );
  });
});

describe('5.1 evacuating on absent cells', () => {
  it('go, whatever else happens to their index', () => {
    expect(converge(one(unclaimed(), evacuating()))).toEqual([]);
    expect(outline(converge(one(unclaimed(), evacuating()), CELL_2_ONLY))).toEqual(['-0/EVACUATING/RUNNING']);
    expect(
      outline(
        converge(one(running(OTHER), evacuating(), suspect({ ...OTHER, cellId: 'cell-3' })), CELL_2_ONLY),
      ),
    ).toEqual(['-0/EVACUATING/RUNNING', '-0/SUSPECT/RUNNING']);
  });
});

describe('5.1 evacuating on present cells', () => {
  it.each([
    ['its replacement runs', [running(OTHER), evacuating()], desiredInstances(1)],
    ['its deadline has passed', [unclaimed(), evacuating({ expiresAt: NOW })], desiredInstances(1)],
    ['nobody wants its index', [evacuating()], desiredInstances(0)],
  ])('go when %s, and their cell is told', (_why, rows, desired) => {
    const transition = converge(processWith(rows, desired));
    expect(outline(transition)).toEqual(['-0/EVACUATING/RUNNING']);
    expect(effectsOf(transition).stops.get('cell-1')).toEqual({ instanceGuids: ['mine'], taskGuids: [] });
  });

  it('nobody wants its index: stay while the domain is not fresh', () => {
    expect(converge(orphaned(evacuating()), STALE)).toEqual([]);
  });

  it('12.3 without a deadline get one', () => {
    const after = only(converge(one(unclaimed(), evacuating({ expiresAt: undefined }))));
    expect(after).toMatchObject({ presence: 'EVACUATING', expiresAt: NOW + EVACUATION_TIMEOUT_MS });
  });
});

describe('5.1 crashed restartable', () => {
  it('starts again when its back-off is over, with its crash history', () => {
    const row = crashed({ restartAt: NOW, crashCount: 4 });
    const transition = converge(one(row), STALE);
    expect(only(transition)).toMatchObject({ state: 'UNCLAIMED', crashCount: 4, since: NOW });
    expect(only(transition)).not.toHaveProperty('restartAt');
    expect(typesOf(transition)).toEqual(['actual_lrp_created', 'actual_lrp_removed']);
  });
});

describe('5.1 internal-route and metric-tag drift', () => {
  const desired = desiredInstances(1, {
    metricTags: { app: { static: 'a' } },
    routes: { 'internal-router': [{ hostname: 'a.internal' }] },
  });
  const labels = { metricTags: { app: 'a' }, internalRoutes: [{ hostname: 'a.internal' }] };

  it.each([
    ['tags', { ...labels, metricTags: { app: 'b' } }],
    ['routes', { ...labels, internalRoutes: undefined }],
  ])('of %s is mended, fresh domain or not; the instance keeps running since when it did', (_what, wrong) => {
    const row = running(wrong);
    const after = only(converge(processWith([row], desired), STALE));
    expect(after).toMatchObject({ ...labels, state: 'RUNNING', since: row.since });
    expect(converge(processWith([after], desired))).toEqual([]);
  });
});

it('5.1 repairs go by index', () => {
  const rows = [
    crashed({ index: 10, restartAt: NOW }),
    crashed({ index: 2, restartAt: NOW }),
    crashed({ restartAt: NOW }),
  ];
  const transition = converge(processWith(rows, desiredInstances(11)), STALE);
  expect(transition.map(({ after }) => (after as ActualLRP).index)).toEqual([
    0, 2, 10, 1, 3, 4, 5, 6, 7, 8, 9,
  ]);
});
