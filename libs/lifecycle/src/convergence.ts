import type { ActualLRP, Cell, CellState, Task } from '#rivera/models';
import { cellOf, changed, removed, unclaimedActual, withoutInstance } from './actual-lrp-records.js';
import { nextTag, type RecordChange, type Transition } from './change.js';
import type { Context } from './context.js';
import {
  COMPLETED_TASK_EXPIRY_MS,
  EVACUATION_TIMEOUT_MS,
  PENDING_TASK_EXPIRY_MS,
  RESOLVING_TASK_EXPIRY_MS,
} from './indexes.js';
import {
  type InstanceSnapshot,
  isHeldByCell,
  isWanted,
  refusePlacement,
  returnHome,
  stop,
  vacate,
} from './instance.js';
import { instanceOf, missingInstances, type ProcessSnapshot, relabel } from './process.js';
import { failTask, refuseTaskPlacement } from './task.js';

/** How a cell stands to its work. HELD: it is missing, and its work is left alone for now (`isLossHeld`). */
export type CellStanding = CellState | 'HELD';

export function standingOf({ state, replacementHeld }: Cell): CellStanding {
  return state === 'MISSING' && replacementHeld ? 'HELD' : state;
}

/** What convergence knows beside the records of one process or task. */
export interface World {
  /** Cell id → standing; a cell that is not in it has left for good or was forgotten. */
  cells: ReadonlyMap<string, CellStanding>;
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

  if (evacuating !== undefined) {
    if (isOverdueMove(instance, evacuating, world, context)) return returnHome(instance);
    repairs.push(...settleEvacuating(instance, evacuating, world, context));
  }
  if (suspect !== undefined) {
    const settled = settleSuspect(instance, suspect, world);
    if (settled.length > 0) return [...repairs, ...settled];
  }
  if (ordinary !== undefined) {
    // What has an end by now cannot be gone back to.
    const rest = repairs.length === 0 ? instance : { ...instance, evacuating: undefined };
    repairs.push(...convergeOrdinary(rest, ordinary, world, context));
  }
  return repairs;
}

/** Does a moving instance still wait for its replacement when it should run by now? */
function isOverdueMove(
  { ordinary }: InstanceSnapshot,
  evacuating: ActualLRP,
  world: World,
  { now }: Context,
): boolean {
  const { moving, expiresAt = Infinity } = evacuating;
  const isWaiting = ordinary?.state !== 'RUNNING' && standingAt(evacuating, world) === 'PRESENT';
  return moving === true && expiresAt <= now && isWaiting;
}

/** Evacuating: replaced, lost, no longer wanted or over its time. Otherwise it keeps serving; all have an end. */
function settleEvacuating(
  { ordinary, desired, index }: InstanceSnapshot,
  evacuating: ActualLRP,
  world: World,
  { now }: Context,
): RecordChange[] {
  const isReplaced = ordinary?.state === 'RUNNING';
  const isUnwanted = !isWanted(desired, index) && world.isFresh(evacuating.domain);
  const { expiresAt } = evacuating;
  const isOver = expiresAt !== undefined && expiresAt <= now;
  if (isReplaced || isUnwanted || isOver || !keepsItsWork(evacuating, world)) return [removed(evacuating)];
  return expiresAt === undefined ? [changed(evacuating, { expiresAt: now + EVACUATION_TIMEOUT_MS })] : [];
}

/**
 * Suspect: replaced, back, no longer wanted, or its cell forgotten, which gives it an end. Otherwise it keeps serving
 * while its replacement starts.
 */
function settleSuspect(instance: InstanceSnapshot, suspect: ActualLRP, world: World): RecordChange[] {
  const { ordinary, desired } = instance;
  const isReplaced = ordinary?.state === 'RUNNING';
  const isUnwanted = !isWanted(desired, instance.index) && world.isFresh(suspect.domain);
  const standing = standingAt(suspect, world);
  if (isReplaced || isUnwanted || standing === undefined) return [removed(suspect)];
  if (standing !== 'PRESENT') return [];
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
  const isOnCell = keepsItsWork(ordinary, world);

  if (ordinary.stopping) return isOnCell ? [] : vacate(instance, ordinary, context);
  if (!isWanted(desired, index)) {
    if (!world.isFresh(ordinary.domain)) return [];
    return isHeldByCell(ordinary) && isOnCell ? stop(ordinary) : [removed(ordinary)];
  }
  if (isHeldByCell(ordinary) && !isOnCell) {
    return suspect === undefined && desired !== undefined && standingAt(ordinary, world) === 'MISSING'
      ? [
          { kind: 'actual', before: ordinary, after: unclaimedActual(desired, index, context) },
          { kind: 'actual', after: { ...ordinary, presence: 'SUSPECT', modificationTag: nextTag(ordinary) } },
        ]
      : [{ kind: 'actual', before: ordinary, after: withoutInstance(ordinary, context) }];
  }
  if (ordinary.placement !== undefined && (!isOnCell || ordinary.placement.deadline <= context.now)) {
    return refusePlacement(instance, ordinary.placement, noAnswer(isOnCell), context);
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
    case 'PENDING': {
      if (now - task.createdAt >= PENDING_TASK_EXPIRY_MS) {
        return failTask(task, 'not started within time limit', context);
      }
      if (task.placement === undefined) return [];
      const standing = world.cells.get(task.placement.cellId);
      if (task.placement.deadline > now && isKept(standing)) return [];
      return refuseTaskPlacement(task, task.placement.cellId, noAnswer(isKept(standing)), context);
    }
    case 'RUNNING':
      return isKept(world.cells.get(task.cellId ?? ''))
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

/**
 * From when on, in milliseconds since the Unix epoch, the mere passing of time may make a rule of convergence apply to a
 * record to which none applies now. Whatever else may is a change of a record, of a cell or of a domain.
 */
export function restsUntil(kind: 'actual' | 'task', record: ActualLRP | Task): number {
  return kind === 'actual' ? actualRestsUntil(record as ActualLRP) : taskRestsUntil(record as Task);
}

function actualRestsUntil({ placement, restartAt, expiresAt }: ActualLRP): number {
  return Math.min(placement?.deadline ?? Infinity, restartAt ?? Infinity, expiresAt ?? Infinity);
}

function taskRestsUntil({
  state,
  createdAt,
  updatedAt,
  firstCompletedAt = updatedAt,
  placement,
}: Task): number {
  switch (state) {
    case 'PENDING':
      return Math.min(createdAt + PENDING_TASK_EXPIRY_MS, placement?.deadline ?? Infinity);
    case 'RUNNING':
      return Infinity;
    case 'RESOLVING':
      return updatedAt + RESOLVING_TASK_EXPIRY_MS;
    case 'COMPLETED':
      return firstCompletedAt + COMPLETED_TASK_EXPIRY_MS;
  }
}

function noAnswer(isCellThere: boolean): string {
  return isCellThere ? 'no answer before the deadline' : 'the cell is gone';
}

function keepsItsWork(actual: ActualLRP, world: World): boolean {
  return isKept(standingAt(actual, world));
}

function isKept(standing: CellStanding | undefined): boolean {
  return standing === 'PRESENT' || standing === 'HELD';
}

function standingAt(actual: ActualLRP, world: World): CellStanding | undefined {
  return world.cells.get(cellOf(actual) ?? '');
}
