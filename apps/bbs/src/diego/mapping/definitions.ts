import type * as wire from '#rivera/diego-wire';
import {
  type DesiredLRP,
  DesiredLRPRequest,
  type DesiredLRPRunInfo,
  type DesiredLRPSchedulingInfo,
  DesiredLRPUpdate,
  joinDesiredLRP,
  parse,
  TaskRequest,
} from '#rivera/models';
import { invalidField } from '../disagreements.js';
import { encodedRecord, messageOf, recordOf } from './records.js';

/** Errors: `invalid-request`. */
export function desiredLRPRequestOf(message: wire.DesiredLRP | null | undefined): DesiredLRPRequest {
  if (!message) throw invalidField('desired_lrp');
  // Diego asks for at least one; Rivera's own API does without.
  if (Object.keys(message.metricTags ?? {}).length === 0) throw invalidField('metric_tags');
  return parse(DesiredLRPRequest, recordOf('DesiredLRP', message));
}

/** Errors: `invalid-request`. */
export function desiredLRPUpdateOf(message: wire.DesiredLRPUpdate | null | undefined): DesiredLRPUpdate {
  if (!message) throw invalidField('update');
  return parse(DesiredLRPUpdate, recordOf('DesiredLRPUpdate', message));
}

/** Errors: `invalid-request`. */
export function taskRequestOf({ taskGuid, domain, taskDefinition }: wire.DesireTaskRequest): TaskRequest {
  if (!taskDefinition) throw invalidField('task_definition');
  return parse(TaskRequest, { taskGuid, domain, definition: recordOf('TaskDefinition', taskDefinition) });
}

/**
 * A desired LRP as reads show it. Each of `metrics_guid` and the metric tag `source_id` stands in for the other
 * (Diego BBS §4.5).
 */
export function wireDesiredLRP(desired: DesiredLRP): wire.DesiredLRP {
  return messageOf('DesiredLRP', { ...desired, ...sourcesOf(desired) });
}

/** The bytes of the same. */
export function encodedDesiredLRP(info: DesiredLRPSchedulingInfo, run: DesiredLRPRunInfo): Buffer {
  return encodedRecord('DesiredLRP', sourcesOf({ ...pick(info), ...pick(run) }), info, run);
}

type Sources = Pick<DesiredLRP, 'metricsGuid' | 'metricTags'>;

function pick({ metricsGuid, metricTags }: Sources): Sources {
  return {
    ...(metricsGuid !== undefined && { metricsGuid }),
    ...(metricTags !== undefined && { metricTags }),
  };
}

function sourcesOf({ metricsGuid, metricTags = {} }: Sources): Sources {
  const sourceId = metricTags['source_id']?.static ?? metricsGuid;
  if (sourceId === undefined) return {};
  return {
    metricsGuid: metricsGuid ?? sourceId,
    metricTags: { ...metricTags, source_id: metricTags['source_id'] ?? { static: sourceId } },
  };
}

/**
 * A desired LRP as events tell it, as it is stored: nothing stands in for anything. Image passwords are for cells, which
 * read them.
 */
export function wireDesiredLRPEvent(
  info: DesiredLRPSchedulingInfo,
  run: DesiredLRPRunInfo | undefined,
): wire.DesiredLRP {
  if (run === undefined) return messageOf('DesiredLRP', info);
  const { imagePassword: _secret, ...visible } = joinDesiredLRP(info, run);
  return messageOf('DesiredLRP', visible);
}

export function wireSchedulingInfo(info: DesiredLRPSchedulingInfo): wire.DesiredLRPSchedulingInfo {
  const { volumeDrivers, placementTags } = info;
  return {
    desiredLrpKey: messageOf('DesiredLRPKey', info),
    annotation: info.annotation || undefined,
    instances: info.instances || undefined,
    desiredLrpResource: messageOf('DesiredLRPResource', info),
    routes: messageOf('ProtoRoutes', info.routes ?? {}),
    modificationTag: messageOf('ModificationTag', info.modificationTag),
    volumePlacement: volumeDrivers === undefined ? undefined : { driverNames: volumeDrivers },
    placementTags,
  };
}

/** What routers read. */
export function wireRoutingInfo(info: DesiredLRPSchedulingInfo): wire.DesiredLRP {
  const { processGuid, domain, logGuid, instances, routes, metricTags, modificationTag } = info;
  return messageOf('DesiredLRP', {
    processGuid,
    domain,
    logGuid,
    instances,
    routes,
    metricTags,
    modificationTag,
  });
}
