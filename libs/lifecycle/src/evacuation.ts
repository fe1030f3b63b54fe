import { type ActualLRP, type ActualLRPInstanceKey, notFound, RiveraError } from '#rivera/models';
import { changed, created, isInstance, removed, unclaimedActual } from './actual-lrp-records.js';
import type { RecordChange, Transition } from './change.js';
import type { Context } from './context.js';
import { EVACUATION_TIMEOUT_MS } from './indexes.js';
import {
  crash,
  type InstanceSnapshot,
  isWanted,
  remove,
  sameRun,
  type StartedInstance,
  stop,
  vacate,
} from './instance.js';
import { labelsOf } from './instance-labels.js';
import { instanceOf, type ProcessSnapshot } from './process.js';
import { withFields } from './with-fields.js';

/** What becomes of the records, and whether the leaving cell has to keep its container for now. */
export interface Evacuation {
  transition: Transition;
  keepContainer: boolean;
  /** It is not its turn: nothing was done, and the cell has to ask again. */
  isWaiting?: boolean;
}

/** Bounds of moving instances off cells. */
export interface EvacuationLimits {
  /** When the cell gives up what it kept; milliseconds since the Unix epoch. */
  deadline?: number;
  /** Instances of one LRP that are moved at the same time. */
  maxPerLRP?: number;
}

/**
 * A cell that leaves had claimed this instance and not started it (Diego BBS, EvacuateClaimedActualLRP): it is placed
 * again.
 *
 * Errors: `not-found`.
 */
export function evacuateClaimed(
  instance: InstanceSnapshot,
  key: ActualLRPInstanceKey,
  context: Context,
): Evacuation {
  const row = rowOf(instance, key);
  if (row === undefined) throw notFound('actual LRP', `${instance.processGuid}/${instance.index}`);
  return gone(row.presence === 'ORDINARY' ? vacate(instance, row, context) : [removed(row)]);
}

/** An instance on a leaving cell crashed (Diego BBS, EvacuateCrashedActualLRP): as any crash, placed again at once. */
export function evacuateCrashed(
  instance: InstanceSnapshot,
  key: ActualLRPInstanceKey,
  reason: string,
  context: Context,
): Evacuation {
  return gone(crash(instance, key, reason, context));
}

/** A leaving cell has stopped this instance (Diego BBS, EvacuateStoppedActualLRP). */
export function evacuateStopped(
  instance: InstanceSnapshot,
  key: ActualLRPInstanceKey,
  context: Context,
): Evacuation {
  return gone(remove(instance, key, context));
}

/**
 * A leaving cell gives up an instance it kept for its replacement (Diego BBS, RemoveEvacuatingActualLRP).
 *
 * Errors: `not-found`, `cannot-be-removed` (another instance holds the record).
 */
export function removeEvacuating(
  { evacuating, ...slot }: InstanceSnapshot,
  key: ActualLRPInstanceKey,
): Transition {
  const name = `${slot.processGuid}/${slot.index}`;
  if (evacuating === undefined) throw notFound('evacuating actual LRP', name);
  if (!isInstance(evacuating, key)) {
    throw new RiveraError(
      'cannot-be-removed',
      `The evacuating record of ${name} belongs to ${evacuating.instanceGuid}.`,
    );
  }
  return [removed(evacuating)];
}

/**
 * An instance runs on a cell that leaves (Diego BBS, EvacuateRunningActualLRP). ROLLING: it keeps running as EVACUATING
 * until its replacement runs, at the latest until the deadline, and waits its turn while as many of its LRP as may are
 * on the move. RECREATE: it is stopped first and replaced when it has, and only while all instances of its LRP run, so
 * that one at a time is missing and none overlap. Whoever has to wait keeps its container and asks again.
 */
export function evacuateRunning(
  process: ProcessSnapshot,
  index: number,
  key: ActualLRPInstanceKey,
  started: StartedInstance,
  context: Context,
  { deadline, maxPerLRP = Infinity }: EvacuationLimits = {},
): Evacuation {
  const instance = instanceOf(process, index);
  const { desired, ordinary, evacuating, suspect } = instance;
  const expiresAt = deadline ?? evacuating?.expiresAt ?? context.now + EVACUATION_TIMEOUT_MS;
  const own = rowOf(instance, key);
  const isSettledElsewhere =
    !isInstance(ordinary, key) && (ordinary?.state === 'RUNNING' || ordinary?.state === 'CRASHED');

  if (desired === undefined || !isWanted(desired, index) || ordinary === undefined || isSettledElsewhere) {
    return gone(own === undefined ? [] : [removed(own)]);
  }
  if (own !== undefined && own.state === 'CLAIMED') return evacuateClaimed(instance, key, context);
  if (desired.updateStrategy === 'RECREATE') return recreate(process, own);

  if (own === undefined || own.presence === 'EVACUATING') {
    if (evacuating !== undefined && !isInstance(evacuating, key)) return gone([]);
    const fresh = unclaimedActual(desired, index, context);
    const labels = labelsOf(desired, { ...key, index });
    return kept(keepEvacuating(evacuating, withFields(fresh, key, started, labels, { expiresAt })));
  }
  const moving = process.actuals.filter(({ presence }) => presence === 'EVACUATING');
  if (moving.length >= maxPerLRP) return WAITING;
  const copy: ActualLRP = {
    ...own,
    presence: 'EVACUATING',
    expiresAt,
    modificationTag: { epoch: context.newGuid(), index: 0 },
  };
  const replaced: RecordChange[] = own === suspect ? [removed(own)] : vacate(instance, own, context);
  return kept([{ kind: 'actual', before: evacuating, after: copy }, ...replaced]);
}

function recreate({ desired, actuals }: ProcessSnapshot, own: ActualLRP | undefined): Evacuation {
  if (own === undefined) return gone([]);
  if (own.presence !== 'ORDINARY') return gone([removed(own)]);
  if (own.stopping) return gone([]);
  const running = actuals.filter(
    ({ presence, state, stopping }) => presence === 'ORDINARY' && state === 'RUNNING' && !stopping,
  );
  return running.length >= (desired?.instances ?? 0) ? gone(stop(own)) : WAITING;
}

function keepEvacuating(before: ActualLRP | undefined, reported: ActualLRP): Transition {
  const running = { ...reported, state: 'RUNNING', presence: 'EVACUATING' } as const;
  if (before === undefined) return [created(running)];
  const { netInfo, routable, metricTags, internalRoutes, availabilityZone, since, expiresAt } = running;
  // Its cell leaves now, whatever it was moved for before.
  const end = { expiresAt, moving: undefined };
  if (sameRun(before, running)) {
    return before.expiresAt === expiresAt && !before.moving ? [] : [changed(before, end)];
  }
  return [
    changed(before, { netInfo, routable, metricTags, internalRoutes, availabilityZone, since, ...end }),
  ];
}

function rowOf(
  { ordinary, evacuating, suspect }: InstanceSnapshot,
  key: ActualLRPInstanceKey,
): ActualLRP | undefined {
  return [ordinary, evacuating, suspect].find((row) => isInstance(row, key));
}

const WAITING: Evacuation = { transition: [], keepContainer: true, isWaiting: true };

function gone(transition: Transition): Evacuation {
  return { transition, keepContainer: false };
}

function kept(transition: Transition): Evacuation {
  return { transition, keepContainer: true };
}
