/** Placement of instances, which is Rivera's own; what Diego has too is in test/conformance/lifecycle-*.spec.ts. */
import type { ActualLRP, Placement } from '#rivera/models';
import { BUILT_AT, aRunningActualLRP, anActualLRP, aSchedulingInfo } from '#test/builders.js';
import { failPlacement, isWanted, place, refusePlacement } from './instance.js';
import type { InstanceSnapshot } from './instance.js';

const context = { now: BUILT_AT + 1_000, newGuid: () => 'new' };
const placement: Placement = { instanceGuid: 'mine', cellId: 'cell-1', deadline: BUILT_AT + 10_000 };
const slotOf = (ordinary?: ActualLRP): InstanceSnapshot => ({ processGuid: 'my-app', index: 0, ordinary });
const busy = [
  ['nothing', undefined],
  ['placed', anActualLRP({ placement: { ...placement, cellId: 'cell-2' } })],
  ['CLAIMED', aRunningActualLRP({ state: 'CLAIMED' })],
  ['RUNNING', aRunningActualLRP()],
  ['CRASHED', anActualLRP({ state: 'CRASHED' })],
] as const;

describe('place', () => {
  it('gives an UNCLAIMED instance to a cell and forgets why it could not be placed before', () => {
    const before = anActualLRP({ placementError: 'no room', refusedBy: ['cell-2'] });
    const { placementError: _placementError, ...rest } = before;
    expect(place(slotOf(before), placement)).toEqual([
      {
        kind: 'actual',
        before,
        after: { ...rest, placement, modificationTag: { epoch: before.modificationTag.epoch, index: 1 } },
      },
    ]);
  });

  it.each(busy)('leaves what is %s alone: someone else was faster', (_state, ordinary) => {
    expect(place(slotOf(ordinary), placement)).toEqual([]);
  });
});

describe('failPlacement', () => {
  it('keeps the reason, and when it was desired', () => {
    const [change] = failPlacement(slotOf(anActualLRP()), 'x'.repeat(2_000));
    expect(change?.after).toMatchObject({
      state: 'UNCLAIMED',
      since: BUILT_AT,
      modificationTag: { index: 1 },
    });
    expect(change?.after).toHaveProperty('placementError.length', 1_024);
  });

  it('says the same reason once only, a truncated one too', () => {
    expect(failPlacement(slotOf(anActualLRP({ placementError: 'no room' })), 'no room')).toEqual([]);
    expect(failPlacement(slotOf(anActualLRP({ placementError: 'no room' })), 'no disk')).toHaveLength(1);
    const [change] = failPlacement(slotOf(anActualLRP()), 'x'.repeat(2_000));
    expect(failPlacement(slotOf(change?.after as ActualLRP), 'x'.repeat(2_000))).toEqual([]);
  });

  it.each(busy)('leaves what is %s alone', (_state, ordinary) => {
    expect(failPlacement(slotOf(ordinary), 'no room')).toEqual([]);
  });
});

describe('refusePlacement', () => {
  it('puts the instance back among the unplaced, with the cell remembered once', () => {
    const before = anActualLRP({ placement, refusedBy: ['cell-1', 'cell-2'] });
    const [change] = refusePlacement(slotOf(before), placement, 'no room', context);
    expect(change?.after).toMatchObject({ since: context.now, refusedBy: ['cell-1', 'cell-2'] });
    expect(change?.after).not.toHaveProperty('placement');
  });

  it('is for the placement that stands only', () => {
    const before = anActualLRP({ placement });
    expect(
      refusePlacement(slotOf(before), { ...placement, instanceGuid: 'older' }, 'no room', context),
    ).toEqual([]);
    expect(refusePlacement(slotOf(before), { ...placement, cellId: 'cell-2' }, 'no room', context)).toEqual(
      [],
    );
    expect(refusePlacement(slotOf(anActualLRP()), placement, 'no room', context)).toEqual([]);
    expect(
      refusePlacement(slotOf(aRunningActualLRP({ ...placement })), placement, 'no room', context),
    ).toEqual([]);
    expect(refusePlacement(slotOf(), placement, 'no room', context)).toEqual([]);
  });
});

describe('isWanted', () => {
  it.each([
    [0, true],
    [1, true],
    [2, false],
  ])('index %i of two instances: %s', (index, expected) => {
    expect(isWanted(aSchedulingInfo({ instances: 2 }), index)).toBe(expected);
    expect(isWanted(undefined, index)).toBe(false);
  });
});
