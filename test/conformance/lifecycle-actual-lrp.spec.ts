/** Diego BBS reference §3.2–3.5 and §12.3: what each actor may do to an actual LRP. */
import { claim, crash, eventsOf, remove, restartDelayMs, retire, start } from '#rivera/lifecycle';
import type { InstanceSnapshot } from '#rivera/lifecycle';
import type { ActualLRP } from '#rivera/models';
import {
  MINE,
  MINUTE,
  NOW,
  OTHER,
  SECOND,
  STARTED,
  answerOf,
  at,
  claimed,
  crashed,
  desiredInstances,
  evacuating,
  only,
  outline,
  running,
  slotWith,
  suspect,
  unclaimed,
  unwantedSlotWith,
} from './lifecycle-fixtures.js';

const placedHere = () => unclaimed({ placement: { ...MINE, deadline: NOW + 1 } });
const labelled = (rows: Partial<InstanceSnapshot>): InstanceSnapshot => ({
  ...slotWith(rows),
  desired: desiredInstances(1, {
    metricTags: { app: { static: 'a' }, at: { dynamic: 'INDEX' }, run: { dynamic: 'INSTANCE_GUID' } },
    routes: { 'internal-router': [{ hostname: 'a.internal' }] },
  }),
});
const LABELS = {
  metricTags: { app: 'a', at: '0', run: 'mine' },
  internalRoutes: [{ hostname: 'a.internal' }],
};
const rules = {
  claim: (instance: InstanceSnapshot, key: typeof MINE) => claim(instance, key, at()),
  start: (instance: InstanceSnapshot, key: typeof MINE) => start(instance, key, STARTED, at()),
  crash: (instance: InstanceSnapshot, key: typeof MINE) => crash(instance, key, 'exited with status 1', at()),
  remove: (instance: InstanceSnapshot, key: typeof MINE) => remove(instance, key, at()),
};

describe('3.2 allowed transitions', () => {
  it.each<[keyof typeof rules, string, ActualLRP | undefined, string, string]>([
    ['claim', 'nothing', undefined, 'not-found', 'not-found'],
    ['claim', 'UNCLAIMED', unclaimed(), 'ok', 'ok'],
    ['claim', 'UNCLAIMED, placed here', placedHere(), 'ok', 'cannot-be-claimed'],
    ['claim', 'CLAIMED', claimed(), 'no change', 'cannot-be-claimed'],
    ['claim', 'RUNNING', running(), 'no change', 'cannot-be-claimed'],
    ['claim', 'CRASHED', crashed(), 'cannot-be-claimed', 'cannot-be-claimed'],
    ['start', 'nothing', undefined, 'ok', 'ok'],
    ['start', 'UNCLAIMED', unclaimed(), 'ok', 'ok'],
    ['start', 'UNCLAIMED, placed here', placedHere(), 'ok', 'cannot-be-started'],
    // Diego lets any cell start what another has claimed; here the loser of a race has lost.
    ['start', 'CLAIMED', claimed(), 'ok', 'cannot-be-started'],
    ['start', 'RUNNING', running(), 'no change', 'cannot-be-started'],
    ['start', 'CRASHED', crashed(), 'cannot-be-started', 'cannot-be-started'],
    ['crash', 'nothing', undefined, 'not-found', 'not-found'],
    ['crash', 'UNCLAIMED', unclaimed(), 'cannot-be-crashed', 'cannot-be-crashed'],
    ['crash', 'CLAIMED', claimed(), 'ok', 'cannot-be-crashed'],
    ['crash', 'RUNNING', running(), 'ok', 'cannot-be-crashed'],
    ['crash', 'CRASHED', crashed(), 'cannot-be-crashed', 'cannot-be-crashed'],
    ['remove', 'nothing', undefined, 'not-found', 'not-found'],
    ['remove', 'UNCLAIMED', unclaimed(), 'not-found', 'not-found'],
    ['remove', 'CLAIMED', claimed(), 'ok', 'not-found'],
    ['remove', 'RUNNING', running(), 'ok', 'not-found'],
    ['remove', 'CRASHED', crashed(), 'not-found', 'not-found'],
  ])('%s of %s', (verb, _state, ordinary, byHolder, byAnother) => {
    expect(answerOf(() => rules[verb](slotWith({ ordinary }), MINE))).toBe(byHolder);
    expect(answerOf(() => rules[verb](slotWith({ ordinary }), OTHER))).toBe(byAnother);
  });

  it.each(['instanceGuid', 'cellId'] as const)(
    'an instance key is both halves: another %s is a stranger',
    (half) => {
      const key = { ...MINE, [half]: 'different' };
      expect(answerOf(() => rules.crash(slotWith({ ordinary: running() }), key))).toBe('cannot-be-crashed');
      expect(answerOf(() => rules.claim(slotWith({ ordinary: placedHere() }), key))).toBe(
        'cannot-be-claimed',
      );
    },
  );

  it('a refusal says who holds the instance and what to do', () => {
    expect(() => rules.start(slotWith({ ordinary: running() }), OTHER)).toThrow(
      'my-app/0 is RUNNING and held by mine on cell cell-1; it cannot be started by other on cell cell-2. Stop that copy.',
    );
  });
});

describe('3.3 Claim', () => {
  it('sets the instance key, clears placement and its error, and keeps the crash history', () => {
    const before = unclaimed({
      placement: { ...MINE, deadline: NOW + 1 },
      placementError: 'insufficient resources: memory',
      refusedBy: ['cell-9'],
      crashCount: 2,
      crashReason: 'exited with status 1',
    });
    const after = only(claim(slotWith({ ordinary: before }), MINE, at()));
    expect(after).toEqual({
      ...unclaimed({ crashCount: 2, crashReason: 'exited with status 1' }),
      ...MINE,
      state: 'CLAIMED',
      since: NOW,
      modificationTag: { epoch: before.modificationTag.epoch, index: 1 },
    });
    expect(Object.keys(after)).not.toContain('placement');
  });

  it('by the suspect or evacuating instance is success without a change, whatever the ordinary record is', () => {
    for (const ordinary of [undefined, unclaimed(), running(OTHER)]) {
      expect(claim(slotWith({ ordinary, suspect: suspect() }), MINE, at())).toEqual([]);
      expect(claim(slotWith({ ordinary, evacuating: evacuating() }), MINE, at())).toEqual([]);
    }
  });

  it('tells one changed event', () => {
    const transition = claim(slotWith({ ordinary: unclaimed() }), MINE, at());
    expect(eventsOf(transition).map(({ type }) => type)).toEqual(['actual_lrp_changed']);
  });
});

describe('3.3 Start', () => {
  it('replaces what was known of the run and keeps the crash count', () => {
    const before = running({
      routable: false,
      metricTags: { old: 'tag' },
      crashCount: 2,
      since: NOW - MINUTE,
    });
    const started = { ...STARTED, availabilityZone: 'z2' };
    const after = only(start(slotWith({ ordinary: before }), MINE, started, at()));
    expect(after).toMatchObject({ ...started, ...MINE, state: 'RUNNING', since: NOW, crashCount: 2 });
    expect(after.modificationTag.index).toBe(before.modificationTag.index + 1);
  });

  it.each([
    ['net info', { netInfo: { ...STARTED.netInfo, address: '10.0.0.2' } }],
    ['routable', { routable: false }],
    ['zone', { availabilityZone: 'z2' }],
  ])('with another %s is a change', (_what, fields) => {
    const transition = start(slotWith({ ordinary: running() }), MINE, { ...STARTED, ...fields }, at());
    expect(only(transition)).toMatchObject({ ...fields, since: NOW });
  });

  it('with the same again is a heart-beat: no change, no tag, no event', () => {
    expect(start(slotWith({ ordinary: running() }), MINE, STARTED, at())).toEqual([]);
    const first = only(start(labelled({ ordinary: claimed() }), MINE, STARTED, at()));
    expect(start(labelled({ ordinary: first }), MINE, STARTED, at())).toEqual([]);
  });

  it('gives it the metric tags and internal routes of its desired LRP, with its own values', () => {
    expect(only(start(labelled({ ordinary: claimed() }), MINE, STARTED, at()))).toMatchObject(LABELS);
    expect(
      only(start(labelled({ ordinary: running({ metricTags: { old: 'x' } }) }), MINE, STARTED, at())),
    ).toMatchObject(LABELS);
    const plain = only(start(slotWith({ ordinary: running(LABELS) }), MINE, STARTED, at()));
    expect(plain).not.toHaveProperty('metricTags');
    expect(plain).not.toHaveProperty('internalRoutes');
  });

  it('into an empty slot makes a RUNNING record with a new epoch and no crashes', () => {
    const transition = start(slotWith(), MINE, STARTED, at());
    expect(only(transition)).toMatchObject({
      ...STARTED,
      ...MINE,
      state: 'RUNNING',
      presence: 'ORDINARY',
      crashCount: 0,
      modificationTag: { epoch: 'new-1', index: 0 },
    });
    expect(eventsOf(transition).map(({ type }) => type)).toEqual(['actual_lrp_created']);
  });

  it('12.3 into an empty slot nobody wants is refused: no orphan records', () => {
    expect(answerOf(() => start(unwantedSlotWith(), MINE, STARTED, at()))).toBe('cannot-be-started');
    expect(answerOf(() => start({ ...slotWith(), index: 1 }, MINE, STARTED, at()))).toBe('cannot-be-started');
  });

  it('removes the evacuating and suspect records it replaces, after it runs itself', () => {
    const replaced = {
      evacuating: evacuating({ instanceGuid: 'e' }),
      suspect: suspect({ instanceGuid: 's' }),
    };
    const transition = start(slotWith({ ordinary: claimed(OTHER), ...replaced }), OTHER, STARTED, at());
    expect(outline(transition)).toEqual([
      '+0/ORDINARY/RUNNING',
      '-0/EVACUATING/RUNNING',
      '-0/SUSPECT/RUNNING',
    ]);
    expect(eventsOf(transition).map(({ type }) => type)).toEqual([
      'actual_lrp_changed',
      'actual_lrp_removed',
      'actual_lrp_removed',
    ]);
    const heartbeat = start(slotWith({ ordinary: running(OTHER), ...replaced }), OTHER, STARTED, at());
    expect(outline(heartbeat)).toEqual(['-0/EVACUATING/RUNNING', '-0/SUSPECT/RUNNING']);
  });

  it.each([
    ['suspect', { suspect: suspect() }],
    ['evacuating', { evacuating: evacuating() }],
  ])('by the %s instance itself is success and leaves the ordinary record alone', (_presence, rows) => {
    expect(start(slotWith({ ordinary: unclaimed(), ...rows }), MINE, STARTED, at())).toEqual([]);
  });

  it('12.3 by a suspect that was only CLAIMED is remembered for when it is ordinary again', () => {
    const rows = { ordinary: unclaimed(), suspect: claimed({ presence: 'SUSPECT' }) };
    const transition = start(slotWith(rows), MINE, STARTED, at());
    expect(outline(transition)).toEqual(['+0/SUSPECT/RUNNING']);
    expect(only(transition)).toMatchObject({ ...MINE, ...STARTED });
  });

  it('of an instance that is being stopped does not make it wanted again', () => {
    const transition = start(slotWith({ ordinary: claimed({ stopping: true }) }), MINE, STARTED, at());
    expect(only(transition)).toMatchObject({ state: 'RUNNING', stopping: true });
  });
});

describe('3.3 Remove', () => {
  it('replaces a wanted instance at once by a new one without its history', () => {
    const before = running({ crashCount: 2, stopping: true });
    const transition = remove(slotWith({ ordinary: before }), MINE, at());
    expect(only(transition)).toEqual(
      unclaimed({
        since: NOW,
        modificationTag: { epoch: 'new-1', index: 0 },
        resources: only(transition).resources,
      }),
    );
    expect(eventsOf(transition).map(({ type }) => type)).toEqual([
      'actual_lrp_created',
      'actual_lrp_removed',
    ]);
  });

  it('ends the slot when the index is no longer wanted', () => {
    expect(outline(remove(unwantedSlotWith({ ordinary: running() }), MINE, at()))).toEqual([
      '-0/ORDINARY/RUNNING',
    ]);
    expect(
      outline(remove({ ...slotWith({ ordinary: running({ index: 1 }) }), index: 1 }, MINE, at())),
    ).toEqual(['-1/ORDINARY/RUNNING']);
  });

  it('of a suspect or evacuating instance removes that record only', () => {
    const ordinary = unclaimed();
    expect(outline(remove(slotWith({ ordinary, suspect: suspect() }), MINE, at()))).toEqual([
      '-0/SUSPECT/RUNNING',
    ]);
    expect(outline(remove(slotWith({ ordinary, evacuating: evacuating() }), MINE, at()))).toEqual([
      '-0/EVACUATING/RUNNING',
    ]);
  });
});

describe('3.3 Retire', () => {
  it('of nothing is not-found', () => {
    expect(answerOf(() => retire(slotWith(), true, at()))).toBe('not-found');
  });

  it.each([
    ['UNCLAIMED', unclaimed(), true],
    ['CRASHED', crashed(), true],
    ['RUNNING on a cell that is gone', running(), false],
    ['CLAIMED on a cell that is gone', claimed(), false],
  ])('of %s starts the slot anew at once', (_state, ordinary, isCellPresent) => {
    const transition = retire(slotWith({ ordinary }), isCellPresent, at());
    expect(only(transition)).toMatchObject({
      state: 'UNCLAIMED',
      crashCount: 0,
      modificationTag: { epoch: 'new-1', index: 0 },
    });
  });

  it('of an unwanted slot ends it', () => {
    expect(outline(retire(unwantedSlotWith({ ordinary: crashed() }), true, at()))).toEqual([
      '-0/ORDINARY/CRASHED',
    ]);
  });

  it.each([
    ['CLAIMED', claimed()],
    ['RUNNING', running()],
  ])('of %s asks its cell to stop, once; the record stays until the cell says so', (_state, ordinary) => {
    const after = only(retire(slotWith({ ordinary }), true, at()));
    expect(after).toEqual({
      ...ordinary,
      stopping: true,
      modificationTag: { epoch: ordinary.modificationTag.epoch, index: 1 },
    });
    expect(retire(slotWith({ ordinary: after }), true, at())).toEqual([]);
  });

  it('12.3 tells removed only when the instance is gone', () => {
    const asked = retire(slotWith({ ordinary: running() }), true, at());
    expect(eventsOf(asked).map(({ type }) => type)).toEqual(['actual_lrp_changed']);
  });
});

describe('3.4 Crash and restart policy', () => {
  const crashOnce = (before: ActualLRP, restartPolicy = {}) => {
    const { desired } = slotWith();
    return crash(
      slotWith({ ordinary: before, desired: { ...desired!, restartPolicy } }),
      MINE,
      'exited with status 1',
      at(),
    );
  };

  it.each([
    ['RUNNING for more than 5 minutes', running({ crashCount: 7, since: NOW - 5 * MINUTE - 1 }), 1],
    ['RUNNING for exactly 5 minutes', running({ crashCount: 7, since: NOW - 5 * MINUTE }), 8],
    ['CLAIMED for an hour', claimed({ crashCount: 7, since: NOW - 60 * MINUTE }), 8],
  ])('3.4.1 the count of an instance that was %s', (_state, before, crashCount) => {
    expect(only(crashOnce(before))).toMatchObject({ crashCount });
  });

  it('3.4.2 nothing of the run stays but where it was, one increment of the tag', () => {
    const before = running({ crashCount: 5, metricTags: { a: 'b' }, since: NOW - MINUTE });
    expect(only(crashOnce(before))).toEqual({
      ...crashed({ crashCount: 6, since: NOW, restartAt: NOW + 4 * MINUTE }),
      resources: before.resources,
      lastRun: { instanceGuid: before.instanceGuid, cellId: before.cellId },
      modificationTag: { epoch: before.modificationTag.epoch, index: 1 },
    });
  });

  it.each([0, 1])('3.4.3 crash %i + 1 restarts at once: crashed, created, removed', (crashCount) => {
    const transition = crashOnce(claimed({ crashCount }));
    expect(only(transition)).toMatchObject({ state: 'UNCLAIMED', crashCount: crashCount + 1 });
    expect(only(transition)).not.toHaveProperty('restartAt');
    expect(eventsOf(transition).map(({ type }) => type)).toEqual([
      'actual_lrp_crashed',
      'actual_lrp_created',
      'actual_lrp_removed',
    ]);
  });

  it('3.4.4 the third crash waits: crashed, changed', () => {
    const transition = crashOnce(claimed({ crashCount: 2 }));
    expect(only(transition)).toMatchObject({ state: 'CRASHED', crashCount: 3, restartAt: NOW + 30 * SECOND });
    expect(eventsOf(transition).map(({ type }) => type)).toEqual([
      'actual_lrp_crashed',
      'actual_lrp_changed',
    ]);
  });

  it.each([
    [1, 0],
    [2, 0],
    [3, 30 * SECOND],
    [4, 60 * SECOND],
    [5, 2 * MINUTE],
    [6, 4 * MINUTE],
    [7, 8 * MINUTE],
    [8, 16 * MINUTE],
    [9, 16 * MINUTE],
    [199, 16 * MINUTE],
    [200, undefined],
    [5_000, undefined],
  ])('3.4.5 back-off after crash %i', (crashCount, delay) => {
    expect(restartDelayMs(crashCount)).toBe(delay);
  });

  it('3.4.5 the 200th crash is final: CRASHED without a time', () => {
    const after = only(crashOnce(claimed({ crashCount: 199 })));
    expect(after).toMatchObject({ state: 'CRASHED', crashCount: 200 });
    expect(after).not.toHaveProperty('restartAt');
  });

  it('an LRP may have a policy of its own', () => {
    const policy = { immediateRestarts: 1, baseDelayMs: 10, maxDelayMs: 35, maxRestarts: 4, resetAfterMs: 7 };
    const countAndDelay = (before: ActualLRP) => {
      const { crashCount, state, restartAt } = only(crashOnce(before, policy));
      return [crashCount, state, restartAt === undefined ? undefined : restartAt - NOW];
    };
    expect(countAndDelay(claimed({ crashCount: 0 }))).toEqual([1, 'CRASHED', 10]);
    expect(countAndDelay(claimed({ crashCount: 1 }))).toEqual([2, 'CRASHED', 20]);
    expect(countAndDelay(claimed({ crashCount: 2 }))).toEqual([3, 'CRASHED', 35]);
    expect(countAndDelay(claimed({ crashCount: 3 }))).toEqual([4, 'CRASHED', undefined]);
    expect(countAndDelay(running({ crashCount: 3, since: NOW - 8 }))).toEqual([1, 'CRASHED', 10]);
  });

  it('the reason is kept to 1,024 characters, in the record and in the event alike (12.3)', () => {
    const transition = crash(slotWith({ ordinary: running() }), MINE, 'x'.repeat(5_000), at());
    const { crashReason } = only(transition);
    expect(crashReason).toBe(`${'x'.repeat(1_013)}(truncated)`);
    expect(eventsOf(transition)[0]).toMatchObject({ crashReason });
  });

  it('the crashed event carries the keys of the instance that died', () => {
    const before = running();
    expect(eventsOf(crashOnce(before))[0]).toEqual({
      type: 'actual_lrp_crashed',
      before,
      crashCount: 1,
      crashReason: 'exited with status 1',
      since: NOW,
    });
  });

  it('of a suspect or evacuating instance removes that record', () => {
    expect(outline(crash(slotWith({ suspect: suspect(), ordinary: unclaimed() }), MINE, 'r', at()))).toEqual([
      '-0/SUSPECT/RUNNING',
    ]);
    expect(
      outline(crash(slotWith({ evacuating: evacuating(), ordinary: unclaimed() }), MINE, 'r', at())),
    ).toEqual(['-0/EVACUATING/RUNNING']);
  });

  it('12.3 after the desired LRP is gone, or while stopping, is the end of that instance and no error', () => {
    expect(outline(crash(unwantedSlotWith({ ordinary: running() }), MINE, 'r', at()))).toEqual([
      '-0/ORDINARY/RUNNING',
    ]);
    const stopped = crash(
      slotWith({ ordinary: running({ stopping: true, crashCount: 2 }) }),
      MINE,
      'r',
      at(),
    );
    expect(only(stopped)).toMatchObject({ state: 'UNCLAIMED', crashCount: 0 });
    expect(eventsOf(stopped).map(({ type }) => type)).not.toContain('actual_lrp_crashed');
  });
});
