/** Diego BBS reference §12.2: what holds in every reachable state. A failure prints the walk that led there. */
import * as fc from 'fast-check';
import {
  cancelTask,
  completeTask,
  convergeTask,
  desireTask,
  EVACUATION_TIMEOUT_MS,
  eventsOf,
  failTaskPlacement,
  indexEntries,
  placeTask,
  refuseTaskPlacement,
  rejectTask,
  resolveTask,
  startTask,
  type Transition,
} from '#rivera/lifecycle';
import { type CellState, RiveraError, type Task } from '#rivera/models';
import { aTaskDefinition } from '../support/builders.js';
import { at, NOW } from './lifecycle-fixtures.js';
import { CELLS, Model, OPS, type Step } from './lifecycle-model.js';

const RUNS = { numRuns: 100 };
/** What leads somewhere is done more often. */
const WEIGHTED = [
  ...OPS,
  'place',
  'claim',
  'claim',
  'start',
  'start',
  'cell-lost',
  'evacuate',
  'converge',
  'converge',
] as const;

const elapsed = fc.constantFrom(0, 1, 5_000, 15_000, 40_000, 400_000);
const step = fc.record<Step>({
  op: fc.constantFrom(...WEIGHTED),
  index: fc.nat({ max: 3 }),
  pick: fc.nat({ max: 11 }),
  elapsedMs: elapsed,
});
// Most walks begin with something to play with.
const walks = fc
  .tuple(fc.nat({ max: 3 }), fc.array(step, { minLength: 1, maxLength: 50, size: 'max' }))
  .map(([instances, steps]): Step[] => [{ op: 'desire', index: 0, pick: instances, elapsedMs: 0 }, ...steps]);

function walked(steps: Step[]): Model {
  const model = new Model();
  for (const each of steps) model.take(each);
  return model;
}

describe('12.2 actual LRPs', () => {
  it('every interleaving keeps every invariant, and events tell all of it', () => {
    fc.assert(
      fc.property(walks, (steps) => {
        walked(steps);
      }),
      RUNS,
    );
  });

  it('the walks reach every state and presence', () => {
    const reached = new Set<string>();
    const model = (steps: Step[]) => {
      const m = new Model();
      for (const each of steps) {
        m.take(each);
        for (const { state, presence } of m.actuals.values()) reached.add(`${presence} ${state}`);
      }
    };
    for (const steps of fc.sample(walks, { numRuns: 200, seed: 1 })) model(steps);
    expect([...reached].toSorted()).toEqual([
      'EVACUATING RUNNING',
      'ORDINARY CLAIMED',
      'ORDINARY CRASHED',
      'ORDINARY RUNNING',
      'ORDINARY UNCLAIMED',
      'SUSPECT CLAIMED',
      'SUSPECT RUNNING',
    ]);
  });

  it('12.2.7 convergence destroys nothing in a domain that is not fresh', () => {
    fc.assert(
      fc.property(walks, (steps) => {
        const model = walked(steps);
        model.isFresh = false;
        for (const cellId of CELLS) model.cells.set(cellId, 'PRESENT');
        const before = model.process.actuals.filter(
          ({ instanceGuid, stopping, expiresAt = Infinity }) =>
            instanceGuid !== undefined && !stopping && expiresAt > model.now,
        );
        model.converge();
        const { actuals, desired } = model.process;
        for (const row of before) {
          const isStopped = !actuals.some((now) => now.instanceGuid === row.instanceGuid && !now.stopping);
          // The loser between a suspect that came back and its replacement has to go, fresh or not.
          const isReplaced = actuals.some((now) => now.index === row.index && now.instanceGuid !== undefined);
          if (isStopped) expect(isReplaced && desired !== undefined).toBe(true);
        }
      }),
      RUNS,
    );
  });

  it('convergence comes to an end, with exactly the wanted indices in a fresh domain', () => {
    fc.assert(
      fc.property(walks, (steps) => {
        const model = walked(steps);
        expect(model.converge()).toBeLessThanOrEqual(2);
        model.cellsFinish();
        expect(model.converge()).toBeLessThanOrEqual(2);
        const wanted = Array.from({ length: model.desired?.instances ?? 0 }, (_, index) => index);
        expect(model.indicesOf('ORDINARY')).toEqual(wanted);
        expect(wanted).toEqual(expect.arrayContaining(model.indicesOf('SUSPECT')));
        expect(model.indicesOf('EVACUATING')).toEqual([]);
        for (const row of model.process.actuals) {
          const standing = model.cells.get(row.cellId ?? '');
          if (row.instanceGuid === undefined) continue;
          if (row.presence === 'ORDINARY') expect(['PRESENT', 'HELD']).toContain(standing);
          else expect(['MISSING', 'HELD']).toContain(standing);
        }
      }),
      RUNS,
    );
  });

  it('12.3 whatever evacuates or is suspect ends by itself', () => {
    fc.assert(
      fc.property(walks, (steps) => {
        const model = walked(steps);
        model.converge();
        model.now += EVACUATION_TIMEOUT_MS;
        for (const cellId of CELLS) model.forget(cellId);
        model.converge();
        expect([...model.indicesOf('EVACUATING'), ...model.indicesOf('SUSPECT')]).toEqual([]);
      }),
      RUNS,
    );
  });

  it('the safety stop: what wanted instances run on a held cell, they go on running there', () => {
    fc.assert(
      fc.property(walks, (steps) => {
        const model = walked(steps);
        for (const cellId of CELLS) model.cells.set(cellId, 'PRESENT');
        model.converge();
        for (const cellId of CELLS) model.hold(cellId);
        const held = model.process.actuals.filter(({ state }) => state === 'CLAIMED' || state === 'RUNNING');
        model.converge();
        expect(model.process.actuals).toEqual(expect.arrayContaining(held));
      }),
      RUNS,
    );
  });
});

describe('12.2 tasks', () => {
  const VERBS = [
    'desire',
    'place',
    'fail-placement',
    'refuse',
    'start',
    'complete',
    'cancel',
    'reject',
    'resolve',
    'converge',
  ] as const;
  const taskStep = fc.record({
    verb: fc.constantFrom(...VERBS),
    cellId: fc.constantFrom(...CELLS),
    isCellLost: fc.boolean(),
    elapsedMs: elapsed,
  });
  const order: Task['state'][] = ['PENDING', 'RUNNING', 'COMPLETED', 'RESOLVING'];

  it('12.2.6 a task completes once, and what is said of it fits its state', () => {
    fc.assert(
      fc.property(fc.array(taskStep, { maxLength: 40, size: 'max' }), (steps) => {
        let task: Task | undefined;
        let now = NOW;
        let lives = 0;
        for (const { verb, cellId, isCellLost, elapsedMs } of steps) {
          now += elapsedMs;
          const cells = new Map<string, CellState>(
            CELLS.map((id) => [id, isCellLost && id === cellId ? 'MISSING' : 'PRESENT']),
          );
          const context = { ...at(now), newGuid: () => `life-${(lives += 1)}` };
          const before = task;
          const rules: Record<(typeof VERBS)[number], () => Transition> = {
            desire: () =>
              desireTask(before, { taskGuid: 't', domain: 'd', definition: aTaskDefinition() }, context),
            place: () => placeTask(before, { instanceGuid: 't', cellId, deadline: now + 10_000 }, context),
            'fail-placement': () => failTaskPlacement(before, 'no room', context),
            refuse: () => refuseTaskPlacement(before, cellId, 'no room', context),
            start: () => startTask(before, 't', cellId, context),
            complete: () => completeTask(before, 't', cellId, { failed: false }, context),
            cancel: () => cancelTask(before, 't', context),
            resolve: () => resolveTask(before, 't', context),
            reject: () => rejectTask(before, 't', 'no room', context),
            converge: () =>
              before === undefined ? [] : convergeTask(before, { cells, isFresh: () => true }, context),
          };
          let transition: Transition = [];
          try {
            transition = rules[verb]();
          } catch (error) {
            if (!(error instanceof RiveraError)) throw error;
          }
          if (transition.length === 0) continue;
          expect(transition).toHaveLength(1);
          expect(transition[0]!.before).toEqual(before);
          expect(eventsOf(transition)).toHaveLength(1);
          task = transition[0]!.after as Task | undefined;
          if (task !== undefined) checkTask(task, before);
        }
      }),
      RUNS,
    );
  });

  function checkTask(task: Task, before: Task | undefined): void {
    const { state, modificationTag, placement, cellId, failed, firstCompletedAt } = task;
    const expectedTag = before === undefined ? 0 : before.modificationTag.index + 1;
    expect(modificationTag.index).toBe(expectedTag);
    if (before !== undefined) expect(modificationTag.epoch).toBe(before.modificationTag.epoch);
    expect(cellId !== undefined).toBe(state === 'RUNNING');
    if (placement !== undefined) expect(state).toBe('PENDING');
    const isCompleted = order.indexOf(state) >= 2;
    expect([failed !== undefined, firstCompletedAt !== undefined]).toEqual([isCompleted, isCompleted]);
    if (before?.firstCompletedAt !== undefined) expect(firstCompletedAt).toBe(before.firstCompletedAt);
    const entries = indexEntries('task', task);
    expect(new Set(entries.map(({ index }) => index)).size).toBe(entries.length);
  }
});
