import type { RunRecord, Transition } from '#rivera/lifecycle';
import type { RiveraEvent } from '#rivera/models';

/** One event of the log: within a shard, and so within a process guid, in the order of the commits. */
export interface LoggedEvent {
  shard: number;
  /** Consecutive within its shard, from 1. */
  sequence: number;
  event: RiveraEvent;
  /** The run half that the change or the removal of a desired LRP did away with; it is nowhere else any more. */
  replacedRun?: RunRecord;
}

/** An event as it is in the log. */
type EventInLog = RiveraEvent & Pick<LoggedEvent, 'replacedRun'>;

/** Fields of an entry and their values in turn: `events`, a JSON list, and `trace`, of the request that caused them. */
export type EntryFields = readonly string[];

/** An event as the log keeps it. */
export function loggedForm(event: RiveraEvent, transition: Transition): EventInLog {
  if (event.type !== 'desired_lrp_changed' && event.type !== 'desired_lrp_removed') return event;
  const { processGuid } = event.before;
  const replacedRun = transition.find(
    (change) => change.kind === 'run' && change.before?.processGuid === processGuid,
  )?.before as RunRecord | undefined;
  return replacedRun === undefined ? event : { ...event, replacedRun };
}

/** @param last number of the last event of the entry */
export function eventsIn(shard: number, last: number, fields: EntryFields): LoggedEvent[] {
  const values = new Map<string, string>();
  for (let i = 0; i + 1 < fields.length; i += 2) values.set(fields[i]!, fields[i + 1]!);
  const traceId = values.get('trace');
  const events = JSON.parse(values.get('events') ?? '[]') as EventInLog[];
  return events.map((logged, i) => {
    const { replacedRun } = logged;
    // What is told of an event must not hold the run half, which may have secrets in it.
    if (replacedRun !== undefined) delete logged.replacedRun;
    if (traceId !== undefined) logged.traceId = traceId;
    const event: RiveraEvent = logged;
    return { shard, sequence: last - events.length + 1 + i, event, ...(replacedRun && { replacedRun }) };
  });
}
