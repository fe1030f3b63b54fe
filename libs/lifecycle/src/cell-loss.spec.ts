import type { Cell } from '#rivera/models';
import { BUILT_AT, aCell } from '#test/builders.js';
import { type CellLossLimits, isLossHeld, releaseReplacement } from './cell-loss.js';

const NOW = BUILT_AT + 3_600_000;
const LIMITS: CellLossLimits = { windowMs: 60_000, percent: 50, minCells: 2 };

const cells = (count: number, fields: Partial<Cell> = {}, first = 1): Cell[] =>
  Array.from({ length: count }, (_, i) => aCell({ cellId: `cell-${first + i}`, ...fields }));
const ids = (count: number) => new Set(Array.from({ length: count }, (_, i) => `cell-${i + 1}`));
const lost = (agoMs: number, fields: Partial<Cell> = {}): Partial<Cell> => ({
  state: 'MISSING',
  since: NOW - agoMs,
  ...fields,
});

describe('isLossHeld', () => {
  it.each([
    [1, 1, false],
    [2, 2, false],
    [3, 2, false],
    [3, 3, true],
    [10, 5, false],
    [10, 6, true],
    [11, 5, false],
    [11, 6, true],
  ])('of %i cells %i go at once: held %s', (known, losing, expected) => {
    expect(isLossHeld(cells(known), ids(losing), LIMITS, NOW)).toBe(expected);
  });

  it.each([
    ['those lost within the window count', lost(59_999), true],
    ['those lost before do not, nor are they cells that could be there', lost(60_000), false],
    ['those that are held count, however long ago', lost(3_000_000, { replacementHeld: true }), true],
    ['those that came back do not', { since: NOW }, false],
  ])('%s', (_what, fields, expected) => {
    // Cells 1 to 5 go now, and five of ten or eleven may.
    const known = [...cells(10), ...cells(1, fields, 11)];
    expect(isLossHeld(known, ids(5), LIMITS, NOW)).toBe(expected);
  });

  it('100 per cent is no limit', () => {
    expect(isLossHeld(cells(10), ids(10), { ...LIMITS, percent: 100 }, NOW)).toBe(false);
  });
});

describe('releaseReplacement', () => {
  it('lets go of the work of a held cell, once', () => {
    const [before] = cells(1, lost(5, { replacementHeld: true })) as [Cell];
    const [change] = releaseReplacement(before);
    expect(change?.after).not.toHaveProperty('replacementHeld');
    expect(change?.after).toMatchObject({ state: 'MISSING', since: before.since });
    expect(releaseReplacement(change?.after as Cell)).toEqual([]);
  });
});
