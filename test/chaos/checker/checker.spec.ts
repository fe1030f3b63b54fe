import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ActualLRP, RiveraEvent } from '#rivera/models';
import { aCell, anActualLRP, aRunningActualLRP, aSchedulingInfo, aTask } from '#test/builders.js';
import { PROJECT } from '#test/build.js';
import { startOf } from '../engine-view.js';
import { planFaults } from '../fault-plan.js';
import { Chance } from '../random.js';
import { SEEDED_BUGS, withBug } from '../seeded-bugs.js';
import { drift } from './drift.js';
import { History } from './history.js';
import { brokenPromises, Promises } from './promises.js';
import { type EngineRun, runViolations } from './runs.js';

const next = <T extends { modificationTag: { epoch: string; index: number } }>(
  record: T,
  fields: Partial<T>,
): T => ({
  ...record,
  modificationTag: { ...record.modificationTag, index: record.modificationTag.index + 1 },
  ...fields,
});
const told = (...commits: RiveraEvent[][]): History => {
  const history = new History();
  commits.forEach((events, i) => history.take({ atMs: 1_000 * (i + 1), events }));
  return history;
};
const created = (after: ActualLRP): RiveraEvent => ({ type: 'actual_lrp_created', after });
const changed = (before: ActualLRP, after: ActualLRP): RiveraEvent => ({
  type: 'actual_lrp_changed',
  before,
  after,
});
const removed = (before: ActualLRP): RiveraEvent => ({ type: 'actual_lrp_removed', before });
const waiting = anActualLRP({ processGuid: 'app' });
const running = next(waiting, { state: 'RUNNING', instanceGuid: 'one', cellId: 'cell-1' });

describe('the history', () => {
  it('finds nothing in what follows from what came before', () => {
    const again = anActualLRP({ processGuid: 'app' });
    const history = told([created(waiting)], [changed(waiting, running)], [created(again), removed(running)]);
    expect(history.violations).toEqual([]);
    expect([...history.actuals.values()]).toEqual([again]);
  });

  it('notices an event that was not written', () => {
    const stopping = next(next(running, {}), { stopping: true });
    expect(told([created(waiting)], [changed(running, stopping)]).violations).not.toEqual([]);
    expect(
      told([created(waiting)], [changed(waiting, running)], [created(next(running, {}))]).violations,
    ).not.toEqual([]);
  });

  it('notices a second ORDINARY record of an index, but not one beside a suspect', () => {
    const other = aRunningActualLRP({ processGuid: 'app', instanceGuid: 'two' });
    const begin = [[created(waiting)], [changed(waiting, running)]];
    expect(told(...begin, [created(other)]).violations).toEqual(['app/0 has more than one ORDINARY record']);
    const suspect = next(running, { presence: 'SUSPECT' });
    expect(told(...begin, [changed(running, suspect), created(other)]).violations).toEqual([]);
  });

  it('notices a task that has two results, a result that changes, and one that goes without', () => {
    const task = aTask({ taskGuid: 'task' });
    const runs = next(task, { state: 'RUNNING', cellId: 'cell-1' });
    const done = next(runs, { state: 'COMPLETED', cellId: undefined, failed: false });
    const begin: RiveraEvent[][] = [
      [{ type: 'task_created', after: task }],
      [{ type: 'task_changed', before: task, after: runs }],
    ];
    const ends: RiveraEvent[] = [{ type: 'task_changed', before: runs, after: done }];
    expect(told(...begin, ends).violations).toEqual([]);
    const back = next(done, { state: 'RUNNING', cellId: 'cell-2' });
    const twice = next(back, { state: 'COMPLETED', failed: true });
    const again: RiveraEvent[][] = [
      [{ type: 'task_changed', before: done, after: back }],
      [{ type: 'task_changed', before: back, after: twice }],
    ];
    expect(told(...begin, ends, ...again).violations).toContain('task task has 2 results');
    const other = next(done, { failed: true });
    expect(told(...begin, ends, [{ type: 'task_changed', before: done, after: other }]).violations).toEqual([
      'the result of task task has changed',
    ]);
    expect(told(...begin, [{ type: 'task_removed', before: runs }]).violations).toEqual([
      'task task was removed while it was RUNNING',
    ]);
  });
});

describe('what ran', () => {
  const run = (handle: string, cellId: string, startedMs: number, endedMs?: number): EngineRun => ({
    handle,
    cellId,
    startedMs,
    ...(endedMs !== undefined && { endedMs }),
  });
  const two = next(anActualLRP({ processGuid: 'app' }), {
    state: 'RUNNING',
    instanceGuid: 'two',
    cellId: 'cell-2',
  });
  const begin: RiveraEvent[][] = [[created(waiting)], [changed(waiting, running)]];

  it('one after the other is right, beside each other is not', () => {
    const history = told(...begin, [created(two), removed(running)]);
    expect(runViolations(history, [run('one', 'cell-1', 2_000, 2_900), run('two', 'cell-2', 3_000)])).toEqual(
      [],
    );
    expect(
      runViolations(history, [run('one', 'cell-1', 2_000, 3_500), run('two', 'cell-2', 3_000)]),
    ).toHaveLength(1);
  });

  it('beside each other is right where the first was a suspect, or its cell was missing', () => {
    const runs = [run('one', 'cell-1', 2_000, 9_000), run('two', 'cell-2', 6_000)];
    const suspect = next(running, { presence: 'SUSPECT' });
    expect(runViolations(told(...begin, [changed(running, suspect)], [created(two)]), runs)).toEqual([]);
    const there = aCell({ cellId: 'cell-1' });
    const missing = next(there, { state: 'MISSING' });
    const cells: RiveraEvent[][] = [
      [{ type: 'cell_created', after: there }],
      [{ type: 'cell_changed', before: there, after: missing }],
    ];
    expect(runViolations(told(...begin, ...cells, [created(two), removed(running)]), runs)).toEqual([]);
  });

  it('notices strangers, tasks that ran twice and results that nobody had', () => {
    const task = aTask({ taskGuid: 'task' });
    const runs = next(task, { state: 'RUNNING', cellId: 'cell-1' });
    const done = next(runs, { state: 'COMPLETED', cellId: undefined, failed: false });
    const history = told(
      [{ type: 'task_created', after: task }],
      [{ type: 'task_changed', before: task, after: runs }],
      [{ type: 'task_changed', before: runs, after: done }],
    );
    expect(runViolations(history, [run('task', 'cell-1', 1, 2)])).toEqual([]);
    expect(runViolations(history, [run('task', 'cell-1', 1, 2), run('task', 'cell-2', 3, 4)])).toEqual([
      expect.stringMatching(/^task task ran 2 times: on cell-1 from .* to .*; on cell-2 from /),
    ]);
    expect(runViolations(history, [])).toEqual(['task task succeeded without having run']);
    expect(runViolations(history, [{ ...run('task', 'cell-1', 1, 2), exitStatus: 1 }])).toHaveLength(1);
    expect(runViolations(told(), [run('who', 'cell-1', 1)])).toEqual([
      'nobody gave cell-1 the container who',
    ]);
  });
});

describe('what was promised', () => {
  const desired = aSchedulingInfo({ processGuid: 'app', instances: 2, annotation: 'first' });
  const promises = (fields: Partial<Promises>): Promises => Object.assign(new Promises(), fields);

  it('an acknowledged write must have happened, and what is desired must be what was said last', () => {
    const history = told([{ type: 'desired_lrp_created', after: desired }]);
    const said = (annotation: string, ...outcomes: (number | undefined)[]) =>
      promises({ writes: [{ processGuid: 'app', annotation }], desired: new Map([['app', outcomes]]) });
    expect(brokenPromises(history, said('first', 2))).toEqual([]);
    expect(brokenPromises(history, said('first', undefined, 2))).toEqual([]);
    expect(brokenPromises(history, said('second', 2))).toHaveLength(1);
    expect(brokenPromises(history, said('first', 3))).toHaveLength(1);
    expect(brokenPromises(history, promises({}))).toEqual(['nobody desired app']);
  });

  it('an acknowledged task must be known, a cancelled one must have a result', () => {
    const history = told([{ type: 'task_created', after: aTask({ taskGuid: 'task' }) }]);
    expect(brokenPromises(history, promises({ tasks: new Set(['task']) }))).toEqual([]);
    expect(brokenPromises(history, promises({ tasks: new Set(['task', 'lost']) }))).toHaveLength(1);
    expect(
      brokenPromises(history, promises({ tasks: new Set(['task']), cancelled: new Set(['task']) })),
    ).toHaveLength(1);
  });
});

describe('the drift', () => {
  it('is nothing when each desired instance runs in one container, and is told otherwise', () => {
    const history = told(
      [{ type: 'desired_lrp_created', after: aSchedulingInfo({ processGuid: 'app', instances: 1 }) }],
      [created(waiting)],
      [changed(waiting, running)],
    );
    const container = { handle: 'one', cellId: 'cell-1' };
    const alive = { ...container, startedMs: 1 };
    expect(drift(history, { containers: [container], running: [alive] })).toEqual([]);
    expect(drift(history, { containers: [], running: [] })).toHaveLength(1);
    expect(
      drift(history, { containers: [container, { handle: 'left', cellId: 'cell-1' }], running: [alive] }),
    ).toEqual(['the container left on cell-1 has no record']);
  });
});

describe('the plan of faults', () => {
  it('is the same for the same seed, and another for another', () => {
    const planOf = (seed: number) =>
      planFaults(new Chance(seed), {
        durationMs: 60_000,
        gapMs: 1_000,
        presenceTtlMs: 10_000,
        targets: { programs: ['bbs', 'cell-1'], links: ['cell-1→bbs'], cells: ['cell-1'], hasEngine: true },
      });
    expect(planOf(1)).toEqual(planOf(1));
    expect(planOf(1)).not.toEqual(planOf(2));
  });
});

describe('the view of an engine', () => {
  it('knows when a container started whose start the engine itself did not note', () => {
    expect(startOf('2026-01-02T03:04:05.678Z', 1)).toBe(Date.UTC(2026, 0, 2, 3, 4, 5, 678));
    for (const unknown of ['0001-01-01T00:00:00Z', '', undefined]) expect(startOf(unknown, 7)).toBe(7);
  });
});

describe('the seeded bugs', () => {
  it.each(SEEDED_BUGS)('$name: there still is something to break', (bug) => {
    // The compiled file, because that is what the bug is put into.
    const source = readFileSync(join(PROJECT, 'dist', bug.file), 'utf8');
    expect(withBug(source, bug)).not.toBe(source);
  });
});
