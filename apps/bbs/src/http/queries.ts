import { Transform } from 'class-transformer';
import {
  ACTUAL_LRP_STATES,
  type ActualLRP,
  type ActualLRPState,
  type Deployment,
  DEPLOYMENT_STATES,
  type DeploymentState,
  type DesiredLRPSchedulingInfo,
  IsInteger,
  IsOneOf,
  IsText,
  IsTextList,
  LIMITS,
  Optional,
  type RiveraEvent,
  type RiveraEventType,
  type Task,
  TASK_STATES,
  type TaskState,
} from '#rivera/models';

const MAX_PAGE = 10_000;
const MAX_REPEATED = 1_000;
type TextOptions = Parameters<typeof IsText>[0];

/** A parameter that may be given several times; naming the same thing twice is naming it once. */
function Repeatable(entry: TextOptions = { max: LIMITS.nameBytes }): PropertyDecorator {
  const toList = ({ value }: { value: unknown }) =>
    value === undefined ? value : [...new Set(Array.isArray(value) ? value : [value])];
  return all(Transform(toList), Optional(), IsTextList(entry, { max: MAX_REPEATED }));
}

/** Digits become a number. Anything else stays text, which the rule refuses: `Number('')` would be 0. */
export function Whole(limits: { min: number; max?: number }): PropertyDecorator {
  const toNumber = ({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return all(Transform(toNumber), IsInteger(limits));
}

function all(...decorators: PropertyDecorator[]): PropertyDecorator {
  return (target, property) => decorators.forEach((decorate) => decorate(target, property));
}

class PageQuery {
  /** `next` of the page before. */
  @Optional() @IsText({ max: 1_024 }) after?: string;
  @Optional() @Whole({ min: 1, max: MAX_PAGE }) limit?: number;
}

const VIEWS = ['scheduling', 'routing', 'full'] as const;
export type DesiredLRPView = (typeof VIEWS)[number];

export class DesiredLRPQuery extends PageQuery {
  /** How much of each: what placement reads, what routers read, or all of it. */
  @Optional() @IsOneOf(VIEWS) view?: DesiredLRPView;
  @Optional() @IsText({ max: LIMITS.nameBytes }) domain?: string;
  @Repeatable() processGuid?: string[];

  isFiltering(): boolean {
    return this.domain !== undefined;
  }

  matches(desired: DesiredLRPSchedulingInfo): boolean {
    return this.domain === undefined || this.domain === desired.domain;
  }
}

export class ActualLRPQuery extends PageQuery {
  @Optional() @IsText({ max: LIMITS.nameBytes }) domain?: string;
  @Optional() @IsText({ max: LIMITS.nameBytes }) cellId?: string;
  @Repeatable() processGuid?: string[];
  @Optional() @Whole({ min: 0 }) index?: number;
  @Optional() @IsOneOf(ACTUAL_LRP_STATES) state?: ActualLRPState;

  isFiltering(): boolean {
    const { domain, cellId, processGuid, index, state } = this;
    return [domain, cellId, processGuid, index, state].some((filter) => filter !== undefined);
  }

  matches(actual: ActualLRP): boolean {
    return (
      (this.domain === undefined || this.domain === actual.domain) &&
      (this.cellId === undefined || this.cellId === actual.cellId) &&
      (this.index === undefined || this.index === actual.index) &&
      (this.state === undefined || this.state === actual.state) &&
      (this.processGuid === undefined || this.processGuid.includes(actual.processGuid))
    );
  }
}

export class TaskQuery extends PageQuery {
  @Optional() @IsText({ max: LIMITS.nameBytes }) domain?: string;
  @Optional() @IsText({ max: LIMITS.nameBytes }) cellId?: string;
  @Optional() @IsOneOf(TASK_STATES) state?: TaskState;

  isFiltering(): boolean {
    return [this.domain, this.cellId, this.state].some((filter) => filter !== undefined);
  }

  matches(task: Task): boolean {
    return (
      (this.domain === undefined || this.domain === task.domain) &&
      (this.cellId === undefined || this.cellId === task.cellId) &&
      (this.state === undefined || this.state === task.state)
    );
  }
}

/** Which lines of a log. */
export class LogQuery {
  /** `true`: go on with what comes. */
  @Optional() @IsOneOf(['true', 'false']) follow?: 'true' | 'false';
  /** Only the last so many of each run. */
  @Optional() @Whole({ min: 0 }) tail?: number;
  /** Only lines from this moment on, in milliseconds since the Unix epoch. */
  @Optional() @Whole({ min: 0, max: Number.MAX_SAFE_INTEGER }) since?: number;
}

export class InstanceLogQuery extends LogQuery {
  /** Only this instance. */
  @Optional() @Whole({ min: 0 }) index?: number;
}

export class StatsQuery {
  /** Only this instance. */
  @Optional() @Whole({ min: 0 }) index?: number;
}

export class StreamOutQuery {
  /** In the container, absolute. */
  @IsText({ max: LIMITS.pathBytes, pattern: /^\//, patternInWords: 'begin with "/"' }) path: string;
}

export class StreamInQuery extends StreamOutQuery {
  /** Whom the files will belong to: user name or `uid[:gid]` inside the container; absent: that of the instance. */
  @Optional() @IsText({ min: 1, max: LIMITS.nameBytes }) user?: string;
}

export class DeploymentQuery extends PageQuery {
  @Optional() @IsText({ max: LIMITS.nameBytes }) domain?: string;
  @Optional() @IsOneOf(DEPLOYMENT_STATES) state?: DeploymentState;

  isFiltering(): boolean {
    return this.domain !== undefined || this.state !== undefined;
  }

  matches(deployment: Deployment): boolean {
    return (
      (this.domain === undefined || this.domain === deployment.domain) &&
      (this.state === undefined || this.state === deployment.state)
    );
  }
}

/** The size of an instance and what it asks of its cell; without `rootfs` any will do. */
export class CapacityQuery {
  @Whole({ min: 0 }) memoryMb: number;
  @Whole({ min: 0 }) diskMb: number;
  @Optional() @IsText({ max: LIMITS.rootfsBytes }) rootfs?: string;
  @Repeatable() placementTag?: string[];
  @Repeatable() volumeDriver?: string[];
}

export class EpochQuery {
  @Whole({ min: 0, max: Number.MAX_SAFE_INTEGER }) epoch: number;
}

/** All types there are, or this does not compile. */
const EVENT_TYPES = Object.keys({
  desired_lrp_created: true,
  desired_lrp_changed: true,
  desired_lrp_removed: true,
  actual_lrp_created: true,
  actual_lrp_changed: true,
  actual_lrp_removed: true,
  actual_lrp_crashed: true,
  task_created: true,
  task_changed: true,
  task_removed: true,
  cell_created: true,
  cell_changed: true,
  cell_removed: true,
  deployment_created: true,
  deployment_changed: true,
  deployment_removed: true,
} satisfies Record<RiveraEventType, true>);

const EVENT_TYPE = {
  max: LIMITS.nameBytes,
  pattern: new RegExp(`^(?:${EVENT_TYPES.join('|')})$`),
  patternInWords: `be one of ${EVENT_TYPES.join(', ')}`,
};

/** Which events a client wants; absent = all. Every given filter must match. */
export class EventQuery {
  @Repeatable(EVENT_TYPE) type?: string[];
  @Repeatable() processGuid?: string[];
  @Repeatable() taskGuid?: string[];
  @Optional() @IsText({ max: LIMITS.nameBytes }) domain?: string;
  @Optional() @IsText({ max: LIMITS.nameBytes }) cellId?: string;

  matches(event: RiveraEvent): boolean {
    const records: EventSubject[] = [
      ...('before' in event ? [event.before] : []),
      ...('after' in event ? [event.after] : []),
    ];
    const has = (wanted: string[] | undefined, field: keyof EventSubject) =>
      wanted === undefined || records.some((record) => wanted.includes(record[field] ?? ''));
    return (
      (this.type === undefined || this.type.includes(event.type)) &&
      has(this.processGuid, 'processGuid') &&
      has(this.taskGuid, 'taskGuid') &&
      has(this.domain === undefined ? undefined : [this.domain], 'domain') &&
      has(this.cellId === undefined ? undefined : [this.cellId], 'cellId')
    );
  }
}

/** The fields of any record that events can be filtered by. */
interface EventSubject {
  processGuid?: string;
  taskGuid?: string;
  domain?: string;
  cellId?: string;
}
