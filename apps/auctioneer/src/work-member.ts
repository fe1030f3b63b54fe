import { actualId } from '#rivera/lifecycle';
import type { ActualLRP, ActualLRPKey, Task } from '#rivera/models';
import { shardOf } from '#rivera/store';

/** The name of a piece of work, as it stands in the store's index of what is unplaced. */
export type Member = string;

const LRP = 'lrp/';
const TASK = 'task/';

export function memberOfActual(actual: Pick<ActualLRP, 'processGuid' | 'index' | 'presence'>): Member {
  // Joined, because V8 keeps what is put together in other ways in two copies, and there may be a million of these.
  return [LRP, actualId(actual)].join('');
}

/** Only the ordinary instance of a slot is ever placed. */
export function memberOfSlot({ processGuid, index }: ActualLRPKey): Member {
  return memberOfActual({ processGuid, index, presence: 'ORDINARY' });
}

export function memberOfTask({ taskGuid }: Pick<Task, 'taskGuid'>): Member {
  return `${TASK}${taskGuid}`;
}

export function isTaskMember(member: Member): boolean {
  return member.startsWith(TASK);
}

/** The identity of its record in the store. */
export function recordIdOf(member: Member): string {
  return member.slice(isTaskMember(member) ? TASK.length : LRP.length);
}

/** The process guid of an instance; undefined for a task. */
export function processGuidOf(member: Member): string | undefined {
  if (isTaskMember(member)) return undefined;
  // From the end: index and presence hold no slash.
  const beforeIndex = member.lastIndexOf('/', member.lastIndexOf('/') - 1);
  return member.slice(LRP.length, beforeIndex);
}

export function shardOfMember(member: Member): number {
  return shardOf(processGuidOf(member) ?? recordIdOf(member));
}
