import type { RiveraEvent, RiveraEventType } from '#rivera/models';
import { type JsonSchema, ref } from './json-schema.js';
import { count, maybe, record, text, time } from './record.js';

type EventOf<T extends RiveraEventType> = Extract<RiveraEvent, { type: T }>;
type Subject = 'desired_lrp' | 'actual_lrp' | 'task' | 'cell' | 'deployment';

const RECORD_OF: Record<Subject, string> = {
  desired_lrp: 'DesiredLRPSchedulingInfo',
  actual_lrp: 'ActualLRP',
  task: 'Task',
  cell: 'Cell',
  deployment: 'Deployment',
};

/** The data of each event of the stream, and their union. */
export function eventSchemas(): Record<string, JsonSchema> {
  const traceId = maybe(text);
  const crashed = record<EventOf<'actual_lrp_crashed'>>({
    type: { const: 'actual_lrp_crashed' },
    before: ref('ActualLRP'),
    crashCount: count,
    crashReason: maybe(text),
    since: time,
    traceId,
  });
  const changes = Object.entries(RECORD_OF).flatMap(([subject, name]) => {
    const [before, after] = [ref(name), ref(name)];
    return [
      record<{ type: string; after: unknown; traceId?: string }>({
        type: { const: `${subject}_created` },
        after,
        traceId,
      }),
      record<{ type: string; before: unknown; after: unknown; traceId?: string }>({
        type: { const: `${subject}_changed` },
        before,
        after,
        traceId,
      }),
      record<{ type: string; before: unknown; traceId?: string }>({
        type: { const: `${subject}_removed` },
        before,
        traceId,
      }),
    ];
  });
  return {
    Event: {
      description: 'The data of one server-sent event: a record as it was and as it is.',
      oneOf: [...changes, crashed],
    },
  };
}
