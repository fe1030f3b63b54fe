import type { ActualLRP, CellState, Task } from '#rivera/models';
import { cellOf, removed, unclaimedActual, withoutInstance } from './actual-lrp-records.js';
import { nextTag, type RecordChange, type Transition } from './change.js';
import type { Context } from './context.js';
import { COMPLETED_TASK_EXPIRY_MS, PENDING_TASK_EXPIRY_MS, RESOLVING_TASK_EXPIRY_MS } from './indexes.js';
import { type InstanceSnapshot, isHeldByCell, isWanted, refusePlacement, stop, vacate } from './instance.js';
import { instanceOf, missingInstances, type ProcessSnapshot, relabel } from './process.js';
import { failTask, refuseTaskPlacement } from './task.js';

/** What convergence knows beside the records of one process or task. */
export interface World {
  /** Cell id → state; a cell that is not in it does not exist. */
  cells: ReadonlyMap<string, CellState>;
  /** Is this domain's desired list complete? Gates only what destroys. */
  isFresh(domain: string): boolean;
}

/**
 * Repairs the difference between what one process should be and what it is (Diego BBS, convergence of LRPs). Events,
 * due times and the rolling audit all call this; on a healthy process it returns nothing.
 */
export function convergeProcess(process: ProcessSnapshot, world: World, context: Context): Transition {
  const indices = new Set(process.actuals.map((row) => row.index));
  const repairs = [...indices]
    .toSorted((a, b) => a - b)
    .flatMap((index) => convergeInstance(instanceOf(process, index), world, context));
  const repaired = repairs.flatMap(({ kind, after }) =>
    kind === 'actual' && after !== undefined ? [after] : [],
  );
  return [
    ...repairs,
    ...missingInstances({ ...process, actuals: [...process.actuals, ...repaired] }, context),
  ];
}

/** The repairs of one index. Every record is touched by one rule at most, the first that applies. */
function convergeInstance(instance: InstanceSnapshot, world: World, context: Context): RecordChange[] {
  const { ordinary, suspect, evacuating } = instance;
  const repairs: RecordChange[] = [];

  if (evacuating !== undefined && !isOnPresentCell(evacuating, world)) repairs.push(removed(evacuating));
  if (suspect !== undefined) {
    const settled = settleSuspect(instance, suspect, world);
    if (settled.length > 0) return [...repairs, ...settled];
  }
  if (ordinary !== undefined) repairs.push(...convergeOrdinary(instance, ordinary, world, context));
  return repairs;
}

/** Suspect: replaced, back, or no longer wanted. Otherwise it keeps serving while its replacement starts. */
function settleSuspect(instance: InstanceSnapshot, suspect: ActualLRP, world: World): RecordChange[] {
  const { ordinary, desired } = instance;
  const isReplaced = ordinary?.state === 'RUNNING';
  const isUnwanted = !isWanted(desired, instance.index) && world.isFresh(suspect.domain);
  if (isReplaced || isUnwanted) return [removed(suspect)];
  if (!isOnPresentCell(suspect, world)) return [];
  const after: ActualLRP = { ...suspect, presence: 'ORDINARY', modificationTag: nextTag(suspect) };
  return [
    removed(suspect),
    { kind: 'actual', ...(ordinary === undefined ? {} : { before: ordinary }), after },
  ];
}

function convergeOrdinary(
  instance: InstanceSnapshot,
  ordinary: ActualLRP,
  world: World,
  context: Context,
): RecordChange[] {
  const { desired, suspect, index } = instance;
  const isOnCell = isOnPresentCell(ordinary, world);

  if (ordinary.stopping) return isOnCell ? [] : vacate(instance, ordinary, context);
  if (!isWanted(desired, index)) {
    if (!world.isFresh(ordinary.domain)) return [];
    return isHeldByCell(ordinary) && isOnCell ? stop(ordinary) : [removed(ordinary)];
  }
  if (isHeldByCell(ordinary) && !isOnCell) {
    return suspect === undefined && desired !== undefined
      ? [
          { kind: 'actual', before: ordinary, after: unclaimedActual(desired, index, context) },
          { kind: 'actual', after: { ...ordinary, presence: 'SUSPECT', modificationTag: nextTag(ordinary) } },
        ]
      : [{ kind: 'actual', before: ordinary, after: withoutInstance(ordinary, context) }];
  }
  if (ordinary.placement !== undefined && (!isOnCell || ordinary.placement.deadline <= context.now)) {
    return refusePlacement(instance, ordinary.placement, context);
  }
  if (ordinary.state === 'CRASHED' && ordinary.restartAt !== undefined && ordinary.restartAt <= context.now) {
    return [{ kind: 'actual', before: ordinary, after: withoutInstance(ordinary, context) }];
  }
  return desired === undefined ? [] : relabel(ordinary, desired);
}

/** Repairs one task (Diego BBS, convergence of tasks). */
export function convergeTask(task: Task, world: World, context: Context): Transition {
  const { now } = context;
  switch (task.state) {
    case 'PENDING':
      if (now - task.createdAt >= PENDING_TASK_EXPIRY_MS) {
        return failTask(task, 'not started within time limit', context);
      }
      if (task.placement === undefined) return [];
      if (task.placement.deadline > now && world.cells.get(task.placement.cellId) === 'PRESENT') return [];
      return refuseTaskPlacement(task, task.placement.cellId, context);
    case 'RUNNING':
      return task.cellId !== undefined && world.cells.get(task.cellId) === 'PRESENT'
        ? []
        : failTask(task, 'cell disappeared before completion', context);
    case 'RESOLVING':
      return now - task.updatedAt >= RESOLVING_TASK_EXPIRY_MS
        ? [
            {
              kind: 'task',
              before: task,
              after: { ...task, state: 'COMPLETED', updatedAt: now, modificationTag: nextTag(task) },
            },
          ]
        : [];
    case 'COMPLETED':
      return now - (task.firstCompletedAt ?? task.updatedAt) >= COMPLETED_TASK_EXPIRY_MS
        ? [{ kind: 'task', before: task }]
        : [];
  }
}

function isOnPresentCell(actual: ActualLRP, world: World): boolean {
  const cell = cellOf(actual);
  return cell !== undefined && world.cells.get(cell) === 'PRESENT';
}
