/** Diego BBS reference §3.5: how instances leave a cell that drains. */
import {
  effectsOf,
  EVACUATION_TIMEOUT_MS,
  evacuateClaimed,
  evacuateCrashed,
  evacuateRunning,
  evacuateStopped,
  eventsOf,
  type InstanceSnapshot,
  remove,
  removeEvacuating,
  start,
} from '#rivera/lifecycle';
import type { ActualLRP, DesiredLRPSchedulingInfo } from '#rivera/models';
import {
  MINE,
  NOW,
  OTHER,
  STARTED,
  answerOf,
  at,
  claimed,
  crashed,
  desiredInstances,
  evacuating,
  only,
  outline,
  processWith,
  running,
  slotWith,
  suspect,
  unclaimed,
  unwantedSlotWith,
  waitsForCell,
} from './lifecycle-fixtures.js';

const evacuate = (
  rows: ActualLRP[],
  desired: DesiredLRPSchedulingInfo | undefined = desiredInstances(1),
  started = STARTED,
) => evacuateRunning(processWith(rows, desired), 0, MINE, started, at());
const result = (evacuation: ReturnType<typeof evacuateRunning>) => [
  evacuation.keepContainer ? 'keep' : 'let go',
  ...outline(evacuation.transition),
];
const typesOf = (transition: Parameters<typeof eventsOf>[0]) => eventsOf(transition).map(({ type }) => type);

describe('3.5 EvacuateClaimed', () => {
  const evacuated = (instance: InstanceSnapshot) => evacuateClaimed(instance, MINE, at());

  it('of no such instance is not-found', () => {
    expect(answerOf(() => evacuated(slotWith({ ordinary: claimed(OTHER) })).transition)).toBe('not-found');
  });

  it.each([
    ['ORDINARY: it is placed again', { ordinary: claimed() }, '+0/ORDINARY/UNCLAIMED'],
    ['EVACUATING: it goes', { ordinary: unclaimed(), evacuating: evacuating() }, '-0/EVACUATING/RUNNING'],
    ['SUSPECT: it goes', { ordinary: unclaimed(), suspect: suspect() }, '-0/SUSPECT/RUNNING'],
  ])('%s', (_what, rows, expected) => {
    expect(result(evacuated(slotWith(rows)))).toEqual(['let go', expected]);
  });

  it('of an unwanted index ends it', () => {
    expect(result(evacuated(unwantedSlotWith({ ordinary: claimed() })))).toEqual([
      'let go',
      '-0/ORDINARY/CLAIMED',
    ]);
  });
});

describe('3.5 EvacuateCrashed and EvacuateStopped', () => {
  it('12.3 a crash on a leaving cell is a crash: placed again at once', () => {
    const evacuation = evacuateCrashed(slotWith({ ordinary: claimed() }), MINE, 'exited', at());
    expect(result(evacuation)).toEqual(['let go', '+0/ORDINARY/UNCLAIMED']);
    expect(typesOf(evacuation.transition)[0]).toBe('actual_lrp_crashed');
    expect(waitsForCell(evacuation.transition)).toBe(true);
  });

  it.each([
    ['evacuating', { evacuating: evacuating() }, '-0/EVACUATING/RUNNING'],
    ['suspect', { suspect: suspect() }, '-0/SUSPECT/RUNNING'],
  ])('of an instance that is %s removes that record', (_what, rows, expected) => {
    const instance = slotWith({ ordinary: unclaimed(), ...rows });
    expect(result(evacuateCrashed(instance, MINE, 'exited', at()))).toEqual(['let go', expected]);
    expect(result(evacuateStopped(instance, MINE, at()))).toEqual(['let go', expected]);
  });

  it('what has stopped starts anew elsewhere', () => {
    expect(result(evacuateStopped(slotWith({ ordinary: running() }), MINE, at()))).toEqual([
      'let go',
      '+0/ORDINARY/UNCLAIMED',
    ]);
  });
});

describe('3.5 RemoveEvacuating', () => {
  it.each([
    ['nothing', slotWith(), 'not-found'],
    ['an ordinary instance', slotWith({ ordinary: running() }), 'not-found'],
    ['another instance', slotWith({ evacuating: evacuating(OTHER) }), 'cannot-be-removed'],
    ['its own', slotWith({ evacuating: evacuating() }), 'ok'],
  ])('of %s', (_what, instance, expected) => {
    expect(answerOf(() => removeEvacuating(instance, MINE))).toBe(expected);
  });
});

describe('3.5 EvacuateRunning', () => {
  it('3.5.1 nothing is there: let go', () => {
    expect(result(evacuate([]))).toEqual(['let go']);
  });

  it.each([
    ['no ordinary record', [evacuating()], desiredInstances(1)],
    ['a replacement that runs', [running(OTHER), evacuating()], desiredInstances(1)],
    ['a replacement that fails', [crashed(), evacuating()], desiredInstances(1)],
    ['an index nobody wants', [unclaimed(), evacuating()], desiredInstances(0)],
  ])('3.5.2 %s: let go, the evacuating record goes', (_what, rows, desired) => {
    expect(result(evacuate(rows, desired))).toEqual(['let go', '-0/EVACUATING/RUNNING']);
  });

  it('3.5.3 the desired LRP is gone: let go', () => {
    const evacuation = evacuateRunning(processWith([running()]), 0, MINE, STARTED, at());
    expect(result(evacuation)).toEqual(['let go', '-0/ORDINARY/RUNNING']);
  });

  describe('3.5.4 RECREATE', () => {
    const recreate = desiredInstances(2, { updateStrategy: 'RECREATE' });
    const second = (fields: Partial<ActualLRP>) => running({ index: 1, instanceGuid: 'second', ...fields });

    it('one at a time: only while all of them run', () => {
      expect(result(evacuate([running(), second({})], recreate))).toEqual(['let go', '+0/ORDINARY/RUNNING']);
      expect(result(evacuate([running(), second({ state: 'CLAIMED' })], recreate))).toEqual(['keep']);
    });

    it('12.3 is stopped before it is replaced, so that none overlap', () => {
      const { transition } = evacuate([running(), second({})], recreate);
      expect(only(transition)).toMatchObject({ state: 'RUNNING', stopping: true, instanceGuid: 'mine' });
      const after = remove(slotWith({ ordinary: only(transition), desired: recreate }), MINE, at());
      expect(outline(after)).toEqual(['+0/ORDINARY/UNCLAIMED']);
    });

    it('the next one waits until it is back, and who is being stopped is asked no more', () => {
      const stopping = second({ stopping: true });
      expect(evacuate([running(), stopping], recreate)).toMatchObject({ isWaiting: true, transition: [] });
      expect(result(evacuate([running({ stopping: true }), second({})], recreate))).toEqual(['let go']);
    });

    it('what is not the ordinary instance goes', () => {
      expect(result(evacuate([unclaimed(), evacuating()], recreate))).toEqual([
        'let go',
        '-0/EVACUATING/RUNNING',
      ]);
      expect(result(evacuate([unclaimed(), suspect()], recreate))).toEqual(['let go', '-0/SUSPECT/RUNNING']);
      expect(result(evacuate([unclaimed()], recreate))).toEqual(['let go']);
    });
  });

  describe('3.5.5 ROLLING', () => {
    it('keeps running under a new epoch while its replacement is placed', () => {
      const own = running();
      const { transition, keepContainer } = evacuate([own]);
      expect(keepContainer).toBe(true);
      expect(outline(transition)).toEqual(['+0/EVACUATING/RUNNING', '+0/ORDINARY/UNCLAIMED']);
      const copy = transition[0]?.after as ActualLRP;
      expect(copy).toEqual({
        ...own,
        presence: 'EVACUATING',
        expiresAt: NOW + EVACUATION_TIMEOUT_MS,
        modificationTag: { epoch: copy.modificationTag.epoch, index: 0 },
      });
      expect(copy.modificationTag.epoch).not.toBe(own.modificationTag.epoch);
    });

    it('tells changed, then created, and stops nothing', () => {
      const own = running();
      const { transition } = evacuate([own]);
      expect(eventsOf(transition)).toEqual([
        { type: 'actual_lrp_changed', before: own, after: transition[0]?.after },
        { type: 'actual_lrp_created', after: transition[1]?.after },
      ]);
      expect(waitsForCell(transition)).toBe(true);
      expect(effectsOf(transition).stops).toEqual(new Map());
    });

    it('a suspect moves over and leaves its replacement alone', () => {
      const { transition } = evacuate([claimed(OTHER), suspect()]);
      expect(outline(transition)).toEqual(['+0/EVACUATING/RUNNING', '-0/SUSPECT/RUNNING']);
      expect(typesOf(transition)).toEqual(['actual_lrp_changed']);
    });

    it('said again: kept, no change', () => {
      expect(result(evacuate([unclaimed(), evacuating()]))).toEqual(['keep']);
    });

    it('12.3 said anew: everything that was said is kept, routable and zone too', () => {
      const { transition } = evacuate([unclaimed(), evacuating()], undefined, {
        ...STARTED,
        routable: false,
        availabilityZone: 'z2',
      });
      expect(only(transition)).toMatchObject({
        presence: 'EVACUATING',
        routable: false,
        availabilityZone: 'z2',
      });
    });

    it('ends at the deadline of the drain; a new deadline counts', () => {
      const drained = (rows: ActualLRP[], deadline: number) =>
        evacuateRunning(processWith(rows, desiredInstances(1)), 0, MINE, STARTED, at(), { deadline });
      expect(drained([running()], NOW + 5).transition[0]?.after).toMatchObject({ expiresAt: NOW + 5 });
      const { transition } = drained([unclaimed(), evacuating()], NOW + 5);
      expect(only(transition)).toMatchObject({ presence: 'EVACUATING', expiresAt: NOW + 5 });
    });

    it('waits its turn while as many of its LRP as may are on the move', () => {
      const others = [1, 2].map((index) => evacuating({ index, instanceGuid: `moving-${index}` }));
      const waiting = [1, 2].map((index) => unclaimed({ index }));
      const process = processWith([running(), ...others, ...waiting], desiredInstances(3));
      const asked = (maxPerLRP: number) => evacuateRunning(process, 0, MINE, STARTED, at(), { maxPerLRP });
      expect(asked(2)).toEqual({ keepContainer: true, isWaiting: true, transition: [] });
      expect(result(asked(3))).toEqual(['keep', '+0/EVACUATING/RUNNING', '+0/ORDINARY/UNCLAIMED']);
    });

    it('an instance without a record gets one, unless another one evacuates already', () => {
      expect(result(evacuate([unclaimed()]))).toEqual(['keep', '+0/EVACUATING/RUNNING']);
      expect(result(evacuate([unclaimed(), evacuating(OTHER)]))).toEqual(['let go']);
    });

    it('12.3 an instance that was only CLAIMED does not run: it is placed again', () => {
      expect(result(evacuate([claimed()]))).toEqual(['let go', '+0/ORDINARY/UNCLAIMED']);
    });

    it('ends when the replacement starts', () => {
      const transition = start(
        slotWith({ ordinary: claimed(OTHER), evacuating: evacuating() }),
        OTHER,
        STARTED,
        at(),
      );
      expect(typesOf(transition)).toEqual(['actual_lrp_changed', 'actual_lrp_removed']);
      expect(effectsOf(transition, 'cell-2').stops).toEqual(
        new Map([['cell-1', { instanceGuids: ['mine'], taskGuids: [] }]]),
      );
    });
  });
});
