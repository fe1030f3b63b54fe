import * as wire from '#rivera/diego-wire';
import type { ActualLRP, RiveraEvent, Task } from '#rivera/models';
import { presentTask } from '../../http/presenters.js';
import { wireActualLRP, wireInfo, wireInstanceKey, wireKey } from '../mapping/actual-lrps.js';
import { wireDesiredLRPHalf } from '../mapping/definitions.js';
import { wireTask } from '../mapping/tasks.js';
import { taskAsV0 } from '../older-revisions.js';
import { rememberingEvents, type WireEvent, wireEvent } from './dialect.js';

/** Events of desired LRPs, which every stream of LRPs tells alike; undefined for all others. */
function desiredLRPEvent(event: RiveraEvent): WireEvent | undefined {
  switch (event.type) {
    case 'desired_lrp_created':
      return wireEvent(event.type, wire.DesiredLRPCreatedEvent, {
        desiredLrp: wireDesiredLRPHalf(event.after),
      });
    case 'desired_lrp_changed':
      return wireEvent(event.type, wire.DesiredLRPChangedEvent, {
        before: wireDesiredLRPHalf(event.before),
        after: wireDesiredLRPHalf(event.after),
      });
    case 'desired_lrp_removed':
      return wireEvent(event.type, wire.DesiredLRPRemovedEvent, {
        desiredLrp: wireDesiredLRPHalf(event.before),
      });
    default:
      return undefined;
  }
}

/** The keys and the crash of the instance that died. */
function crashedEvent(event: Extract<RiveraEvent, { type: 'actual_lrp_crashed' }>): WireEvent {
  const { before, crashCount, crashReason, since } = event;
  return wireEvent(event.type, wire.ActualLRPCrashedEvent, {
    actualLrpKey: wireKey(before),
    actualLrpInstanceKey: wireInstanceKey(before),
    crashCount,
    crashReason: crashReason || undefined,
    since: wire.nanosecondsOf(since),
  });
}

/** What both kinds of LRP streams tell alike. */
export const lrpEvent = rememberingEvents((event) =>
  event.type === 'actual_lrp_crashed' ? crashedEvent(event) : desiredLRPEvent(event),
);

/** Diego BBS, events/lrp_instances: an instance is its key and its instance key. */
export const instanceEvent = rememberingEvents((event) => {
  switch (event.type) {
    case 'actual_lrp_created':
      return wireEvent('actual_lrp_instance_created', wire.ActualLRPInstanceCreatedEvent, {
        actualLrp: wireActualLRP(event.after),
      });
    case 'actual_lrp_changed':
      return wireEvent('actual_lrp_instance_changed', wire.ActualLRPInstanceChangedEvent, {
        actualLrpKey: wireKey(event.after),
        actualLrpInstanceKey: wireInstanceKey(keyedRecord(event)),
        before: wireInfo(event.before),
        after: wireInfo(event.after),
      });
    case 'actual_lrp_removed':
      return wireEvent('actual_lrp_instance_removed', wire.ActualLRPInstanceRemovedEvent, {
        actualLrp: wireActualLRP(event.before),
      });
    default:
      return lrpEvent(event);
  }
});

/** The instance key of a change is that of afterwards, unless there is none any more. */
export function keyedRecord({ before, after }: { before: ActualLRP; after: ActualLRP }): ActualLRP {
  return after.instanceGuid === undefined ? before : after;
}

/** Diego BBS, events/tasks. Image passwords are for cells, which read them. */
export const taskEvent = rememberingEvents((event) => taskEventOf(event, wireTask));
export const taskEventV0 = rememberingEvents((event) =>
  taskEventOf(event, (task) => taskAsV0(wireTask(task))),
);

function taskEventOf(event: RiveraEvent, present: (task: Task) => wire.Task): WireEvent | undefined {
  const task = (record: Task) => present(presentTask(record));
  switch (event.type) {
    case 'task_created':
      return wireEvent(event.type, wire.TaskCreatedEvent, { task: task(event.after) });
    case 'task_changed':
      return wireEvent(event.type, wire.TaskChangedEvent, {
        before: task(event.before),
        after: task(event.after),
      });
    case 'task_removed':
      return wireEvent(event.type, wire.TaskRemovedEvent, { task: task(event.before) });
    default:
      return undefined;
  }
}
