import { joinDesiredLRP } from '#rivera/models';
import type { StoredDefinition } from '#rivera/store';
import { mayHold, textFor } from './list-answer.js';
import type {
  DesiredLRP,
  DesiredLRPRunInfo,
  DesiredLRPSchedulingInfo,
  RiveraEvent,
  Task,
} from '#rivera/models';

/** Fields of records that no client sees. */
const HIDDEN = {
  desired: ['idempotencyKey'],
  run: ['imagePassword'],
  task: ['idempotencyKey', 'imagePassword'],
};

export const schedulingText = textFor(HIDDEN.desired, presentScheduling);
export const taskText = textFor(HIDDEN.task, presentTask);

/** What a router reads (Diego BBS, routing info). */
export type RoutingInfo = Pick<
  DesiredLRPSchedulingInfo,
  'processGuid' | 'domain' | 'logGuid' | 'instances' | 'routes' | 'metricTags' | 'modificationTag'
>;

/** What a client sees of a desired LRP: everything but the image password. */
export function presentDesiredLRP(
  schedulingInfo: DesiredLRPSchedulingInfo,
  run: DesiredLRPRunInfo,
): DesiredLRP {
  const { imagePassword: _secret, ...visible } = joinDesiredLRP(presentScheduling(schedulingInfo), run);
  return visible;
}

/**
 * The JSON of both halves in one, image password included: for the cell that runs it. The stored texts are joined as they
 * are when the run half begins with nothing but what both have.
 */
export function definitionText({ schedulingInfo, run }: StoredDefinition): string {
  return (
    joinedText(schedulingInfo.json, run) ?? JSON.stringify(joinDesiredLRP(schedulingInfo.record, run.record))
  );
}

/** The JSON of `presentDesiredLRP`. */
export function desiredLRPText({ schedulingInfo, run }: StoredDefinition): string {
  const text = mayHold(run.json, HIDDEN.run) ? undefined : joinedText(schedulingText(schedulingInfo), run);
  return text ?? JSON.stringify(presentDesiredLRP(schedulingInfo.record, run.record));
}

function joinedText(schedulingJson: string, run: StoredDefinition['run']): string | undefined {
  const { id: processGuid, version } = run;
  const [epoch, index] = version.split(':');
  const modificationTag = { epoch, index: Number(index) };
  const head = JSON.stringify({ processGuid, modificationTag }).slice(0, -1);
  const rest = run.json.slice(head.length);
  return run.json.startsWith(head) && rest.startsWith(',') ? schedulingJson.slice(0, -1) + rest : undefined;
}

export function presentScheduling(info: DesiredLRPSchedulingInfo): DesiredLRPSchedulingInfo {
  const { idempotencyKey: _key, ...visible } = info;
  return visible;
}

export function presentRouting(info: DesiredLRPSchedulingInfo): RoutingInfo {
  const { processGuid, domain, logGuid, instances, routes, metricTags, modificationTag } = info;
  return { processGuid, domain, logGuid, instances, routes, metricTags, modificationTag };
}

/** What a client sees of a task: everything but the image password. */
export function presentTask(task: Task): Task {
  const { imagePassword: _secret, ...definition } = task.definition;
  const { idempotencyKey: _key, ...visible } = task;
  return { ...visible, definition };
}

export function presentEvent(event: RiveraEvent): RiveraEvent {
  switch (event.type) {
    case 'task_created':
      return { ...event, after: presentTask(event.after) };
    case 'task_changed':
      return { ...event, before: presentTask(event.before), after: presentTask(event.after) };
    case 'task_removed':
      return { ...event, before: presentTask(event.before) };
    case 'desired_lrp_created':
      return { ...event, after: presentScheduling(event.after) };
    case 'desired_lrp_changed':
      return { ...event, before: presentScheduling(event.before), after: presentScheduling(event.after) };
    case 'desired_lrp_removed':
      return { ...event, before: presentScheduling(event.before) };
    default:
      return event;
  }
}
