import { aCell, aRunningActualLRP, aTask, anActualLRP } from '#test/builders.js';
import { effectsOf } from './effects.js';

const here = { instanceGuid: 'mine', cellId: 'cell-1' };
const running = aRunningActualLRP(here);
const placed = anActualLRP({ placement: { ...here, deadline: 1 } });
const stopsMine = new Map([['cell-1', { instanceGuids: ['mine'], taskGuids: [] }]]);

describe('effectsOf', () => {
  it.each([
    ['of nothing', []],
    ['of a claim', [{ kind: 'actual', before: placed, after: { ...running, state: 'CLAIMED' } }]],
    [
      'of a heart-beat with something new',
      [{ kind: 'actual', before: running, after: { ...running, routable: false } }],
    ],
    ['of a cell', [{ kind: 'cell', after: aCell() }]],
  ] as const)('is nothing %s', (_what, transition) => {
    expect(effectsOf([...transition])).toEqual({ stops: new Map() });
  });

  it.each([
    ['goes', { kind: 'actual', before: running }],
    ['is emptied', { kind: 'actual', before: running, after: anActualLRP() }],
    ['is asked to stop it', { kind: 'actual', before: running, after: { ...running, stopping: true } }],
    ['was only given it, and goes', { kind: 'actual', before: placed }],
  ] as const)('tells the cell when its record %s, unless it said so itself', (_what, change) => {
    expect(effectsOf([change]).stops).toEqual(stopsMine);
    expect(effectsOf([change], 'cell-2').stops).toEqual(stopsMine);
    expect(effectsOf([change], 'cell-1').stops).toEqual(new Map());
  });

  it('does not ask twice', () => {
    const stopping = { ...running, stopping: true };
    expect(
      effectsOf([{ kind: 'actual', before: stopping, after: { ...stopping, routable: false } }]).stops.size,
    ).toBe(0);
  });

  it('stops nothing that moves to another presence', () => {
    const suspect = { ...running, presence: 'SUSPECT' as const };
    const lost = [
      { kind: 'actual' as const, before: running, after: anActualLRP() },
      { kind: 'actual' as const, after: suspect },
    ];
    expect(effectsOf(lost).stops).toEqual(new Map());
    const replacement = aRunningActualLRP({ instanceGuid: 'theirs', cellId: 'cell-2', state: 'CLAIMED' });
    const back = [
      { kind: 'actual' as const, before: suspect },
      { kind: 'actual' as const, before: replacement, after: running },
    ];
    expect(effectsOf(back).stops).toEqual(
      new Map([['cell-2', { instanceGuids: ['theirs'], taskGuids: [] }]]),
    );
  });

  it('tells the cell of a task that left it', () => {
    const task = aTask({ state: 'RUNNING', cellId: 'cell-1', taskGuid: 't' });
    const stops = new Map([['cell-1', { instanceGuids: [], taskGuids: ['t'] }]]);
    expect(effectsOf([{ kind: 'task', before: task, after: aTask({ taskGuid: 't' }) }]).stops).toEqual(stops);
    expect(effectsOf([{ kind: 'task', before: task }], 'cell-1').stops).toEqual(new Map());
    const given = aTask({ placement: { ...here, deadline: 1 } });
    expect(effectsOf([{ kind: 'task', before: given, after: task }]).stops.size).toBe(0);
  });
});
