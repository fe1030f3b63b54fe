/** How a running instance is moved to a better cell: replacement first, and back home when that does not work out. */
import {
  convergeProcess,
  crash,
  effectsOf,
  evacuateRunning,
  eventsOf,
  indexEntries,
  instanceOf,
  isSettled,
  isUnplaced,
  moveInstance,
  type ProcessSnapshot,
  recordId,
  refusePlacement,
  start,
  type Transition,
  update,
} from '#rivera/lifecycle';
import type { ActualLRP, DesiredLRPSchedulingInfo } from '#rivera/models';
import {
  at,
  BOTH_CELLS,
  CELL_2_ONLY,
  claimed,
  desiredInstances,
  MINE,
  NOW,
  OTHER,
  outline,
  processWith,
  running,
  SECOND,
  STARTED,
  unclaimed,
  worldOf,
} from './lifecycle-fixtures.js';

const placement = { ...OTHER, deadline: NOW + 15 * SECOND };
const deadline = NOW + 60 * SECOND;

const move = (process: ProcessSnapshot, index = 0) =>
  moveInstance(process, index, MINE, { placement, deadline }, at());

/** The process after a transition. */
function after(process: ProcessSnapshot, transition: Transition): ProcessSnapshot {
  const rows = new Map(process.actuals.map((row) => [recordId({ kind: 'actual', after: row }), row]));
  for (const change of transition) {
    if (change.kind !== 'actual') continue;
    if (change.after === undefined) rows.delete(recordId(change));
    else rows.set(recordId(change), change.after);
  }
  return { ...process, actuals: [...rows.values()] };
}

const settled = (desired?: Partial<DesiredLRPSchedulingInfo>) =>
  processWith([running(), running({ index: 1, instanceGuid: 'second' })], desiredInstances(2, desired ?? {}));
const moving = () => after(settled(), move(settled()));

describe('given all desired instances run', () => {
  it('when one is moved, then it goes on as EVACUATING, and its replacement is placed at once', () => {
    const transition = move(settled());
    expect(outline(transition)).toEqual(['+0/EVACUATING/RUNNING', '+0/ORDINARY/UNCLAIMED']);
    const [copy, replacement] = transition.map((change) => change.after as ActualLRP);
    expect(copy).toMatchObject({
      ...MINE,
      expiresAt: deadline,
      moving: true,
      netInfo: STARTED.netInfo,
      routable: true,
    });
    expect(replacement).toMatchObject({ state: 'UNCLAIMED', placement });
  });

  it('then followers see it change, nothing is stopped, and no auction is needed', () => {
    const transition = move(settled());
    expect(eventsOf(transition).map(({ type }) => type)).toEqual([
      'actual_lrp_changed',
      'actual_lrp_created',
    ]);
    expect(effectsOf(transition).stops).toEqual(new Map());
    expect(isUnplaced(transition[1]?.after as ActualLRP)).toBe(false);
  });

  it('then the converger looks at it when its time is over', () => {
    const copy = move(settled())[0]?.after as ActualLRP;
    expect(indexEntries('actual', copy)).toContainEqual({
      index: 'due',
      member: 'lrp/my-app/0/EVACUATING',
      score: deadline,
    });
  });
});

describe('given anything of the process is on its way', () => {
  const second = { index: 1, instanceGuid: 'second' };
  it.each<[string, ActualLRP[], DesiredLRPSchedulingInfo | undefined]>([
    ['another instance does not run yet', [running(), claimed(second)], desiredInstances(2)],
    ['another instance is missing', [running()], desiredInstances(2)],
    ['another instance moves', [...moving().actuals], desiredInstances(2)],
    [
      'another instance is suspect',
      [running(), running(second), running({ ...second, presence: 'SUSPECT' })],
      desiredInstances(2),
    ],
    ['it is asked to stop', [running({ stopping: true })], desiredInstances(1)],
    ['there are too many', [running(), running(second)], desiredInstances(1)],
    [
      'it is replaced only after it has stopped',
      [running()],
      desiredInstances(1, { updateStrategy: 'RECREATE' }),
    ],
    ['nobody desires it', [running()], undefined],
  ])('when %s, then nothing moves', (_what, actuals, desired) => {
    const process = processWith(actuals, desired);
    expect(isSettled(process)).toBe(false);
    expect(move(process)).toEqual([]);
  });

  it('when it is another run by now, then nothing moves', () => {
    expect(move(processWith([running(OTHER)], desiredInstances(1)))).toEqual([]);
    expect(move(processWith([unclaimed()], desiredInstances(1)))).toEqual([]);
  });
});

describe('given an instance moves', () => {
  it('when its replacement runs, then the old copy goes and its cell is told', () => {
    const process = moving();
    const transition = start(instanceOf(process, 0), OTHER, STARTED, at());
    expect(outline(transition)).toEqual(['+0/ORDINARY/RUNNING', '-0/EVACUATING/RUNNING']);
    expect(effectsOf(transition, OTHER.cellId).stops.get(MINE.cellId)?.instanceGuids).toEqual([
      MINE.instanceGuid,
    ]);
    expect(isSettled(after(process, transition))).toBe(true);
  });

  it('when the old copy says how it runs, then it stays as it is', () => {
    const [copy] = moving().actuals.filter(({ presence }) => presence === 'EVACUATING');
    expect(start(instanceOf(moving(), 0), MINE, STARTED, at())).toEqual([]);
    expect(copy).toMatchObject({ expiresAt: deadline });
  });

  const home = ['-0/EVACUATING/RUNNING', '+0/ORDINARY/RUNNING'];

  it('when its cell refuses the replacement, then the old copy is ORDINARY again', () => {
    const process = moving();
    const transition = refusePlacement(instanceOf(process, 0), OTHER, 'no room', at());
    expect(outline(transition)).toEqual(home);
    const back = after(process, transition);
    expect(isSettled(back)).toBe(true);
    expect(instanceOf(back, 0).ordinary).toMatchObject(MINE);
    expect(instanceOf(back, 0).ordinary).not.toHaveProperty('moving');
    expect(eventsOf(transition).map(({ type }) => type)).toEqual([
      'actual_lrp_changed',
      'actual_lrp_removed',
    ]);
  });

  it('when the replacement crashes before it runs, then the old copy is ORDINARY again', () => {
    const process = {
      ...moving(),
      actuals: moving().actuals.map((row) => (row.state === 'UNCLAIMED' ? claimed(OTHER) : row)),
    };
    expect(outline(crash(instanceOf(process, 0), OTHER, 'exited', at()))).toEqual(home);
  });

  it('when the cell never answers, then convergence brings the old copy home', () => {
    const late = at(placement.deadline);
    expect(outline(convergeProcess(moving(), BOTH_CELLS, late))).toEqual(home);
    expect(convergeProcess(moving(), BOTH_CELLS, at(placement.deadline - 1))).toEqual([]);
  });

  it('when the replacement does not run in time, then it is stopped and the old copy is ORDINARY again', () => {
    const process = {
      ...moving(),
      actuals: moving().actuals.map((row) => (row.state === 'UNCLAIMED' ? claimed(OTHER) : row)),
    };
    expect(convergeProcess(process, BOTH_CELLS, at(deadline - 1))).toEqual([]);
    const transition = convergeProcess(process, BOTH_CELLS, at(deadline));
    expect(outline(transition)).toEqual(home);
    expect(effectsOf(transition).stops.get(OTHER.cellId)?.instanceGuids).toEqual([OTHER.instanceGuid]);
  });

  it('when the cell of the old copy is lost, then the replacement goes on', () => {
    expect(outline(convergeProcess(moving(), CELL_2_ONLY, at()))).toContain('-0/EVACUATING/RUNNING');
    expect(outline(convergeProcess(moving(), CELL_2_ONLY, at()))).not.toContain('+0/ORDINARY/RUNNING');
  });

  it('when the cell of the replacement is lost, then the old copy is ORDINARY again', () => {
    const world = worldOf({ 'cell-1': 'PRESENT', 'cell-2': 'MISSING' });
    expect(outline(convergeProcess(moving(), world, at()))).toEqual(home);
  });

  it('when its cell begins to leave, then it is evacuated and does not come home', () => {
    const process = moving();
    const leaving = evacuateRunning(process, 0, MINE, STARTED, at(), { deadline: deadline + SECOND });
    expect(leaving.keepContainer).toBe(true);
    const { evacuating } = instanceOf(after(process, leaving.transition), 0);
    expect(evacuating).toMatchObject({ expiresAt: deadline + SECOND });
    expect(evacuating).not.toHaveProperty('moving');
  });

  it('when its index is no longer wanted, then both go', () => {
    const transition = update(moving(), { instances: 0 }, at());
    expect(outline(transition)).toContain('-0/EVACUATING/RUNNING');
    expect(outline(transition)).toContain('-0/ORDINARY/UNCLAIMED');
  });
});
