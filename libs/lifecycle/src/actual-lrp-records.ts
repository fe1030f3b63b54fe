import { heldResources } from '#rivera/models';
import type { ActualLRP, ActualLRPInstanceKey, DesiredLRPSchedulingInfo } from '#rivera/models';
import { type Context } from './context.js';
import { newTag, nextTag, type RecordChange } from './change.js';
import { withFields } from './with-fields.js';

/** A new UNCLAIMED instance waiting to be placed. */
export function unclaimedActual(
  desired: Pick<
    DesiredLRPSchedulingInfo,
    'processGuid' | 'domain' | 'memoryMb' | 'diskMb' | 'cpuMillicores' | 'devices' | 'portCount'
  >,
  index: number,
  context: Context,
): ActualLRP {
  return {
    processGuid: desired.processGuid,
    index,
    domain: desired.domain,
    state: 'UNCLAIMED',
    presence: 'ORDINARY',
    since: context.now,
    modificationTag: newTag(context),
    crashCount: 0,
    resources: heldResources(desired, desired.portCount),
  };
}

/** The same slot without its instance: nothing of the former run stays but the crash history and where it was. */
export function withoutInstance(actual: ActualLRP, context: Context): ActualLRP {
  const { instanceGuid, cellId } = actual;
  const lastRun =
    instanceGuid === undefined || cellId === undefined ? actual.lastRun : { instanceGuid, cellId };
  return {
    processGuid: actual.processGuid,
    index: actual.index,
    domain: actual.domain,
    state: 'UNCLAIMED',
    presence: 'ORDINARY',
    since: context.now,
    modificationTag: nextTag(actual),
    crashCount: actual.crashCount,
    ...(actual.crashReason === undefined ? {} : { crashReason: actual.crashReason }),
    ...(lastRun === undefined ? {} : { lastRun }),
    resources: actual.resources,
  };
}

/** Waiting for the auctioneer: nobody has been asked to run it. */
export function isUnplaced(actual: ActualLRP): boolean {
  return actual.state === 'UNCLAIMED' && actual.placement === undefined;
}

/** The cell that holds, or has been given, this instance. */
export function cellOf(actual: ActualLRP): string | undefined {
  return actual.cellId ?? actual.placement?.cellId;
}

/** True when the record belongs to that run on that cell. */
export function isInstance(
  actual: ActualLRP | undefined,
  key: ActualLRPInstanceKey,
): actual is ActualLRP & ActualLRPInstanceKey {
  return actual !== undefined && actual.instanceGuid === key.instanceGuid && actual.cellId === key.cellId;
}

/** What a record keeps of a refusal: who, each once, and the first. It waits anew from now. */
export function refused(
  { refusedBy = [], refusal }: Pick<ActualLRP, 'refusedBy' | 'refusal'>,
  cellId: string,
  reason: string,
  { now }: Context,
): Required<Pick<ActualLRP, 'refusedBy' | 'refusal' | 'since'>> {
  return {
    refusedBy: [...new Set([...refusedBy, cellId])],
    refusal: refusal ?? { cellId, reason: truncated(reason), since: now },
    since: now,
  };
}

/** What an instance no longer has once a cell took it. */
export const NOT_PLACED = {
  placement: undefined,
  placementError: undefined,
  refusedBy: undefined,
  refusal: undefined,
} as const;

export function created(after: ActualLRP): RecordChange {
  return { kind: 'actual', after };
}

export function changed(before: ActualLRP, fields: Partial<ActualLRP>): RecordChange {
  return {
    kind: 'actual',
    before,
    after: withFields(before, fields, { modificationTag: nextTag(before) }),
  };
}

export function removed(before: ActualLRP): RecordChange {
  return { kind: 'actual', before };
}

/** Texts of the outside world are kept to 1,024 characters (Diego BBS, truncation of stored texts). */
export function truncated(text: string): string {
  const mark = '(truncated)';
  return text.length < 1024 ? text : text.slice(0, 1024 - mark.length) + mark;
}
