import { Transform, Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import {
  ACTUAL_LRP_STATES,
  type ActualLRP,
  type ActualLRPState,
  type DesiredLRPSchedulingInfo,
  type RiveraEvent,
  type Task,
  TASK_STATES,
  type TaskState,
} from '#rivera/models';

const MAX_PAGE = 10_000;

/** A query parameter that may be given several times. */
function Repeatable(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) => (value === undefined || Array.isArray(value) ? value : [value]));
}

class PageQuery {
  /** `next` of the page before. */
  @IsOptional() @IsString() @MaxLength(1_024) after?: string;
  @IsOptional() @Type(() => Number) @IsInt() @Min(1) @Max(MAX_PAGE) limit?: number;
}

export class DesiredLRPQuery extends PageQuery {
  /** How much of each: what placement reads, what routers read, or all of it. */
  @IsOptional() @IsIn(['scheduling', 'routing', 'full']) view?: 'scheduling' | 'routing' | 'full';
  @IsOptional() @IsString() @MaxLength(255) domain?: string;
  @IsOptional() @Repeatable() @IsArray() @ArrayMaxSize(1_000) @IsString({ each: true }) processGuid?: string[];

  matches(desired: DesiredLRPSchedulingInfo): boolean {
    return this.domain === undefined || this.domain === desired.domain;
  }
}

export class ActualLRPQuery extends PageQuery {
  @IsOptional() @IsString() @MaxLength(255) domain?: string;
  @IsOptional() @IsString() @MaxLength(255) cellId?: string;
  @IsOptional() @Repeatable() @IsArray() @ArrayMaxSize(1_000) @IsString({ each: true }) processGuid?: string[];
  @IsOptional() @Type(() => Number) @IsInt() @Min(0) index?: number;
  @IsOptional() @IsIn(ACTUAL_LRP_STATES) state?: ActualLRPState;

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
  @IsOptional() @IsString() @MaxLength(255) domain?: string;
  @IsOptional() @IsString() @MaxLength(255) cellId?: string;
  @IsOptional() @IsIn(TASK_STATES) state?: TaskState;

  matches(task: Task): boolean {
    return (
      (this.domain === undefined || this.domain === task.domain) &&
      (this.cellId === undefined || this.cellId === task.cellId) &&
      (this.state === undefined || this.state === task.state)
    );
  }
}

export class EpochQuery {
  @Type(() => Number) @IsInt() @Min(0) epoch: number;
}

/** Which events a client wants; absent = all. Every given filter must match. */
export class EventQuery {
  @IsOptional() @Repeatable() @IsArray() @ArrayMaxSize(32) @IsString({ each: true }) type?: string[];
  @IsOptional() @Repeatable() @IsArray() @ArrayMaxSize(1_000) @IsString({ each: true }) processGuid?: string[];
  @IsOptional() @Repeatable() @IsArray() @ArrayMaxSize(1_000) @IsString({ each: true }) taskGuid?: string[];
  @IsOptional() @IsString() @MaxLength(255) domain?: string;
  @IsOptional() @IsString() @MaxLength(255) cellId?: string;

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
