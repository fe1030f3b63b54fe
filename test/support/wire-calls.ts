import * as wire from '#rivera/diego-wire';
import type { WireClient } from './wire.js';

type MessageOf<C> = C extends wire.Codec<infer M> ? M : never;

/** Path → what is asked and what is answered. */
const CALLS = {
  '/v1/domains/list': [wire.EventsByCellId, wire.DomainsResponse],
  '/v1/domains/upsert': [wire.UpsertDomainRequest, wire.UpsertDomainResponse],
  '/v1/cells/list.r1': [wire.EventsByCellId, wire.CellsResponse],
  '/v1/actual_lrps/list': [wire.ActualLRPsRequest, wire.ActualLRPsResponse],
  '/v1/actual_lrps/list_by_process_guids': [
    wire.ActualLRPsByProcessGuidsRequest,
    wire.ActualLRPsByProcessGuidsResponse,
  ],
  '/v1/actual_lrps/claim': [wire.ClaimActualLRPRequest, wire.ActualLRPLifecycleResponse],
  '/v1/actual_lrps/start': [wire.StartActualLRPRequest, wire.ActualLRPLifecycleResponse],
  '/v1/actual_lrps/start.r1': [wire.StartActualLRPRequest, wire.ActualLRPLifecycleResponse],
  '/v1/actual_lrps/crash': [wire.CrashActualLRPRequest, wire.ActualLRPLifecycleResponse],
  '/v1/actual_lrps/fail': [wire.FailActualLRPRequest, wire.ActualLRPLifecycleResponse],
  '/v1/actual_lrps/remove': [wire.RemoveActualLRPRequest, wire.ActualLRPLifecycleResponse],
  '/v1/actual_lrps/retire': [wire.RetireActualLRPRequest, wire.ActualLRPLifecycleResponse],
  '/v1/actual_lrps/remove_evacuating': [
    wire.RemoveEvacuatingActualLRPRequest,
    wire.RemoveEvacuatingActualLRPResponse,
  ],
  '/v1/actual_lrps/evacuate_claimed': [wire.EvacuateClaimedActualLRPRequest, wire.EvacuationResponse],
  '/v1/actual_lrps/evacuate_crashed': [wire.EvacuateCrashedActualLRPRequest, wire.EvacuationResponse],
  '/v1/actual_lrps/evacuate_stopped': [wire.EvacuateStoppedActualLRPRequest, wire.EvacuationResponse],
  '/v1/actual_lrps/evacuate_running': [wire.EvacuateRunningActualLRPRequest, wire.EvacuationResponse],
  '/v1/actual_lrps/evacuate_running.r1': [wire.EvacuateRunningActualLRPRequest, wire.EvacuationResponse],
  '/v1/actual_lrp_groups/list': [wire.ActualLRPGroupsRequest, wire.ActualLRPGroupsResponse],
  '/v1/actual_lrp_groups/list_by_process_guid': [
    wire.ActualLRPGroupsByProcessGuidRequest,
    wire.ActualLRPGroupsResponse,
  ],
  '/v1/actual_lrp_groups/get_by_process_guid_and_index': [
    wire.ActualLRPGroupByProcessGuidAndIndexRequest,
    wire.ActualLRPGroupResponse,
  ],
  '/v1/desired_lrps/list.r3': [wire.DesiredLRPsRequest, wire.DesiredLRPsResponse],
  '/v1/desired_lrps/list.r2': [wire.DesiredLRPsRequest, wire.DesiredLRPsResponse],
  '/v1/desired_lrps/get_by_process_guid.r3': [wire.DesiredLRPByProcessGuidRequest, wire.DesiredLRPResponse],
  '/v1/desired_lrps/get_by_process_guid.r2': [wire.DesiredLRPByProcessGuidRequest, wire.DesiredLRPResponse],
  '/v1/desired_lrp_scheduling_infos/list': [wire.DesiredLRPsRequest, wire.DesiredLRPSchedulingInfosResponse],
  '/v1/desired_lrp_scheduling_infos/get_by_process_guid': [
    wire.DesiredLRPByProcessGuidRequest,
    wire.DesiredLRPSchedulingInfoByProcessGuidResponse,
  ],
  '/v1/desired_lrp_routing_infos/list': [wire.DesiredLRPsRequest, wire.DesiredLRPsResponse],
  '/v1/desired_lrp/desire.r2': [wire.DesireLRPRequest, wire.DesiredLRPLifecycleResponse],
  '/v1/desired_lrp/update': [wire.UpdateDesiredLRPRequest, wire.DesiredLRPLifecycleResponse],
  '/v1/desired_lrp/remove': [wire.RemoveDesiredLRPRequest, wire.DesiredLRPLifecycleResponse],
  '/v1/tasks/list.r3': [wire.TasksRequest, wire.TasksResponse],
  '/v1/tasks/list.r2': [wire.TasksRequest, wire.TasksResponse],
  '/v1/tasks/get_by_task_guid.r3': [wire.TaskByGuidRequest, wire.TaskResponse],
  '/v1/tasks/get_by_task_guid.r2': [wire.TaskByGuidRequest, wire.TaskResponse],
  '/v1/tasks/desire.r2': [wire.DesireTaskRequest, wire.TaskLifecycleResponse],
  '/v1/tasks/start': [wire.StartTaskRequest, wire.StartTaskResponse],
  '/v1/tasks/cancel': [wire.TaskGuidRequest, wire.TaskLifecycleResponse],
  '/v1/tasks/reject': [wire.RejectTaskRequest, wire.TaskLifecycleResponse],
  '/v1/tasks/fail': [wire.FailTaskRequest, wire.TaskLifecycleResponse],
  '/v1/tasks/complete': [wire.CompleteTaskRequest, wire.TaskLifecycleResponse],
  '/v1/tasks/resolving': [wire.TaskGuidRequest, wire.TaskLifecycleResponse],
  '/v1/tasks/delete': [wire.TaskGuidRequest, wire.TaskLifecycleResponse],
} as const;

export type WirePath = keyof typeof CALLS;
/** Every procedure but `ping`. */
export const WIRE_PATHS = Object.keys(CALLS) as WirePath[];

/** Every stream. Of some nobody reads the request. */
export const WIRE_STREAMS: readonly { method: 'GET' | 'POST'; path: string; isUnread?: true }[] = [
  { method: 'POST', path: '/v1/events/lrp_instances.r1' },
  { method: 'POST', path: '/v1/events/lrp_instances' },
  { method: 'POST', path: '/v1/events/tasks.r1', isUnread: true },
  { method: 'POST', path: '/v1/events/tasks', isUnread: true },
  { method: 'GET', path: '/v1/events' },
  { method: 'GET', path: '/v1/events.r1' },
];

export type RequestOf<P extends WirePath> = MessageOf<(typeof CALLS)[P][0]>;
export type ResponseOf<P extends WirePath> = MessageOf<(typeof CALLS)[P][1]>;

export function encodeWireRequest<P extends WirePath>(path: P, request: RequestOf<P>): Buffer {
  return (CALLS[path][0] as unknown as wire.Codec<RequestOf<P>>).encode(request);
}

/** The answer to a call, with its error if it has one. */
export async function wireAnswer<P extends WirePath>(
  client: WireClient,
  path: P,
  request: RequestOf<P>,
): Promise<ResponseOf<P>> {
  const [asked, answered] = CALLS[path] as unknown as [wire.Codec<RequestOf<P>>, wire.Codec<ResponseOf<P>>];
  return client.call(path, asked, request, answered);
}

/** The number of the error that a call is answered with; `ok` without one. */
export async function wireErrorType<P extends WirePath>(
  client: WireClient,
  path: P,
  request: RequestOf<P>,
): Promise<wire.ErrorType | 'ok'> {
  const { error } = await wireAnswer(client, path, request);
  return error ? (error.type ?? 0) : 'ok';
}

/** The answer to a call that has to succeed. */
export async function wireCall<P extends WirePath>(
  client: WireClient,
  path: P,
  request: RequestOf<P>,
): Promise<ResponseOf<P>> {
  const answer = await wireAnswer(client, path, request);
  if (answer.error) throw new Error(`${path} was refused: ${answer.error.type} ${answer.error.message}`);
  return answer;
}

/** A small desired LRP of its own, as a platform on top of Diego sends it. */
export function aWireDesiredLRP(change: wire.DesiredLRP = {}): wire.DesiredLRP {
  return {
    processGuid: `wire-${crypto.randomUUID()}`,
    domain: 'some-domain',
    rootFs: 'preloaded:cflinuxfs4',
    instances: 1,
    memoryMb: 64,
    diskMb: 128,
    action: { runAction: { path: '/bin/sleep', args: ['3600'], user: 'vcap', resourceLimits: {} } },
    metricTags: { source_id: { static: 'some-app' } },
    ...change,
  };
}

export function aWireTask(
  change: wire.DesireTaskRequest = {},
): wire.DesireTaskRequest & { taskGuid: string } {
  return {
    taskGuid: `wire-${crypto.randomUUID()}`,
    domain: 'some-domain',
    taskDefinition: {
      rootFs: 'preloaded:cflinuxfs4',
      memoryMb: 64,
      diskMb: 128,
      action: { runAction: { path: '/bin/true', user: 'vcap' } },
    },
    ...change,
  };
}
