import type { Cell, CellRegistration } from '#rivera/models';
import { BUILT_AT, aCell } from '#test/builders.js';
import { loseCell, registerCell, removeCell, requireEpoch } from './cell.js';

const context = { now: BUILT_AT + 1_000, newGuid: () => 'new' };
const registration: Readonly<CellRegistration> = {
  zone: 'z1',
  address: '10.0.0.1',
  backend: 'fake',
  capacity: { memoryMb: 1, diskMb: 2, containers: 3 },
  rootfsProviders: [{ scheme: 'docker' }],
};
const known = (fields: Partial<Cell> = {}): Cell => ({
  ...aCell({ cellId: 'cell-1', epoch: 4, ...fields }),
  ...registration,
});
const register = (cell: Cell | undefined, epoch?: number, sent = registration) =>
  registerCell(cell, 'cell-1', sent, { epoch }, context);

describe('registerCell', () => {
  it('makes a cell nobody knows PRESENT at epoch 1', () => {
    expect(register(undefined)).toEqual([
      {
        kind: 'cell',
        after: {
          ...registration,
          cellId: 'cell-1',
          state: 'PRESENT',
          epoch: 1,
          since: context.now,
          modificationTag: { epoch: 'new', index: 0 },
        },
      },
    ]);
  });

  it('gives an agent that has just started the next epoch', () => {
    const before = known();
    expect(register(before)).toEqual([
      {
        kind: 'cell',
        before,
        after: { ...before, epoch: 5, modificationTag: { epoch: before.modificationTag.epoch, index: 1 } },
      },
    ]);
  });

  it('gives a higher epoch than ever before, also if the cell was removed meanwhile', () => {
    for (const [cell, lastEpoch] of [
      [undefined, 7],
      [known(), 7],
      [known({ epoch: 7 }), 2],
    ] as const) {
      const [change] = registerCell(cell, 'cell-1', registration, { lastEpoch }, context);
      expect(change?.after).toMatchObject({ epoch: 8 });
    }
  });

  it('with its epoch and nothing new changes nothing, in whatever order the fields come', () => {
    const { zone, ...rest } = registration;
    expect(register(known(), 4, { ...rest, zone })).toEqual([]);
    expect(register(known(), 4, { ...registration, placementTags: undefined })).toEqual([]);
  });

  it('with its epoch and something new is a change that does not restart it', () => {
    const [change] = register(known(), 4, { ...registration, evacuating: true });
    expect(change?.after).toMatchObject({ evacuating: true, epoch: 4, since: BUILT_AT });
  });

  it('brings a MISSING cell back', () => {
    const [change] = register(known({ state: 'MISSING' }), 4);
    expect(change?.after).toMatchObject({ state: 'PRESENT', epoch: 4, since: context.now });
  });

  it.each([
    ['an older epoch', known(), 3],
    ['an epoch nobody gave', known(), 5],
    ['the epoch of a cell that was removed', undefined, 4],
  ])('refuses %s', (_what, cell, epoch) => {
    expect(() => register(cell, epoch)).toThrow(expect.objectContaining({ code: 'stale-epoch' }));
    expect(() => requireEpoch(cell, 'cell-1', epoch)).toThrow(/Register again without an epoch/);
  });
});

describe('loseCell', () => {
  it('is for cells that are PRESENT', () => {
    const before = known();
    expect(loseCell(before, false, context)[0]?.after).toEqual({
      ...before,
      state: 'MISSING',
      since: context.now,
      modificationTag: { epoch: before.modificationTag.epoch, index: 1 },
    });
    expect(loseCell(before, true, context)[0]?.after).toMatchObject({
      state: 'MISSING',
      replacementHeld: true,
    });
    expect(loseCell(known({ state: 'MISSING' }), false, context)).toEqual([]);
    expect(loseCell(undefined, false, context)).toEqual([]);
  });
});

describe('removeCell', () => {
  it('forgets a cell once', () => {
    const before = known();
    expect(removeCell(before)).toEqual([{ kind: 'cell', before }]);
    expect(removeCell(undefined)).toEqual([]);
  });
});
