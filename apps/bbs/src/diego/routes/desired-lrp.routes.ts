import * as wire from '#rivera/diego-wire';
import { type DesiredLRP, type DesiredLRPSchedulingInfo, joinDesiredLRP, notFound } from '#rivera/models';
import type { ProcessRepository } from '#rivera/store';
import type { DesiredLRPs } from '../../desired-lrps/desired-lrps.service.js';
import { DISAGREEMENTS, invalidField } from '../disagreements.js';
import {
  desiredLRPRequestOf,
  desiredLRPUpdateOf,
  wireDesiredLRP,
  wireRoutingInfo,
  wireSchedulingInfo,
} from '../mapping/definitions.js';
import { desiredLRPAsR2 } from '../older-revisions.js';
import { everything } from '../whole-lists.js';
import type { RpcRoutes, WireRoutes } from '../wire-route.js';

const { principal } = DISAGREEMENTS;

export interface DesiredLRPRoutesNeed {
  rpcs: RpcRoutes;
  desiredLRPs: DesiredLRPs;
  processes: ProcessRepository;
}

/** What should run (Diego BBS §1.2, and of §1.3 the reads without image layers). */
export function desiredLRPRoutes(need: DesiredLRPRoutesNeed): WireRoutes {
  return { ...readRoutes(need), ...writeRoutes(need) };
}

function readRoutes({ rpcs, processes }: DesiredLRPRoutesNeed): WireRoutes {
  const list = (present: (desired: DesiredLRP) => wire.DesiredLRP) =>
    rpcs.rpc({
      request: wire.DesiredLRPsRequest,
      response: wire.DesiredLRPsResponse,
      handle: async (filter) => ({
        desiredLrps: (await wholeDesiredLRPs(processes, filter)).map(present),
      }),
    });
  const get = (present: (desired: DesiredLRP) => wire.DesiredLRP) =>
    rpcs.rpc({
      request: wire.DesiredLRPByProcessGuidRequest,
      response: wire.DesiredLRPResponse,
      handle: async ({ processGuid }) => {
        const { schedulingInfo, run } = await processes.desired(requireGuid(processGuid));
        return { desiredLrp: present(joinDesiredLRP(schedulingInfo, run)) };
      },
    });
  const asR2 = (desired: DesiredLRP) => desiredLRPAsR2(wireDesiredLRP(desired));
  return {
    '/v1/desired_lrps/list.r3': list(wireDesiredLRP),
    '/v1/desired_lrps/list.r2': list(asR2),
    '/v1/desired_lrps/get_by_process_guid.r3': get(wireDesiredLRP),
    '/v1/desired_lrps/get_by_process_guid.r2': get(asR2),
    '/v1/desired_lrp_scheduling_infos/list': rpcs.rpc({
      request: wire.DesiredLRPsRequest,
      response: wire.DesiredLRPSchedulingInfosResponse,
      handle: async ({ domain, processGuids }) => ({
        desiredLrpSchedulingInfos: (await schedulingInfos(processes, { domain, processGuids })).map(
          wireSchedulingInfo,
        ),
      }),
    }),
    '/v1/desired_lrp_scheduling_infos/get_by_process_guid': rpcs.rpc({
      request: wire.DesiredLRPByProcessGuidRequest,
      response: wire.DesiredLRPSchedulingInfoByProcessGuidResponse,
      handle: async ({ processGuid = '' }) => {
        const info = await processes.schedulingInfo(requireGuid(processGuid));
        if (info === undefined) throw notFound('desired LRP', processGuid);
        return { desiredLrpSchedulingInfo: wireSchedulingInfo(info) };
      },
    }),
    '/v1/desired_lrp_routing_infos/list': rpcs.rpc({
      request: wire.DesiredLRPsRequest,
      response: wire.DesiredLRPsResponse,
      handle: async ({ processGuids }) => ({
        desiredLrps: (await schedulingInfos(processes, { processGuids })).map(wireRoutingInfo),
      }),
    }),
  };
}

function writeRoutes({ rpcs, desiredLRPs }: DesiredLRPRoutesNeed): WireRoutes {
  const response = wire.DesiredLRPLifecycleResponse;
  return {
    '/v1/desired_lrp/desire.r2': rpcs.rpc({
      request: wire.DesireLRPRequest,
      response,
      handle: async ({ desiredLrp }) => {
        await desiredLRPs.desire(desiredLRPRequestOf(desiredLrp), principal);
        return {};
      },
    }),
    '/v1/desired_lrp/update': rpcs.rpc({
      request: wire.UpdateDesiredLRPRequest,
      response,
      handle: async ({ processGuid, update }) => {
        await desiredLRPs.update(requireGuid(processGuid), desiredLRPUpdateOf(update), principal);
        return {};
      },
    }),
    '/v1/desired_lrp/remove': rpcs.rpc({
      request: wire.RemoveDesiredLRPRequest,
      response,
      handle: async ({ processGuid }) => {
        await desiredLRPs.remove(requireGuid(processGuid), principal);
        return {};
      },
    }),
  };
}

/** Scheduling halves that match every given filter. */
async function schedulingInfos(
  processes: ProcessRepository,
  { domain, processGuids = [], appGuids = [] }: wire.DesiredLRPsRequest,
): Promise<DesiredLRPSchedulingInfo[]> {
  const matches = (info: DesiredLRPSchedulingInfo) =>
    (!domain || info.domain === domain) &&
    (appGuids.length === 0 || appGuids.some((guid) => info.processGuid.startsWith(guid)));
  if (processGuids.length === 0) return everything((page) => processes.desiredPage(page), matches);
  return (await processes.schedulingInfos([...new Set(processGuids)])).filter(matches);
}

async function wholeDesiredLRPs(
  processes: ProcessRepository,
  filter: wire.DesiredLRPsRequest,
): Promise<DesiredLRP[]> {
  const infos = await schedulingInfos(processes, filter);
  const runs = await processes.runInfos(infos.map(({ processGuid }) => processGuid));
  const runOf = new Map(runs.map((run) => [run.processGuid, run]));
  return infos.flatMap((info) => {
    const run = runOf.get(info.processGuid);
    return run === undefined ? [] : [joinDesiredLRP(info, run)];
  });
}

function requireGuid(processGuid: string | undefined): string {
  if (!processGuid) throw invalidField('process_guid');
  return processGuid;
}
