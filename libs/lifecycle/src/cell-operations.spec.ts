import type { Cell, CellRegistration } from '#rivera/models';
import { BUILT_AT, aCell, aRunningActualLRP, anActualLRP, aTask } from '#test/builders.js';
import { loseCell, registerCell } from './cell.js';
import {
  cancelDrain,
  censusOf,
  cordonCell,
  drainCell,
  isClosedToWork,
  uncordonCell,
} from './cell-operations.js';
import type { Transition } from './change.js';

const at = (now = BUILT_AT) => ({ now, newGuid: () => 'new' });
const open = aCell({ cellId: 'cell-1' });
const applied = (cell: Cell, ...rules: ((cell: Cell) => Transition)[]) =>
  rules.reduce((now, rule) => (rule(now)[0]?.after as Cell | undefined) ?? now, cell);
const drained = applied(open, (cell) => drainCell(cell, at(), 5_000));

describe('operations on cells', () => {
  it.each<[string, Cell, Partial<Cell>, boolean]>([
    ['cordon', applied(open, cordonCell), { cordoned: true }, true],
    ['uncordon', applied(open, cordonCell, uncordonCell), {}, false],
    ['drain', drained, { cordoned: true, drain: { since: BUILT_AT, deadline: BUILT_AT + 5_000 } }, true],
    ['drain, cancelled', applied(drained, cancelDrain), { cordoned: true }, true],
    ['drain, uncordoned', applied(drained, uncordonCell), {}, false],
    ['drain, cordoned', applied(drained, cordonCell), { cordoned: true, drain: drained.drain }, true],
  ])('%s', (_what, cell, wanted, isClosed) => {
    const { cordoned, drain } = cell;
    expect({ cordoned, drain }).toEqual({ cordoned: undefined, drain: undefined, ...wanted });
    expect(isClosedToWork(cell)).toBe(isClosed);
  });

  it.each<[string, Cell, (cell: Cell) => Transition]>([
    ['cordon', applied(open, cordonCell), cordonCell],
    ['uncordon', open, uncordonCell],
    ['drain', drained, (cell) => drainCell(cell, at(), 5_000)],
    ['cancel', open, cancelDrain],
  ])('%s said again changes nothing', (_what, cell, rule) => {
    expect(rule(cell)).toEqual([]);
  });

  it('a drain asked for again goes on, with the new deadline', () => {
    const later = applied(drained, (cell) => drainCell(cell, at(BUILT_AT + 1_000), 60_000));
    expect(later.drain).toEqual({ since: BUILT_AT, deadline: BUILT_AT + 61_000 });
  });

  it('what an operator wants outlives the agent and the loss of the cell', () => {
    const { zone, address, backend, capacity, rootfsProviders } = open;
    const registration: CellRegistration = { zone, address, backend, capacity, rootfsProviders };
    const back = applied(
      drained,
      (cell) => loseCell(cell, true, at()),
      (cell) => registerCell(cell, 'cell-1', registration, {}, at()),
    );
    expect(back).toMatchObject({ state: 'PRESENT', cordoned: true, drain: drained.drain });
    expect(back).not.toHaveProperty('replacementHeld');
  });
});

it('censusOf counts what a cell holds', () => {
  const actuals = [
    anActualLRP({ placement: { instanceGuid: 'i', cellId: 'cell-1', deadline: 1 } }),
    anActualLRP({ state: 'CLAIMED', instanceGuid: 'j', cellId: 'cell-1' }),
    aRunningActualLRP(),
    aRunningActualLRP({ presence: 'EVACUATING' }),
    aRunningActualLRP({ presence: 'SUSPECT' }),
  ];
  const census = { placed: 1, claimed: 1, running: 1, evacuating: 1, suspect: 1, tasks: 1 };
  expect(censusOf(actuals, [aTask()])).toEqual(census);
});
