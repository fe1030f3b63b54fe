import * as wire from '#rivera/diego-wire';
import { failPlacement, vacate } from '#rivera/lifecycle';
import { type ActualLRP, notFound, RiveraError } from '#rivera/models';
import type { ProcessRepository } from '#rivera/store';
import type { ActualLRPs } from '../../actual-lrps/actual-lrps.service.js';
import { DISAGREEMENTS, invalidField } from '../disagreements.js';
import { wireActualLRP } from '../mapping/actual-lrps.js';
import { EncodedListAnswer, type EncodedRecords, inField } from '../encoded-list.js';
import { everything } from '../whole-lists.js';
import type { RpcRoutes, WireRoutes } from '../wire-route.js';
import { requireKey, startedOf, type WireCellReports } from './instance-reports.js';

const { principal } = DISAGREEMENTS;

export interface ActualLRPRoutesNeed {
  rpcs: RpcRoutes;
  actualLRPs: ActualLRPs;
  processes: ProcessRepository;
  reports: WireCellReports;
  encoded: EncodedRecords;
}

/** Instances: reads, and what cells, the auctioneer and clients say of them (Diego BBS §1.2). */
export function actualLRPRoutes(need: ActualLRPRoutesNeed): WireRoutes {
  const { rpcs, processes } = need;
  return {
    '/v1/actual_lrps/list': rpcs.rpc({
      request: wire.ActualLRPsRequest,
      response: EncodedListAnswer,
      handle: async (filter) => ({ items: await listedActualLRPs(need, filter) }),
    }),
    '/v1/actual_lrps/list_by_process_guids': rpcs.rpc({
      request: wire.ActualLRPsByProcessGuidsRequest,
      response: wire.ActualLRPsByProcessGuidsResponse,
      handle: async ({ processGuids = [] }) => {
        if (processGuids.length === 0) throw invalidField('process_guids');
        const found = await Promise.all([...new Set(processGuids)].map((guid) => processes.actualsOf(guid)));
        return { actualLrps: found.flat().map(wireActualLRP) };
      },
    }),
    ...lifecycleRoutes(need),
  };
}

const encodeActualLRP = (actual: ActualLRP) => wire.ActualLRP.encode(wireActualLRP(actual));

async function listedActualLRPs(
  { processes, encoded }: ActualLRPRoutesNeed,
  filter: wire.ActualLRPsRequest,
): Promise<Buffer[]> {
  const isFiltering = filter.domain || filter.cellId || filter.processGuid || isGiven(filter.index);
  if (isFiltering) {
    const found = await listActualLRPs(processes, filter);
    return found.map((actual) => inField(2, encodeActualLRP(actual)));
  }
  const all = await everything((page) => processes.storedActualPage(page));
  return all.map((stored) => encoded.itemOf('actual', stored, encodeActualLRP));
}

/** Instances that match every given filter. */
export async function listActualLRPs(
  processes: ProcessRepository,
  { domain, cellId, processGuid, index }: wire.ActualLRPsRequest,
): Promise<ActualLRP[]> {
  const matches = (actual: ActualLRP) =>
    (!domain || actual.domain === domain) &&
    (!cellId || actual.cellId === cellId) &&
    (!isGiven(index) || actual.index === index);
  if (processGuid) return (await processes.actualsOf(processGuid)).filter(matches);
  if (cellId) return (await processes.actualsOnCell(cellId)).filter(matches);
  const found = await everything((page) => processes.storedActualPage(page), matches);
  return found.map(({ record }) => record);
}

function isGiven(index: number | null | undefined): index is number {
  return index !== undefined && index !== null;
}

function lifecycleRoutes({ rpcs, actualLRPs, reports }: ActualLRPRoutesNeed): WireRoutes {
  const response = wire.ActualLRPLifecycleResponse;
  const start = rpcs.rpc({
    request: wire.StartActualLRPRequest,
    response,
    changes: 'cell',
    handle: async (request) => {
      const key = requireKey(request.actualLrpKey);
      const { actualLrpInstanceKey: instanceKey, availabilityZone: zone } = request;
      await reports.tell({ type: 'start', key, instanceKey, details: startedOf(request), zone });
      return {};
    },
  });
  return {
    '/v1/actual_lrps/claim': rpcs.rpc({
      request: wire.ClaimActualLRPRequest,
      response,
      changes: 'cell',
      handle: async ({ actualLrpInstanceKey: instanceKey, ...key }) => {
        await reports.tell({ type: 'claim', key: slotOf(key), instanceKey });
        return {};
      },
    }),
    '/v1/actual_lrps/start': start,
    '/v1/actual_lrps/start.r1': start,
    '/v1/actual_lrps/crash': rpcs.rpc({
      request: wire.CrashActualLRPRequest,
      response,
      changes: 'cell',
      handle: async ({ actualLrpKey, actualLrpInstanceKey: instanceKey, errorMessage = '' }) => {
        const key = requireKey(actualLrpKey);
        await reports.tell({ type: 'crash', key, instanceKey, details: { reason: errorMessage } });
        return {};
      },
    }),
    '/v1/actual_lrps/fail': rpcs.rpc({
      request: wire.FailActualLRPRequest,
      response,
      changes: 'client',
      handle: async ({ actualLrpKey, errorMessage = '' }) => {
        const key = requireKey(actualLrpKey);
        if (errorMessage === '') throw invalidField('error_message');
        await actualLRPs.change(key, principal, (instance) => {
          const { ordinary } = instance;
          // Rivera's own auctioneer is not told that it came too late.
          if (ordinary !== undefined && ordinary.state !== 'UNCLAIMED') {
            throw new RiveraError(
              'cannot-be-failed',
              `${key.processGuid}/${key.index} is ${ordinary.state}.`,
            );
          }
          return failPlacement(instance, errorMessage);
        });
        return {};
      },
    }),
    '/v1/actual_lrps/remove': rpcs.rpc({
      request: wire.RemoveActualLRPRequest,
      response,
      changes: 'client',
      handle: async ({ actualLrpInstanceKey: instanceKey, ...request }) => {
        const key = slotOf(request);
        if (instanceKey) await reports.tell({ type: 'remove', key, instanceKey });
        else await removeWhoeverIsThere(actualLRPs, key);
        return {};
      },
    }),
    '/v1/actual_lrps/retire': rpcs.rpc({
      request: wire.RetireActualLRPRequest,
      response,
      changes: 'client',
      handle: async ({ actualLrpKey }) => {
        await actualLRPs.retire(requireKey(actualLrpKey), principal);
        return {};
      },
    }),
  };
}

function slotOf({ processGuid = '', index = 0 }: { processGuid?: string; index?: number }) {
  if (processGuid === '') throw invalidField('process_guid');
  return { processGuid, index };
}

async function removeWhoeverIsThere(
  actualLRPs: ActualLRPs,
  key: { processGuid: string; index: number },
): Promise<void> {
  await actualLRPs.change(key, principal, (instance, context) => {
    const { ordinary } = instance;
    if (ordinary === undefined) throw notFound('actual LRP', `${key.processGuid}/${key.index}`);
    return vacate(instance, ordinary, context);
  });
}
