import { joinDesiredLRP } from '#rivera/models';
import type { DesiredLRP, DesiredLRPRunInfo, DesiredLRPSchedulingInfo, RiveraEvent, Task } from '#rivera/models';

/** What a client sees of a desired LRP: everything but the image password. */
export function presentDesiredLRP(schedulingInfo: DesiredLRPSchedulingInfo, run: DesiredLRPRunInfo): DesiredLRP {
  const { imagePassword: _secret, ...visible } = joinDesiredLRP(schedulingInfo, run);
  return visible;
}

/** What a client sees of a task: everything but the image password. */
export function presentTask(task: Task): Task {
  const { imagePassword: _secret, ...definition } = task.definition;
  return { ...task, definition };
}

export function presentEvent(event: RiveraEvent): RiveraEvent {
  switch (event.type) {
    case 'task_created':
      return { ...event, after: presentTask(event.after) };
    case 'task_changed':
      return { ...event, before: presentTask(event.before), after: presentTask(event.after) };
    case 'task_removed':
      return { ...event, before: presentTask(event.before) };
    default:
      return event;
  }
}
