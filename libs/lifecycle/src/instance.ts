import {
  type ActualLRP,
  type ActualLRPInstanceKey,
  type ActualLRPKey,
  type ActualLRPNetInfo,
  type DesiredLRPSchedulingInfo,
  type ErrorCode,
  type Placement,
  RiveraError,
  notFound,
} from '#rivera/models';
import {
  changed,
  created,
  isInstance,
  isUnplaced,
  NOT_PLACED,
  refused,
  removed,
  truncated,
  unclaimedActual,
  withoutInstance,
} from './actual-lrp-records.js';
import { nextTag, type Transition } from './change.js';
import type { Context } from './context.js';
import { type InstanceLabels, isLabelledOtherwise, labelsOf } from './instance-labels.js';
import { nextCrashCount, restartDelayMs } from './restart-policy.js';
import { withFields } from './with-fields.js';

/** Everything the rules of one instance slot look at. */
export interface InstanceSnapshot extends ActualLRPKey {
  desired?: DesiredLRPSchedulingInfo;
  ordinary?: ActualLRP;
  evacuating?: ActualLRP;
  suspect?: ActualLRP;
}

/** What a cell says when an instance runs. */
export interface StartedInstance {
  netInfo: ActualLRPNetInfo;
  routable: boolean;
  availabilityZone: string;
}

/** Is this index wanted by the desired LRP? */
export function isWanted(desired: DesiredLRPSchedulingInfo | undefined, index: number): boolean {
  return desired !== undefined && index < desired.instances;
}

/**
 * The auctioneer gives an UNCLAIMED instance to a cell, until `placement.deadline`. Someone else was faster: no change.
 */
export function place(instance: InstanceSnapshot, placement: Placement): Transition {
  const { ordinary } = instance;
  if (ordinary === undefined || !isUnplaced(ordinary)) return [];
  return [changed(ordinary, { placement, placementError: undefined })];
}

/**
 * No cell could take it (Diego BBS, FailActualLRP). The same error again changes nothing, so a blocked instance is
 * silent until its reason changes.
 */
export function failPlacement(instance: InstanceSnapshot, error: string): Transition {
  const { ordinary } = instance;
  const placementError = truncated(error);
  if (ordinary === undefined || !isUnplaced(ordinary) || ordinary.placementError === placementError)
    return [];
  return [changed(ordinary, { placementError })];
}

/**
 * The cell it was given to will not take it, or never answered: place it again, there last. What was only moved for a
 * better place goes on where it was.
 */
export function refusePlacement(
  instance: InstanceSnapshot,
  key: ActualLRPInstanceKey,
  reason: string,
  context: Context,
): Transition {
  const { ordinary } = instance;
  const { placement } = ordinary ?? {};
  if (ordinary?.state !== 'UNCLAIMED' || placement === undefined) return [];
  if (placement.instanceGuid !== key.instanceGuid || placement.cellId !== key.cellId) return [];
  if (isMoving(instance.evacuating)) return returnHome(instance);
  return [changed(ordinary, { placement: undefined, ...refused(ordinary, key.cellId, reason, context) })];
}

/**
 * A cell takes an instance (Diego BBS, ClaimActualLRP). The cell it was placed on may claim it; any cell may while no
 * placement stands. Claiming again, also once it runs, is a suspect or evacuates, is success without a change: that is
 * how an agent that was restarted takes its instances back.
 *
 * Errors: `not-found` (no such instance), `cannot-be-claimed` (it is someone else's).
 */
export function claim(instance: InstanceSnapshot, key: ActualLRPInstanceKey, context: Context): Transition {
  const { ordinary, evacuating, suspect } = instance;
  if ([ordinary, evacuating, suspect].some((row) => isInstance(row, key))) return [];
  if (ordinary === undefined) throw notFound('actual LRP', slot(instance));
  if (ordinary.state !== 'UNCLAIMED' || !placementAllows(ordinary, key)) {
    throw refusal('cannot-be-claimed', 'claimed', ordinary, key);
  }
  return [
    {
      kind: 'actual',
      before: ordinary,
      after: withFields(ordinary, NOT_PLACED, key, {
        state: 'CLAIMED',
        netInfo: undefined,
        routable: undefined,
        since: context.now,
        modificationTag: nextTag(ordinary),
      }),
    },
  ];
}

/**
 * An instance runs (Diego BBS, StartActualLRP). Saying the same again is a heart-beat and changes nothing. A slot
 * without a record gets one if the desired LRP still wants that index. Whoever it replaces (EVACUATING, SUSPECT) goes;
 * these may say how they run as well, so that nothing is missing when a suspect is ordinary again.
 *
 * Errors: `cannot-be-started` (the slot belongs to another instance, or nobody wants it): the cell stops its copy.
 */
export function start(
  instance: InstanceSnapshot,
  key: ActualLRPInstanceKey,
  started: StartedInstance,
  context: Context,
): Transition {
  const { ordinary, evacuating, suspect, desired } = instance;
  const aside = [evacuating, suspect].filter((row) => row !== undefined);
  const own = aside.find((row) => isInstance(row, key));
  const { instanceGuid, cellId } = key;
  const { netInfo, routable, availabilityZone } = started;
  const { metricTags, internalRoutes } = labelsOf(desired, { index: instance.index, instanceGuid });
  const run = { instanceGuid, cellId, netInfo, routable, availabilityZone, metricTags, internalRoutes };
  if (own !== undefined) return runs(own, run, context);
  const replaced = aside.map(removed);

  if (ordinary === undefined) {
    if (desired === undefined || !isWanted(desired, instance.index)) {
      throw new RiveraError('cannot-be-started', `Nobody wants ${slot(instance)} any more. Stop this copy.`);
    }
    const fresh = unclaimedActual(desired, instance.index, context);
    return [created(withFields(fresh, run, { state: 'RUNNING' })), ...replaced];
  }

  const allowed = ordinary.state === 'UNCLAIMED' ? placementAllows(ordinary, key) : isInstance(ordinary, key);
  if (!allowed) throw refusal('cannot-be-started', 'started', ordinary, key);

  return [...runs(ordinary, run, context), ...replaced];
}

/**
 * An instance ended without being asked to (Diego BBS, CrashActualLRP and restart policy): it starts again at once, or
 * is CRASHED until its back-off is over. A crash while stopping is a stop. A crash of a suspect removes the suspect.
 *
 * Errors: `not-found`, `cannot-be-crashed` (the slot belongs to another instance).
 */
export function crash(
  instance: InstanceSnapshot,
  key: ActualLRPInstanceKey,
  reason: string,
  context: Context,
): Transition {
  const { ordinary, evacuating, suspect, desired } = instance;
  if (isInstance(suspect, key)) return [removed(suspect)];
  if (isInstance(evacuating, key)) return [removed(evacuating)];
  if (ordinary === undefined) throw notFound('actual LRP', slot(instance));
  if (!isInstance(ordinary, key)) throw refusal('cannot-be-crashed', 'crashed', ordinary, key);
  if (ordinary.stopping || !isWanted(desired, instance.index)) return vacate(instance, ordinary, context);
  if (isMoving(evacuating)) return returnHome(instance);

  const policy = desired?.restartPolicy;
  const runningSince = ordinary.state === 'RUNNING' ? ordinary.since : undefined;
  const crashCount = nextCrashCount(ordinary.crashCount, runningSince, context.now, policy);
  const delay = restartDelayMs(crashCount, policy);
  const crashReason = truncated(reason);
  const after: ActualLRP = {
    ...withoutInstance(ordinary, context),
    crashCount,
    crashReason,
    ...(delay === 0 ? {} : { state: 'CRASHED' as const }),
    ...(delay === undefined || delay === 0 ? {} : { restartAt: context.now + delay }),
  };
  return [{ kind: 'actual', before: ordinary, after, crash: { crashCount, crashReason } }];
}

/**
 * A cell no longer has this instance, because it was asked to stop it or because it is not there (Diego BBS,
 * RemoveActualLRP). If the index is still wanted a new instance takes its place at once.
 *
 * Errors: `not-found` when the slot is empty or belongs to another instance.
 */
export function remove(instance: InstanceSnapshot, key: ActualLRPInstanceKey, context: Context): Transition {
  const { ordinary, evacuating, suspect } = instance;
  if (isInstance(suspect, key)) return [removed(suspect)];
  if (isInstance(evacuating, key)) return [removed(evacuating)];
  if (!isInstance(ordinary, key)) {
    throw notFound('actual LRP', `${slot(instance)} of instance ${key.instanceGuid}`);
  }
  return vacate(instance, ordinary, context);
}

/**
 * Someone wants this instance stopped and replaced (Diego BBS, RetireActualLRP). On a cell that is present it is asked
 * to stop and replaced when it has; otherwise it is replaced at once.
 *
 * Errors: `not-found`.
 */
export function retire(instance: InstanceSnapshot, isCellPresent: boolean, context: Context): Transition {
  const { ordinary } = instance;
  if (ordinary === undefined) throw notFound('actual LRP', slot(instance));
  if (isHeldByCell(ordinary) && isCellPresent) return stop(ordinary);
  return vacate(instance, ordinary, context);
}

/** Ask the cell that holds an instance to stop it; asking twice changes nothing. */
export function stop(actual: ActualLRP): Transition {
  return actual.stopping ? [] : [changed(actual, { stopping: true })];
}

/** CLAIMED or RUNNING: there is, or will be, a container on a cell. */
export function isHeldByCell(actual: ActualLRP): boolean {
  return actual.state === 'CLAIMED' || actual.state === 'RUNNING';
}

/** Empties a slot: the record goes, or a new instance starts in its place if the index is wanted. */
export function vacate(instance: InstanceSnapshot, row: ActualLRP, context: Context): Transition {
  const { desired } = instance;
  if (desired === undefined || !isWanted(desired, instance.index)) return [removed(row)];
  return [{ kind: 'actual', before: row, after: unclaimedActual(desired, instance.index, context) }];
}

/** Is this the old copy of an instance that moves without need (`moveInstance`)? */
export function isMoving(evacuating: ActualLRP | undefined): boolean {
  return evacuating?.moving === true;
}

/** A move came to nothing: the old copy is ORDINARY again, and what was to replace it goes. */
export function returnHome({ desired, index, ordinary, evacuating }: InstanceSnapshot): Transition {
  if (evacuating === undefined) return [];
  if (!isWanted(desired, index)) return [removed(evacuating)];
  const { expiresAt: _expiresAt, moving: _moving, ...home } = evacuating;
  const after: ActualLRP = { ...home, presence: 'ORDINARY', modificationTag: nextTag(evacuating) };
  return [removed(evacuating), { kind: 'actual', ...(ordinary && { before: ordinary }), after }];
}

function placementAllows(ordinary: ActualLRP, key: ActualLRPInstanceKey): boolean {
  const { placement } = ordinary;
  return (
    placement === undefined ||
    (placement.instanceGuid === key.instanceGuid && placement.cellId === key.cellId)
  );
}

/** The record as its cell says it runs; no change if it said so before. */
function runs(
  before: ActualLRP,
  run: ActualLRPInstanceKey & StartedInstance & InstanceLabels,
  context: Context,
): Transition {
  const after = withFields(before, NOT_PLACED, run, {
    state: 'RUNNING',
    since: context.now,
    modificationTag: nextTag(before),
  });
  return before.state === 'RUNNING' && sameRun(before, after) ? [] : [{ kind: 'actual', before, after }];
}

/** Does a cell say nothing new? Everything but the time and the tag is the same. */
export function sameRun(a: ActualLRP, b: ActualLRP): boolean {
  const essence = ({ netInfo, routable, availabilityZone, placementError }: ActualLRP) =>
    JSON.stringify([netInfo, routable, availabilityZone, placementError ?? null]);
  return essence(a) === essence(b) && !isLabelledOtherwise(a, b);
}

function slot(key: ActualLRPKey): string {
  return `${key.processGuid}/${key.index}`;
}

function refusal(code: ErrorCode, verb: string, actual: ActualLRP, key: ActualLRPInstanceKey): RiveraError {
  const holder = actual.instanceGuid ?? actual.placement?.instanceGuid ?? 'nobody';
  const cell = actual.cellId ?? actual.placement?.cellId;
  return new RiveraError(
    code,
    `${slot(actual)} is ${actual.state} and held by ${holder}${cell === undefined ? '' : ` on cell ${cell}`}; ` +
      `it cannot be ${verb} by ${key.instanceGuid} on cell ${key.cellId}. Stop that copy.`,
  );
}
