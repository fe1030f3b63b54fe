import type { Placement, Refusal } from './actual-lrp.js';
import { ContainerSpec } from './container-spec.js';
import type { ModificationTag } from './modification-tag.js';
import { LIMITS } from './validation/limits.js';
import { Optional } from './validation/rule.js';
import { IsDomainName, IsGuid, IsPart, IsText, IsUrl } from './validation/rules.js';

/** One-off work (Diego BBS, TaskDefinition). */
export class TaskDefinition extends ContainerSpec {
  /** File in the container whose content becomes the task's `result`. */
  @Optional()
  @IsText({ max: LIMITS.pathBytes })
  resultFile?: string;

  @Optional()
  @IsUrl(['http', 'https'])
  completionCallbackUrl?: string;
}

/** What a client posts to have a task run. */
export class TaskRequest {
  @IsGuid()
  taskGuid: string;

  @IsDomainName()
  domain: string;

  @IsPart(() => TaskDefinition)
  definition: TaskDefinition;
}

export const TASK_STATES = ['PENDING', 'RUNNING', 'COMPLETED', 'RESOLVING'] as const;
export type TaskState = (typeof TASK_STATES)[number];

/** One-off work and how far it got (Diego BBS, Task). Times are milliseconds since the Unix epoch. */
export interface Task {
  taskGuid: string;
  domain: string;
  definition: TaskDefinition;
  state: TaskState;
  createdAt: number;
  updatedAt: number;
  firstCompletedAt?: number;
  modificationTag: ModificationTag;
  /** The client's name for the request that desired it: the same request again is answered, not refused. */
  idempotencyKey?: string;
  cellId?: string;
  /** Where it ran before it was completed or rejected: that cell may still have its log. */
  lastCellId?: string;
  placement?: Placement;
  refusedBy?: string[];
  /** The first of those refusals. */
  refusal?: Refusal;
  rejectionCount: number;
  rejectionReason?: string;
  failed?: boolean;
  failureReason?: string;
  result?: string;
}
