import {
  type ActualLRP,
  type DesiredLRPRunInfo,
  type DesiredLRPSchedulingInfo,
  type DesiredLRPUpdate,
  type ModificationTag,
  RiveraError,
  notFound,
} from '#rivera/models';
import { changed, created, removed, unclaimedActual } from './actual-lrp-records.js';
import { newTag, nextTag, type RecordChange, type RunRecord, type Transition } from './change.js';
import type { Context } from './context.js';
import { type InstanceSnapshot, isHeldByCell, isMoving, stop } from './instance.js';
import { isLabelledOtherwise, labelsOf } from './instance-labels.js';
import { defined, withFields } from './with-fields.js';

/** Everything the rules of one process guid look at. */
export interface ProcessSnapshot {
  processGuid: string;
  desired?: DesiredLRPSchedulingInfo;
  run?: RunRecord;
  actuals: ActualLRP[];
}

/** A desired LRP as a client sends it: both halves, without the tag. */
export interface NewDesiredLRP {
  schedulingInfo: Omit<DesiredLRPSchedulingInfo, 'modificationTag'>;
  runInfo: DesiredLRPRunInfo;
}

/**
 * A client wants a process to run (Diego BBS, DesireLRP): the record and an UNCLAIMED instance for each index. The same
 * request again, known by its idempotency key, changes nothing.
 *
 * Errors: `already-exists`; a process guid is never reused for a changed definition.
 */
export function desire(process: ProcessSnapshot, wanted: NewDesiredLRP, context: Context): Transition {
  const { processGuid } = process;
  if (process.desired !== undefined) {
    if (isRepetition(process.desired, wanted.schedulingInfo.idempotencyKey)) return [];
    throw new RiveraError(
      'already-exists',
      `A desired LRP ${JSON.stringify(processGuid)} exists already. Update it, or choose another process guid.`,
    );
  }
  const modificationTag = newTag(context);
  const desired: DesiredLRPSchedulingInfo = { ...wanted.schedulingInfo, modificationTag };
  return [
    { kind: 'desired', after: desired },
    { kind: 'run', before: process.run, after: { processGuid, modificationTag, ...wanted.runInfo } },
    ...missingInstances({ desired, actuals: process.actuals }, context),
  ];
}

/**
 * A client changes what may change (Diego BBS, UpdateDesiredLRP): instances up or down, routes, annotation, metric tags,
 * image credentials. Scaling down takes the highest indices; what stays is told its new tags and internal routes. `ifMatch` refuses the update when the record has moved on.
 *
 * Errors: `not-found`, `precondition-failed`.
 */
export function update(
  process: ProcessSnapshot,
  wanted: DesiredLRPUpdate,
  context: Context,
  ifMatch?: ModificationTag,
): Transition {
  const { desired: before, actuals } = process;
  if (before === undefined) throw notFound('desired LRP', process.processGuid);
  requireMatch(before, ifMatch);
  const { imageUsername, imagePassword, ...schedulingFields } = wanted;
  const after = withFields(before, defined(schedulingFields), { modificationTag: nextTag(before) });
  const changes: Transition = [
    ...missingInstances({ desired: after, actuals }, context),
    ...stopFrom(actuals, after.instances),
    ...((wanted.routes ?? wanted.metricTags) ? labelled(actuals, after) : []),
    { kind: 'desired', before, after },
  ];
  const run = imageUsername === undefined ? undefined : process.run;
  if (run !== undefined) {
    const modificationTag = nextTag(run);
    changes.push({
      kind: 'run',
      before: run,
      after: { ...run, imageUsername, imagePassword, modificationTag },
    });
  }
  return changes;
}

/**
 * A client wants it gone (Diego BBS, RemoveDesiredLRP): the record goes, instances are stopped.
 *
 * Errors: `not-found`, `precondition-failed`.
 */
export function removeDesired(process: ProcessSnapshot, ifMatch?: ModificationTag): Transition {
  const { desired, run, actuals, processGuid } = process;
  if (desired === undefined) throw notFound('desired LRP', processGuid);
  requireMatch(desired, ifMatch);
  return [
    { kind: 'desired', before: desired },
    ...(run === undefined ? [] : [{ kind: 'run', before: run } as const]),
    ...stopFrom(actuals, 0),
  ];
}

/** Was this record made by the very request that comes again? */
export function isRepetition(
  record: { idempotencyKey?: string },
  idempotencyKey: string | undefined,
): boolean {
  return idempotencyKey !== undefined && record.idempotencyKey === idempotencyKey;
}

/** UNCLAIMED records for each wanted index that has no ORDINARY record. */
export function missingInstances(
  { desired, actuals }: Pick<ProcessSnapshot, 'desired' | 'actuals'>,
  context: Context,
): RecordChange[] {
  if (desired === undefined) return [];
  const present = new Set(actuals.filter((row) => row.presence === 'ORDINARY').map((row) => row.index));
  const changes: RecordChange[] = [];
  for (let index = 0; index < desired.instances; index++) {
    if (!present.has(index)) changes.push(created(unclaimedActual(desired, index, context)));
  }
  return changes;
}

/**
 * Instances from `first` up are no longer wanted: those without a container go at once, the others when their cell has
 * stopped them. EVACUATING ones are the business of their cell, which leaves (Diego BBS, stop from index); those that only
 * move go.
 */
export function stopFrom(actuals: ActualLRP[], first: number): RecordChange[] {
  return actuals
    .filter((row) => row.index >= first && (row.presence !== 'EVACUATING' || isMoving(row)))
    .flatMap((row) => (isHeldByCell(row) && row.presence === 'ORDINARY' ? stop(row) : [removed(row)]));
}

/** Running instances that stay get the labels of the changed desired LRP (Diego BBS, update of routes and metric tags). */
function labelled(actuals: ActualLRP[], desired: DesiredLRPSchedulingInfo): RecordChange[] {
  return actuals.filter(({ index }) => index < desired.instances).flatMap((row) => relabel(row, desired));
}

/** Mends the metric tags and internal routes of a running instance; none if they are right. */
export function relabel(actual: ActualLRP, desired: DesiredLRPSchedulingInfo): RecordChange[] {
  if (actual.state !== 'RUNNING') return [];
  const labels = labelsOf(desired, actual);
  return isLabelledOtherwise(actual, labels) ? [changed(actual, labels)] : [];
}

/** The records of one index out of those of its process. */
export function instanceOf(process: ProcessSnapshot, index: number): InstanceSnapshot {
  const row = (presence: ActualLRP['presence']) =>
    process.actuals.find((actual) => actual.index === index && actual.presence === presence);
  return {
    processGuid: process.processGuid,
    index,
    desired: process.desired,
    ordinary: row('ORDINARY'),
    evacuating: row('EVACUATING'),
    suspect: row('SUSPECT'),
  };
}

function requireMatch(
  { processGuid, modificationTag }: DesiredLRPSchedulingInfo,
  ifMatch?: ModificationTag,
): void {
  if (ifMatch === undefined) return;
  if (ifMatch.epoch === modificationTag.epoch && ifMatch.index === modificationTag.index) return;
  throw new RiveraError(
    'precondition-failed',
    `The desired LRP ${JSON.stringify(processGuid)} has changed since you read it. Read it again.`,
    { modificationTag },
  );
}
