import * as wire from '#rivera/diego-wire';
import { type DesiredLRPSchedulingInfo, joinDesiredLRP, notFound } from '#rivera/models';
import type { ProcessRepository, Stored, StoredDefinition } from '#rivera/store';
import type { DesiredLRPs } from '../../desired-lrps/desired-lrps.service.js';
import { invalidField } from '../disagreements.js';
import {
  desiredLRPRequestOf,
  desiredLRPUpdateOf,
  encodedDesiredLRP,
  wireDesiredLRP,
  wireRoutingInfo,
  wireSchedulingInfo,
} from '../mapping/definitions.js';
import { desiredLRPAsR2 } from '../older-revisions.js';
import { EncodedListAnswer, type EncodedRecords, inField } from '../encoded-list.js';
import { everything } from '../whole-lists.js';
import type { RpcRoutes, WireRoutes } from '../wire-route.js';

export interface DesiredLRPRoutesNeed {
  rpcs: RpcRoutes;
  desiredLRPs: DesiredLRPs;
  processes: ProcessRepository;
  encoded: EncodedRecords;
}

/** What should run (Diego BBS §1.2, and of §1.3 the reads without image layers). */
export function desiredLRPRoutes(need: DesiredLRPRoutesNeed): WireRoutes {
  const itemOf = rememberedItems(need.encoded);
  return { ...readRoutes(need, itemOf), ...writeRoutes(need, itemOf) };
}

function readRoutes(
  { rpcs, processes, encoded }: DesiredLRPRoutesNeed,
  remembered: DefinitionItem,
): WireRoutes {
  const nothing = () => undefined;
  const schedulingItem = encoded.view(encodeSchedulingInfo, nothing);
  const routingItem = encoded.view(encodeRoutingInfo, nothing);
  const list = (itemOf: DefinitionItem) =>
    rpcs.rpc({
      request: wire.DesiredLRPsRequest,
      response: EncodedListAnswer,
      handle: async (filter) => ({ items: (await definitions(processes, filter)).map(itemOf) }),
    });
  const get = (itemOf: DefinitionItem) =>
    rpcs.rpc({
      request: wire.DesiredLRPByProcessGuidRequest,
      response: EncodedListAnswer,
      handle: async ({ processGuid }) => ({
        items: [itemOf(await processes.definition(requireGuid(processGuid)))],
      }),
    });
  return {
    '/v1/desired_lrps/list.r3': list(asR3),
    '/v1/desired_lrps/list.r2': list(asR2(asR3)),
    '/v1/desired_lrps/get_by_process_guid.r3': get(remembered),
    '/v1/desired_lrps/get_by_process_guid.r2': get(asR2(remembered)),
    '/v1/desired_lrp_scheduling_infos/list': rpcs.rpc({
      request: wire.DesiredLRPsRequest,
      response: EncodedListAnswer,
      handle: async ({ domain, processGuids }) => {
        const infos = await schedulingInfos(processes, { domain, processGuids });
        return { items: infos.map((info) => schedulingItem(info).item) };
      },
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
      response: EncodedListAnswer,
      handle: async ({ processGuids }) => {
        const infos = await schedulingInfos(processes, { processGuids });
        return { items: infos.map((info) => routingItem(info).item) };
      },
    }),
  };
}

function writeRoutes({ rpcs, desiredLRPs }: DesiredLRPRoutesNeed, itemOf: DefinitionItem): WireRoutes {
  const response = wire.DesiredLRPLifecycleResponse;
  return {
    '/v1/desired_lrp/desire.r2': rpcs.rpc({
      request: wire.DesireLRPRequest,
      response,
      changes: 'client',
      handle: async ({ desiredLrp }, caller) => {
        const definition = await desiredLRPs.desire(desiredLRPRequestOf(desiredLrp), caller);
        // Who has desired it reads it next, and so does the cell that gets it; now it need not be parsed for that.
        itemOf(definition);
        return {};
      },
    }),
    '/v1/desired_lrp/update': rpcs.rpc({
      request: wire.UpdateDesiredLRPRequest,
      response,
      changes: 'client',
      handle: async ({ processGuid, update }, caller) => {
        await desiredLRPs.update(requireGuid(processGuid), desiredLRPUpdateOf(update), caller);
        return {};
      },
    }),
    '/v1/desired_lrp/remove': rpcs.rpc({
      request: wire.RemoveDesiredLRPRequest,
      response,
      changes: 'client',
      handle: async ({ processGuid }, caller) => {
        await desiredLRPs.remove(requireGuid(processGuid), caller);
        return {};
      },
    }),
  };
}

const encodeSchedulingInfo = (info: DesiredLRPSchedulingInfo) =>
  wire.DesiredLRPSchedulingInfo.encode(wireSchedulingInfo(info));
const encodeRoutingInfo = (info: DesiredLRPSchedulingInfo) => wire.DesiredLRP.encode(wireRoutingInfo(info));

/** Scheduling halves that match every given filter. */
async function schedulingInfos(
  processes: ProcessRepository,
  { domain, processGuids = [], appGuids = [] }: wire.DesiredLRPsRequest,
): Promise<Stored<DesiredLRPSchedulingInfo>[]> {
  const matches = (info: DesiredLRPSchedulingInfo) =>
    (!domain || info.domain === domain) &&
    (appGuids.length === 0 || appGuids.some((guid) => info.processGuid.startsWith(guid)));
  const isFiltering = domain || appGuids.length > 0;
  if (processGuids.length === 0) {
    return everything((page) => processes.desiredPage(page), isFiltering ? matches : undefined);
  }
  const found = await processes.storedSchedulingInfos([...new Set(processGuids)]);
  return found.filter(({ record }) => matches(record));
}

/** A whole desired LRP as an item of a list; an answer with one is a list of one. */
type DefinitionItem = (definition: StoredDefinition) => Buffer;

const encodedR3 = ({ schedulingInfo, run }: StoredDefinition) =>
  encodedDesiredLRP(schedulingInfo.record, run.record);

/** In the current revision. Lists of whole records are long and rare, and would drive out what is asked for often. */
const asR3: DefinitionItem = (definition) => inField(2, encodedR3(definition));

/** The same for single ones. */
function rememberedItems(encoded: EncodedRecords): DefinitionItem {
  const itemOf = encoded.view(encodedR3, () => undefined);
  return (record) => {
    const version = `${record.schedulingInfo.version} ${record.run.version}`;
    const hasVersion = (other: string) => other === version;
    return itemOf({ id: record.schedulingInfo.id, version, hasVersion, record }).item;
  };
}

/** Without image layers both revisions are the same. */
function asR2(current: DefinitionItem): DefinitionItem {
  return (definition) =>
    definition.run.json.includes('"imageLayers":') ? inField(2, encodedR2(definition)) : current(definition);
}

function encodedR2({ schedulingInfo, run }: StoredDefinition): Buffer {
  const desired = wireDesiredLRP(joinDesiredLRP(schedulingInfo.record, run.record));
  return wire.DesiredLRP.encode(desiredLRPAsR2(desired));
}

async function definitions(
  processes: ProcessRepository,
  filter: wire.DesiredLRPsRequest,
): Promise<StoredDefinition[]> {
  const infos = await schedulingInfos(processes, filter);
  const runs = await processes.storedRunInfos(infos.map(({ id }) => id));
  const runOf = new Map(runs.map((run) => [run.id, run]));
  return infos.flatMap((schedulingInfo) => {
    const run = runOf.get(schedulingInfo.id);
    return run === undefined ? [] : [{ schedulingInfo, run }];
  });
}

function requireGuid(processGuid: string | undefined): string {
  if (!processGuid) throw invalidField('process_guid');
  return processGuid;
}
