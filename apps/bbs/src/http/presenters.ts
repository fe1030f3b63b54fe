import { joinDesiredLRP } from '#rivera/models';
import type {
  DesiredLRP,
  DesiredLRPRunInfo,
  DesiredLRPSchedulingInfo,
  RiveraEvent,
  Task,
} from '#rivera/models';

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
