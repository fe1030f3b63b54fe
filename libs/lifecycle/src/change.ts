import type {
  ActualLRP,
  Cell,
  Deployment,
  DesiredLRPRunInfo,
  DesiredLRPSchedulingInfo,
  Domain,
  ModificationTag,
  Task,
} from '#rivera/models';
import type { Context } from './context.js';

/** The run half of a desired LRP as it is stored, beside its scheduling half; what both have comes first. */
export type RunRecord = { processGuid: string; modificationTag: ModificationTag } & DesiredLRPRunInfo;

/** Every kind of record the store keeps. */
export interface Records {
  desired: DesiredLRPSchedulingInfo;
  run: RunRecord;
  actual: ActualLRP;
  task: Task;
  cell: Cell;
  domain: Domain;
  deployment: Deployment;
}
export type RecordKind = keyof Records;

/** Why an actual LRP changed, when the pair of records alone does not say it. */
export interface Crash {
  crashCount: number;
  crashReason: string;
}

/** One record before and after a transition. No `before`: it was created. No `after`: it was removed. */
export type RecordChange = {
  [K in RecordKind]: { kind: K; before?: Records[K]; after?: Records[K]; crash?: Crash };
}[RecordKind];

/** What a rule decides: all of these changes or none. Nothing to do is an empty list. */
export type Transition = RecordChange[];

/** Tag of a record that is being created (Diego BBS: fresh epoch, index 0). */
export function newTag(context: Context): ModificationTag {
  return { epoch: context.newGuid(), index: 0 };
}

/** Tag of a record that is being changed. */
export function nextTag(record: { modificationTag: ModificationTag }): ModificationTag {
  return { epoch: record.modificationTag.epoch, index: record.modificationTag.index + 1 };
}

/** The store's identity of a record. */
export function recordId(change: RecordChange): string {
  const record = change.after ?? change.before;
  if (record === undefined)
    throw new TypeError(`A change of a ${change.kind} record has neither before nor after.`);
  switch (change.kind) {
    case 'desired':
    case 'run':
    case 'deployment':
      return (record as Records['desired' | 'deployment']).processGuid;
    case 'actual':
      return actualId(record as ActualLRP);
    case 'task':
      return (record as Task).taskGuid;
    case 'cell':
      return (record as Cell).cellId;
    case 'domain':
      return (record as Domain).domain;
  }
}

/** Identity of an instance record: at most one per process guid, index and presence (Diego BBS §3.1). */
export function actualId(key: Pick<ActualLRP, 'processGuid' | 'index' | 'presence'>): string {
  return `${key.processGuid}/${key.index}/${key.presence}`;
}
