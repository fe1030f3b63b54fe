import type { ActualLRP } from './actual-lrp.js';
import type { Cell } from './cell.js';
import type { Deployment } from './deployment.js';
import type { DesiredLRPSchedulingInfo } from './desired-lrp.js';
import type { Task } from './task.js';

/** A record appeared, changed or went. The type of the record follows from the event's type. */
interface Created<T extends string, R> {
  type: `${T}_created`;
  after: R;
}
interface Changed<T extends string, R> {
  type: `${T}_changed`;
  before: R;
  after: R;
}
interface Removed<T extends string, R> {
  type: `${T}_removed`;
  before: R;
}
type RecordEvent<T extends string, R> = Created<T, R> | Changed<T, R> | Removed<T, R>;

/** An instance died. Carries the record as it was, with the crash count and reason it got. */
export interface ActualLRPCrashedEvent {
  type: 'actual_lrp_crashed';
  before: ActualLRP;
  crashCount: number;
  crashReason?: string;
  /** When it died, in milliseconds since the Unix epoch. */
  since: number;
}

/** Everything that can be followed on `GET /v1/events` (Diego BBS, events, with cells and deployments added). */
export type RiveraEvent = (
  | RecordEvent<'desired_lrp', DesiredLRPSchedulingInfo>
  | RecordEvent<'actual_lrp', ActualLRP>
  | ActualLRPCrashedEvent
  | RecordEvent<'task', Task>
  | RecordEvent<'cell', Cell>
  | RecordEvent<'deployment', Deployment>
) & {
  /** Of the request that caused it; absent when Rivera did it by itself. */
  traceId?: string;
};

export type RiveraEventType = RiveraEvent['type'];
