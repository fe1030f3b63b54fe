import * as wire from '#rivera/diego-wire';
import type { ActualLRP, RiveraEvent, Task } from '#rivera/models';
import { presentTask } from '../../http/presenters.js';
import { wireActualLRP, wireInfo, wireInstanceKey, wireKey } from '../mapping/actual-lrps.js';
import { wireDesiredLRPEvent } from '../mapping/definitions.js';
import { wireTask } from '../mapping/tasks.js';
import { taskAsV0 } from '../older-revisions.js';
import { rememberingEvents, type WireEvent, wireEvent } from './dialect.js';
import type { EventRunHalves } from './run-halves.js';

type Translate = (event: RiveraEvent) => WireEvent | undefined;

/** What one revision of the streams of LRPs tells. */
export interface LRPEvents {
  /** Of instances, by key and instance key (Diego BBS, events/lrp_instances), and all of `common`. */
  instances: Translate;
  /** Of crashes and desired LRPs, which streams of groups tell in the same way. */
  common: Translate;
}

/**
 * @param halves of the desired LRPs that events are about
 * @param present a desired LRP as clients of this revision know it
 */
export function lrpEvents(
  halves: Pick<EventRunHalves, 'of'>,
  present: (desired: wire.DesiredLRP) => wire.DesiredLRP = (desired) => desired,
): LRPEvents {
  const common = rememberingEvents((event) =>
    event.type === 'actual_lrp_crashed' ? crashedEvent(event) : desiredLRPEvent(event, halves, present),
  );
  return { common, instances: rememberingEvents((event) => instanceEvent(event) ?? common(event)) };
}

/** Events of desired LRPs; undefined for all others. */
function desiredLRPEvent(
  event: RiveraEvent,
  halves: Pick<EventRunHalves, 'of'>,
  present: (desired: wire.DesiredLRP) => wire.DesiredLRP,
): WireEvent | undefined {
  const { traceId } = event;
  switch (event.type) {
    case 'desired_lrp_created': {
      const desiredLrp = present(wireDesiredLRPEvent(event.after, halves.of(event).after));
      return wireEvent(event.type, wire.DesiredLRPCreatedEvent, { desiredLrp, traceId });
    }
    case 'desired_lrp_changed': {
      const { before, after } = halves.of(event);
      return wireEvent(event.type, wire.DesiredLRPChangedEvent, {
        before: present(wireDesiredLRPEvent(event.before, before)),
        after: present(wireDesiredLRPEvent(event.after, after)),
        traceId,
      });
    }
    case 'desired_lrp_removed': {
      const desiredLrp = present(wireDesiredLRPEvent(event.before, halves.of(event).before));
      return wireEvent(event.type, wire.DesiredLRPRemovedEvent, { desiredLrp, traceId });
    }
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

/** An instance is its key and its instance key. Undefined: it is no event of an instance. */
function instanceEvent(event: RiveraEvent): WireEvent | undefined {
  const { traceId } = event;
  switch (event.type) {
    case 'actual_lrp_created':
      return wireEvent('actual_lrp_instance_created', wire.ActualLRPInstanceCreatedEvent, {
        actualLrp: wireActualLRP(event.after),
        traceId,
      });
    case 'actual_lrp_changed':
      return wireEvent('actual_lrp_instance_changed', wire.ActualLRPInstanceChangedEvent, {
        actualLrpKey: wireKey(event.after),
        actualLrpInstanceKey: wireInstanceKey(keyedRecord(event)),
        before: wireInfo(event.before),
        after: wireInfo(event.after),
        traceId,
      });
    case 'actual_lrp_removed':
      return wireEvent('actual_lrp_instance_removed', wire.ActualLRPInstanceRemovedEvent, {
        actualLrp: wireActualLRP(event.before),
        traceId,
      });
    default:
      return undefined;
  }
}

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
