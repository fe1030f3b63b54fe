/** Diego BBS reference §3.7 and §5.2: the life of a task. */
import {
  cancelTask,
  COMPLETED_TASK_EXPIRY_MS,
  completeTask,
  convergeTask,
  deleteTask,
  desireTask,
  effectsOf,
  eventsOf,
  failTask,
  failTaskPlacement,
  PENDING_TASK_EXPIRY_MS,
  placeTask,
  refuseTaskPlacement,
  rejectTask,
  RESOLVING_TASK_EXPIRY_MS,
  resolveTask,
  startTask,
  type Transition,
} from '#rivera/lifecycle';
import type { Task } from '#rivera/models';
import { aTask, aTaskDefinition } from '../support/builders.js';
import {
  BOTH_CELLS,
  CELL_2_ONLY,
  NOW,
  SECOND,
  answerOf,
  at,
  only,
  worldOf,
  waitsForCell,
} from './lifecycle-fixtures.js';

const pending = (fields: Partial<Task> = {}) =>
  aTask({ taskGuid: 't', createdAt: NOW, updatedAt: NOW, ...fields });
const placed = (fields: Partial<Task> = {}) =>
  pending({ placement: { instanceGuid: 't', cellId: 'cell-1', deadline: NOW + SECOND }, ...fields });
const runningTask = (fields: Partial<Task> = {}) =>
  pending({ state: 'RUNNING', cellId: 'cell-1', ...fields });
const completedTask = (fields: Partial<Task> = {}) =>
  pending({ state: 'COMPLETED', failed: false, firstCompletedAt: NOW, ...fields });
const resolving = (fields: Partial<Task> = {}) => completedTask({ state: 'RESOLVING', ...fields });

const REJECTED = { failed: true, failureReason: 'no room' };
const rules: Record<string, (task: Task | undefined) => Transition> = {
  start: (task) => startTask(task, 't', 'cell-1', at()),
  complete: (task) => completeTask(task, 't', 'cell-1', { failed: false, result: 'done' }, at()),
  cancel: (task) => cancelTask(task, 't', at()),
  reject: (task) => rejectTask(task, 't', 'no room', at()),
  resolve: (task) => resolveTask(task, 't', at()),
  delete: (task) => deleteTask(task, 't'),
};
const INVALID = 'invalid-state-transition';

describe('3.7 who may do what', () => {
  it.each([
    ['start', ['not-found', 'ok', 'no change', INVALID, INVALID]],
    ['complete', ['not-found', INVALID, 'ok', INVALID, INVALID]],
    ['cancel', ['not-found', 'ok', 'ok', INVALID, INVALID]],
    ['reject', ['not-found', 'ok', 'ok', INVALID, INVALID]],
    ['resolve', ['not-found', INVALID, INVALID, 'ok', INVALID]],
    ['delete', ['not-found', INVALID, INVALID, 'ok', 'ok']],
  ])('%s of no, a PENDING, RUNNING, COMPLETED, RESOLVING task', (verb, answers) => {
    const tasks = [undefined, pending(), runningTask(), completedTask(), resolving()];
    expect(tasks.map((task) => answerOf(() => rules[verb]!(task)))).toEqual(answers);
  });

  it('the refusal is Diego’s sentence', () => {
    expect(() => rules.complete!(pending())).toThrow(
      'Cannot transition from PENDING to COMPLETED (task "t").',
    );
  });
});

describe('3.7 Desire', () => {
  it('makes a PENDING task, tells it, and waits for the auctioneer', () => {
    const definition = aTaskDefinition({ memoryMb: 5 });
    const transition = desireTask(undefined, { taskGuid: 't', domain: 'd', definition }, at());
    expect(only<Task>(transition)).toEqual({
      taskGuid: 't',
      domain: 'd',
      definition,
      state: 'PENDING',
      createdAt: NOW,
      updatedAt: NOW,
      modificationTag: { epoch: 'new-1', index: 0 },
      rejectionCount: 0,
    });
    expect(eventsOf(transition).map(({ type }) => type)).toEqual(['task_created']);
    expect(waitsForCell(transition)).toBe(true);
  });

  it.each(['PENDING', 'RUNNING', 'COMPLETED', 'RESOLVING'] as const)(
    'of a guid that is %s is refused',
    (state) => {
      const request = { taskGuid: 't', domain: 'd', definition: aTaskDefinition() };
      expect(answerOf(() => desireTask(pending({ state }), request, at()))).toBe('already-exists');
    },
  );
});

describe('3.7 Start', () => {
  it('takes a task that was placed here, or nowhere', () => {
    for (const task of [placed({ refusedBy: ['cell-9'] }), pending()]) {
      const after = only<Task>(startTask(task, 't', 'cell-1', at(NOW + 5)));
      const { placement: _placement, refusedBy: _refusedBy, ...rest } = task;
      expect(after).toEqual({
        ...rest,
        state: 'RUNNING',
        cellId: 'cell-1',
        updatedAt: NOW + 5,
        modificationTag: { epoch: task.modificationTag.epoch, index: 1 },
      });
    }
  });

  it('elsewhere than it was placed, or runs, is refused', () => {
    expect(answerOf(() => startTask(placed(), 't', 'cell-2', at()))).toBe(INVALID);
    expect(answerOf(() => startTask(runningTask(), 't', 'cell-2', at()))).toBe(INVALID);
  });
});

describe('3.7 Complete', () => {
  it('keeps the outcome and where it ran, and leaves the cell', () => {
    const outcome = { failed: true, failureReason: 'exited with status 1', result: 'partial' };
    const before = runningTask();
    const transition = completeTask(before, 't', 'cell-1', outcome, at(NOW + 5));
    const { cellId: _cellId, ...rest } = before;
    expect(only<Task>(transition)).toEqual({
      ...rest,
      ...outcome,
      state: 'COMPLETED',
      lastCellId: 'cell-1',
      firstCompletedAt: NOW + 5,
      updatedAt: NOW + 5,
      modificationTag: { epoch: before.modificationTag.epoch, index: 1 },
    });
    expect(eventsOf(transition).map(({ type }) => type)).toEqual(['task_changed']);
  });

  it('by another cell is refused', () => {
    expect(answerOf(() => completeTask(runningTask(), 't', 'cell-2', { failed: false }, at()))).toBe(
      'running-on-different-cell',
    );
  });

  it('keeps a failure reason to 1,024 characters', () => {
    const outcome = { failed: true, failureReason: 'x'.repeat(1_024) };
    const { failureReason } = only<Task>(completeTask(runningTask(), 't', 'cell-1', outcome, at()));
    expect(failureReason).toHaveLength(1_024);
    expect(failureReason).toMatch(/x\(truncated\)$/);
  });
});

describe('3.7 Cancel', () => {
  it('completes it as failed and has its cell end the container', () => {
    for (const task of [runningTask({ result: undefined }), placed()]) {
      const transition = cancelTask(task, 't', at());
      expect(only<Task>(transition)).toMatchObject({
        state: 'COMPLETED',
        failed: true,
        failureReason: 'task was cancelled',
      });
      expect(only<Task>(transition)).not.toHaveProperty('cellId');
      expect(effectsOf(transition).stops).toEqual(
        new Map([['cell-1', { instanceGuids: [], taskGuids: ['t'] }]]),
      );
    }
  });
});

describe('3.7 Reject', () => {
  it('makes it PENDING again, the fourth time failed', () => {
    let task = runningTask();
    for (const rejectionCount of [1, 2, 3]) {
      const transition = rejectTask(task, 't', 'no room', at());
      task = only<Task>(transition);
      expect(task).toMatchObject({ state: 'PENDING', rejectionCount, rejectionReason: 'no room' });
      expect(task).not.toHaveProperty('cellId');
      expect(waitsForCell(transition)).toBe(true);
    }
    const fourth = only<Task>(rejectTask(task, 't', 'no room', at()));
    expect(fourth).toMatchObject({
      state: 'COMPLETED',
      rejectionCount: 4,
      rejectionReason: 'no room',
      ...REJECTED,
    });
    expect(fourth.modificationTag.index).toBe(4);
  });

  it('by a cell is of its own task, and said a second time it is refused', () => {
    const reject = (task: Task) => () => rejectTask(task, 't', 'no room', at(), { cellId: 'cell-1' });
    const placement = { instanceGuid: 't', cellId: 'cell-1', deadline: NOW + 9 };
    for (const task of [runningTask(), pending({ placement })])
      expect(only<Task>(reject(task)())).toMatchObject({ state: 'PENDING', rejectionCount: 1 });
    expect(answerOf(reject(runningTask({ cellId: 'cell-2' })))).toBe('running-on-different-cell');
    expect(answerOf(reject(pending({ rejectionCount: 1 })))).toBe(INVALID);
    expect(answerOf(reject(pending({ placement: { ...placement, cellId: 'cell-2' } })))).toBe(INVALID);
  });

  it('with no retries the first is the last', () => {
    expect(only<Task>(rejectTask(pending(), 't', 'no room', at(), { maxRejections: 0 }))).toMatchObject({
      state: 'COMPLETED',
      ...REJECTED,
    });
  });
});

describe('placement of tasks', () => {
  const placement = { instanceGuid: 't', cellId: 'cell-2', deadline: NOW + 9 };

  it('is for PENDING tasks nobody has been given', () => {
    expect(only<Task>(placeTask(pending(), placement, at()))).toMatchObject({ state: 'PENDING', placement });
    for (const task of [undefined, placed(), runningTask(), completedTask()]) {
      expect(placeTask(task, placement, at())).toEqual([]);
    }
  });

  it('refused by its cell: to be placed again, there last', () => {
    const after = only<Task>(
      refuseTaskPlacement(placed({ refusedBy: ['cell-3'] }), 'cell-1', 'no room', at()),
    );
    expect(after.refusedBy).toEqual(['cell-3', 'cell-1']);
    expect(after).not.toHaveProperty('placement');
    for (const task of [undefined, pending(), runningTask(), placed({ placement })]) {
      expect(refuseTaskPlacement(task, 'cell-1', 'no room', at())).toEqual([]);
    }
  });

  it('that finds no cell is a rejection, at most once in 30 s', () => {
    const first = only<Task>(failTaskPlacement(pending(), 'no room', at()));
    expect(first).toMatchObject({ state: 'PENDING', rejectionCount: 1, rejectionReason: 'no room' });
    expect(failTaskPlacement(first, 'no room', at(NOW + 29_999))).toEqual([]);
    expect(only<Task>(failTaskPlacement(first, 'no room', at(NOW + 30_000)))).toMatchObject({
      rejectionCount: 2,
    });
    for (const task of [undefined, placed(), runningTask()])
      expect(failTaskPlacement(task, 'e', at())).toEqual([]);
  });
});

describe('5.2 convergence of tasks', () => {
  const converge = (task: Task, now = NOW, world = BOTH_CELLS) => convergeTask(task, world, at(now));

  it('5.2.1 PENDING for too long fails', () => {
    expect(converge(pending(), NOW + PENDING_TASK_EXPIRY_MS - 1)).toEqual([]);
    for (const task of [pending(), placed()]) {
      expect(only<Task>(converge(task, NOW + PENDING_TASK_EXPIRY_MS))).toMatchObject({
        state: 'COMPLETED',
        failed: true,
        failureReason: 'not started within time limit',
      });
    }
  });

  it('5.2.2 PENDING is left to the auctioneer; a placement lasts until its deadline, on a cell that is there', () => {
    expect(converge(pending(), NOW + 60_000)).toEqual([]);
    expect(converge(placed(), NOW + 999)).toEqual([]);
    expect(only<Task>(converge(placed(), NOW + 1_000))).toMatchObject({
      state: 'PENDING',
      refusedBy: ['cell-1'],
    });
    expect(only<Task>(converge(placed(), NOW, CELL_2_ONLY))).toMatchObject({
      state: 'PENDING',
      refusedBy: ['cell-1'],
    });
  });

  it.each([
    ['missing', CELL_2_ONLY],
    ['unknown', worldOf()],
  ])('5.2.3 RUNNING on a cell that is %s fails', (_what, world) => {
    expect(converge(runningTask())).toEqual([]);
    expect(only<Task>(converge(runningTask(), NOW, world))).toMatchObject({
      state: 'COMPLETED',
      failed: true,
      failureReason: 'cell disappeared before completion',
    });
  });

  it('5.2.4 RESOLVING for too long is COMPLETED again', () => {
    expect(converge(resolving(), NOW + RESOLVING_TASK_EXPIRY_MS - 1)).toEqual([]);
    const after = only<Task>(converge(resolving(), NOW + RESOLVING_TASK_EXPIRY_MS));
    expect(after).toMatchObject({
      state: 'COMPLETED',
      firstCompletedAt: NOW,
      updatedAt: NOW + RESOLVING_TASK_EXPIRY_MS,
    });
  });

  it('5.2.5 COMPLETED for too long is deleted, counted from its first completion', () => {
    const task = completedTask({ updatedAt: NOW + 60_000 });
    expect(converge(task, NOW + COMPLETED_TASK_EXPIRY_MS - 1)).toEqual([]);
    const transition = converge(task, NOW + COMPLETED_TASK_EXPIRY_MS);
    expect(transition).toEqual([{ kind: 'task', before: task }]);
    expect(eventsOf(transition).map(({ type }) => type)).toEqual(['task_removed']);
  });

  it('completing on a cell’s behalf has that cell end the container, should it come back', () => {
    const transition = failTask(runningTask(), 'cell disappeared before completion', at());
    expect(effectsOf(transition).stops.get('cell-1')).toEqual({ instanceGuids: [], taskGuids: ['t'] });
  });
});
