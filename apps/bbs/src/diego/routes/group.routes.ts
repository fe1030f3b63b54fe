import * as wire from '#rivera/diego-wire';
import { type ActualLRP, notFound } from '#rivera/models';
import type { ProcessRepository } from '#rivera/store';
import { invalidField } from '../disagreements.js';
import { wireActualLRP } from '../mapping/actual-lrps.js';
import type { RpcRoutes, WireRoutes } from '../wire-route.js';
import { type ActualLRPItems, listActualLRPs } from './actual-lrp.routes.js';

export interface GroupRoutesNeed {
  rpcs: RpcRoutes;
  processes: ProcessRepository;
  itemOf: ActualLRPItems;
}

/** The deprecated lists of instances, in groups of one index (Diego BBS §1.3). */
export function groupRoutes({ rpcs, processes, itemOf }: GroupRoutesNeed): WireRoutes {
  return {
    '/v1/actual_lrp_groups/list': rpcs.rpc({
      request: wire.ActualLRPGroupsRequest,
      response: wire.ActualLRPGroupsResponse,
      handle: async ({ domain, cellId }) => {
        const found = await listActualLRPs({ processes, itemOf }, { domain, cellId });
        return { actualLrpGroups: groupsOf(found.map(({ record }) => record)) };
      },
    }),
    '/v1/actual_lrp_groups/list_by_process_guid': rpcs.rpc({
      request: wire.ActualLRPGroupsByProcessGuidRequest,
      response: wire.ActualLRPGroupsResponse,
      handle: async ({ processGuid }) => ({
        actualLrpGroups: groupsOf(await processes.actualsOf(requireGuid(processGuid))),
      }),
    }),
    '/v1/actual_lrp_groups/get_by_process_guid_and_index': rpcs.rpc({
      request: wire.ActualLRPGroupByProcessGuidAndIndexRequest,
      response: wire.ActualLRPGroupResponse,
      handle: async ({ processGuid, index = 0 }) => {
        if (index < 0) throw invalidField('index');
        const actuals = await processes.actualsOf(requireGuid(processGuid));
        const [actualLrpGroup] = groupsOf(actuals.filter((actual) => actual.index === index));
        if (actualLrpGroup === undefined) throw notFound('actual LRP', `${processGuid}/${index}`);
        return { actualLrpGroup };
      },
    }),
  };
}

/** One group for each index. */
function groupsOf(actuals: ActualLRP[]): wire.ActualLRPGroup[] {
  const byIndex = new Map<string, ActualLRP[]>();
  for (const actual of actuals) {
    const slot = `${actual.processGuid}/${actual.index}`;
    byIndex.set(slot, [...(byIndex.get(slot) ?? []), actual]);
  }
  return [...byIndex.values()].map((records) => {
    const of = (presence: ActualLRP['presence']) => records.find((record) => record.presence === presence);
    const ordinary = of('ORDINARY');
    const instance = ordinary?.state === 'RUNNING' ? ordinary : (of('SUSPECT') ?? ordinary);
    const evacuating = of('EVACUATING');
    return {
      instance: instance && wireActualLRP(instance),
      evacuating: evacuating && wireActualLRP(evacuating),
    };
  });
}

function requireGuid(processGuid: string | undefined): string {
  if (!processGuid) throw invalidField('process_guid');
  return processGuid;
}
