/** Convergence is a matter of records, cells, domains and time; `restsUntil` says from when on it is one of time alone. */
import { fc, test } from '@fast-check/vitest';
import { convergeProcess, convergeTask, restsUntil, type World } from '#rivera/lifecycle';
import { type ActualLRP, PRESENCES, type Task } from '#rivera/models';
import { aSchedulingInfo, aTask, anActualLRP } from '../support/builders.js';

const NOW = 10_000_000;
const soon = fc.option(fc.integer({ min: NOW - 5_000, max: NOW + 60_000 }), { nil: undefined });
const cellId = fc.constantFrom('present', 'missing', 'held', 'forgotten');
const world: World = {
  cells: new Map([
    ['present', 'PRESENT'],
    ['missing', 'MISSING'],
    ['held', 'HELD'],
  ]),
  isFresh: (domain) => domain === 'some-domain',
};
const at = (now: number) => ({ now, newGuid: () => 'guid' });
const later = fc.integer({ min: 0, max: 4_000_000 }).map((ms) => NOW + ms);

const actual = fc
  .record({
    presence: fc.constantFrom(...PRESENCES),
    state: fc.constantFrom('UNCLAIMED', 'CLAIMED', 'RUNNING', 'CRASHED'),
    cellId: fc.option(cellId, { nil: undefined }),
    placement: fc.option(
      fc.record({
        instanceGuid: fc.constant('p'),
        cellId,
        deadline: fc.integer({ min: NOW - 9, max: NOW + 60_000 }),
      }),
      { nil: undefined },
    ),
    restartAt: soon,
    expiresAt: soon,
    moving: fc.option(fc.boolean(), { nil: undefined }),
    stopping: fc.option(fc.boolean(), { nil: undefined }),
    index: fc.integer({ min: 0, max: 2 }),
  })
  .map((fields) =>
    anActualLRP({ ...fields, ...(fields.cellId && { instanceGuid: 'i' }) } as Partial<ActualLRP>),
  );

test.prop([
  fc.array(actual, { maxLength: 4 }),
  fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
  later,
])('a process to which no rule applies now is left alone until then', (actuals, instances, moment) => {
  const desired = instances === undefined ? undefined : aSchedulingInfo({ instances });
  const process = { processGuid: anActualLRP().processGuid, desired, actuals };
  fc.pre(convergeProcess(process, world, at(NOW)).length === 0);
  fc.pre(actuals.every((row) => moment < restsUntil('actual', row)));
  expect(convergeProcess(process, world, at(moment))).toEqual([]);
});

const task = fc
  .record({
    state: fc.constantFrom('PENDING', 'RUNNING', 'COMPLETED', 'RESOLVING'),
    cellId: fc.option(cellId, { nil: undefined }),
    createdAt: fc.integer({ min: NOW - 1_900_000, max: NOW }),
    updatedAt: fc.integer({ min: NOW - 130_000, max: NOW }),
    firstCompletedAt: fc.option(fc.integer({ min: NOW - 130_000, max: NOW }), { nil: undefined }),
    placement: fc.option(
      fc.record({
        instanceGuid: fc.constant('p'),
        cellId,
        deadline: fc.integer({ min: NOW - 9, max: NOW + 60_000 }),
      }),
      { nil: undefined },
    ),
  })
  .map((fields) => aTask(fields as Partial<Task>));

test.prop([task, later])('a task to which no rule applies now is left alone until then', (each, moment) => {
  fc.pre(convergeTask(each, world, at(NOW)).length === 0);
  fc.pre(moment < restsUntil('task', each));
  expect(convergeTask(each, world, at(moment))).toEqual([]);
});
