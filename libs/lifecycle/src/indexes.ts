import type { ActualLRP, RiveraEvent, Task } from '#rivera/models';
import { cellOf, isUnplaced } from './actual-lrp-records.js';
import { actualId, type RecordKind, type Records } from './change.js';
import { deploymentDueAt } from './deployment-step.js';
import { isUnplacedTask } from './task.js';

/** Diego BBS: an unplaced instance or task is offered again after this long. */
export const STALE_UNPLACED_MS = 30_000;
/** Diego BBS: a task that never started fails after this long. */
export const PENDING_TASK_EXPIRY_MS = 1_800_000;
/** Diego BBS: a completed task nobody resolves is deleted this long after it completed first. */
export const COMPLETED_TASK_EXPIRY_MS = 120_000;
/** Diego BBS: a resolver that died gives the task back after this long. */
export const RESOLVING_TASK_EXPIRY_MS = 30_000;
/** Diego rep, evacuation timeout: an instance that leaves its cell is kept at most this long for its replacement. */
export const EVACUATION_TIMEOUT_MS = 600_000;
/** A cell nobody has heard of for this long is forgotten. */
export const MISSING_CELL_EXPIRY_MS = 3_600_000;

/**
 * The ordered sets of a shard: who is on a cell, what waits for a cell, what is on the move, what will be due when, whom
 * to call back.
 */
export const INDEXES = ['by-cell', 'unplaced', 'evacuating', 'due', 'callback'] as const;
export type IndexName = (typeof INDEXES)[number];

/** One member of one ordered set. `score` is milliseconds since the Unix epoch, or 0 where only the name counts. */
export interface IndexEntry {
  index: IndexName;
  member: string;
  score: number;
}

/** Whose member of an index this is. */
export function ownerOf(index: IndexName, member: string): { kind: RecordKind; id: string } {
  if (index === 'callback') return { kind: 'task', id: member };
  const [, kind = '', id = ''] =
    /^([^/]+)\/(.*)$/s.exec(index === 'by-cell' ? withoutCell(member) : member) ?? [];
  return { kind: kind === 'lrp' ? 'actual' : (kind as RecordKind), id };
}

function withoutCell(member: string): string {
  return member.slice(member.indexOf('/') + 1);
}

/** Where a record is to be found. The store writes the difference between before and after, in the same commit. */
export function indexEntries<K extends RecordKind>(kind: K, record: Records[K] | undefined): IndexEntry[] {
  if (record === undefined) return [];
  switch (kind) {
    case 'actual':
      return actualEntries(record as ActualLRP);
    case 'task':
      return taskEntries(record as Task);
    case 'cell': {
      const { cellId, state, since } = record as Records['cell'];
      if (state !== 'MISSING') return [];
      return [{ index: 'due', member: `cell/${cellId}`, score: since + MISSING_CELL_EXPIRY_MS }];
    }
    case 'domain': {
      const { domain, expiresAt } = record as Records['domain'];
      return expiresAt === undefined ? [] : [{ index: 'due', member: `domain/${domain}`, score: expiresAt }];
    }
    case 'deployment': {
      const deployment = record as Records['deployment'];
      const score = deploymentDueAt(deployment);
      const member = `deployment/${deployment.processGuid}`;
      return score === undefined ? [] : [{ index: 'due', member, score }];
    }
    case 'desired':
    case 'run':
      return [];
  }
}

/**
 * When the converger has to look at the records that events were about, as far as they say so: of domains there are no
 * events. Of several events of one record the last counts.
 *
 * @returns milliseconds since the Unix epoch, by record
 */
export function dueAfter(events: readonly RiveraEvent[]): Map<string, number> {
  const due = new Map<string, number>();
  for (const event of events) {
    const record = recordAfter(event);
    if (record === undefined) continue;
    const scores = record.entries.filter(({ index }) => index === 'due').map(({ score }) => score);
    if (scores.length > 0) due.set(record.member, Math.min(...scores));
    else due.delete(record.member);
  }
  return due;
}

function recordAfter(event: RiveraEvent): { member: string; entries: IndexEntry[] } | undefined {
  switch (event.type) {
    case 'actual_lrp_created':
    case 'actual_lrp_changed':
      return { member: `lrp/${actualId(event.after)}`, entries: indexEntries('actual', event.after) };
    case 'task_created':
    case 'task_changed':
      return { member: `task/${event.after.taskGuid}`, entries: indexEntries('task', event.after) };
    case 'cell_created':
    case 'cell_changed':
      return { member: `cell/${event.after.cellId}`, entries: indexEntries('cell', event.after) };
    case 'deployment_created':
    case 'deployment_changed':
      return {
        member: `deployment/${event.after.processGuid}`,
        entries: indexEntries('deployment', event.after),
      };
    default:
      // Of what is removed nothing may become due; that it is looked at all the same costs little.
      return undefined;
  }
}

function actualEntries(actual: ActualLRP): IndexEntry[] {
  const member = `lrp/${actualId(actual)}`;
  const entries: IndexEntry[] = [];
  const cell = cellOf(actual);
  if (cell !== undefined) entries.push({ index: 'by-cell', member: `${cell}/${member}`, score: 0 });
  if (isUnplaced(actual)) {
    entries.push({ index: 'unplaced', member, score: actual.since });
    entries.push({ index: 'due', member, score: actual.since + STALE_UNPLACED_MS });
  }
  if (actual.presence === 'EVACUATING') entries.push({ index: 'evacuating', member, score: 0 });
  const due = actual.placement?.deadline ?? actual.restartAt ?? actual.expiresAt;
  if (due !== undefined) entries.push({ index: 'due', member, score: due });
  return entries;
}

function taskEntries(task: Task): IndexEntry[] {
  const member = `task/${task.taskGuid}`;
  const entries: IndexEntry[] = [];
  const cell = task.cellId ?? task.placement?.cellId;
  if (cell !== undefined) entries.push({ index: 'by-cell', member: `${cell}/${member}`, score: 0 });
  if (isUnplacedTask(task)) entries.push({ index: 'unplaced', member, score: task.createdAt });
  if (task.state === 'COMPLETED' && task.definition.completionCallbackUrl) {
    entries.push({ index: 'callback', member: task.taskGuid, score: task.updatedAt });
  }
  const due = taskDueAt(task);
  if (due !== undefined) entries.push({ index: 'due', member, score: due });
  return entries;
}

/** When the converger has to look at a task, in milliseconds since the Unix epoch. */
function taskDueAt(task: Task): number | undefined {
  const { state, createdAt, updatedAt, placement, firstCompletedAt = updatedAt } = task;
  switch (state) {
    case 'PENDING':
      return Math.min(
        placement?.deadline ?? updatedAt + STALE_UNPLACED_MS,
        createdAt + PENDING_TASK_EXPIRY_MS,
      );
    case 'COMPLETED':
      return firstCompletedAt + COMPLETED_TASK_EXPIRY_MS;
    case 'RESOLVING':
      return updatedAt + RESOLVING_TASK_EXPIRY_MS;
    case 'RUNNING':
      return undefined;
  }
}
