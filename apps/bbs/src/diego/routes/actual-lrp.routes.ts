import * as wire from '#rivera/diego-wire';
import { failPlacement, vacate } from '#rivera/lifecycle';
import { type ActualLRP, type ActualLRPKey, notFound, RiveraError } from '#rivera/models';
import type { Caller } from '#rivera/platform';
import type { ProcessRepository, Stored } from '#rivera/store';
import type { ActualLRPs } from '../../actual-lrps/actual-lrps.service.js';
import { invalidField } from '../disagreements.js';
import { wireActualLRP } from '../mapping/actual-lrps.js';
import { type EncodedItem, EncodedListAnswer, type EncodedRecords } from '../encoded-list.js';
import { everything } from '../whole-lists.js';
import type { RpcRoutes, WireRoutes } from '../wire-route.js';
import { requireKey, startedOf, type WireCellReports } from './instance-reports.js';

export interface ActualLRPRoutesNeed {
  rpcs: RpcRoutes;
  actualLRPs: ActualLRPs;
  processes: ProcessRepository;
  reports: WireCellReports;
  itemOf: ActualLRPItems;
}

/** Instances: reads, and what cells, the auctioneer and clients say of them (Diego BBS §1.2). */
export function actualLRPRoutes(need: ActualLRPRoutesNeed): WireRoutes {
  const { rpcs, processes, itemOf } = need;
  return {
    '/v1/actual_lrps/list': rpcs.rpc({
      request: wire.ActualLRPsRequest,
      response: EncodedListAnswer,
      handle: async (filter) => ({
        items: (await listActualLRPs(need, filter)).map((stored) => itemOf(stored).item),
      }),
    }),
    '/v1/actual_lrps/list_by_process_guids': rpcs.rpc({
      request: wire.ActualLRPsByProcessGuidsRequest,
      response: EncodedListAnswer,
      handle: async ({ processGuids = [] }) => {
        if (processGuids.length === 0) throw invalidField('process_guids');
        const guids = [...new Set(processGuids)];
        const found = await Promise.all(guids.map((guid) => processes.storedActualsOf(guid)));
        return { items: found.flat().map((stored) => itemOf(stored).item) };
      },
    }),
    ...lifecycleRoutes(need),
  };
}

/** An instance as an item of a list. */
export type ActualLRPItems = (stored: Stored<ActualLRP>) => EncodedItem<ActualLRPFacets>;

/** What lists of instances are filtered by. */
type ActualLRPFacets = Pick<ActualLRP, 'domain' | 'cellId'> & ActualLRPKey;

export function actualLRPItems(encoded: EncodedRecords): ActualLRPItems {
  return encoded.view(
    (actual: ActualLRP) => wire.ActualLRP.encode(wireActualLRP(actual)),
    ({ domain, cellId, processGuid, index }): ActualLRPFacets => ({ domain, cellId, processGuid, index }),
  );
}

/** Instances that match every given filter. Without one no record is looked at. */
export async function listActualLRPs(
  { processes, itemOf }: Pick<ActualLRPRoutesNeed, 'processes' | 'itemOf'>,
  { domain, cellId, processGuid, index }: wire.ActualLRPsRequest,
): Promise<Stored<ActualLRP>[]> {
  const found = processGuid
    ? await processes.storedActualsOf(processGuid)
    : cellId
      ? await processes.storedActualsOnCell(cellId)
      : await everything((page) => processes.storedActualPage(page));
  if (!domain && !cellId && !isGiven(index)) return found;
  return found.filter((stored) => {
    const { facets } = itemOf(stored);
    return (
      (!domain || facets.domain === domain) &&
      (!cellId || facets.cellId === cellId) &&
      (!isGiven(index) || facets.index === index)
    );
  });
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
    handle: async (request, { traceId }) => {
      const key = requireKey(request.actualLrpKey);
      const { actualLrpInstanceKey: instanceKey, availabilityZone: zone } = request;
      await reports.tell({ type: 'start', key, instanceKey, details: startedOf(request), zone, traceId });
      return {};
    },
  });
  return {
    '/v1/actual_lrps/claim': rpcs.rpc({
      request: wire.ClaimActualLRPRequest,
      response,
      changes: 'cell',
      handle: async ({ actualLrpInstanceKey: instanceKey, ...key }, { traceId }) => {
        await reports.tell({ type: 'claim', key: slotOf(key), instanceKey, traceId });
        return {};
      },
    }),
    '/v1/actual_lrps/start': start,
    '/v1/actual_lrps/start.r1': start,
    '/v1/actual_lrps/crash': rpcs.rpc({
      request: wire.CrashActualLRPRequest,
      response,
      changes: 'cell',
      handle: async (request, { traceId }) => {
        const { actualLrpKey, actualLrpInstanceKey: instanceKey, errorMessage: reason = '' } = request;
        const key = requireKey(actualLrpKey);
        await reports.tell({ type: 'crash', key, instanceKey, details: { reason }, traceId });
        return {};
      },
    }),
    '/v1/actual_lrps/fail': rpcs.rpc({
      request: wire.FailActualLRPRequest,
      response,
      changes: 'client',
      handle: async ({ actualLrpKey, errorMessage = '' }, caller) => {
        const key = requireKey(actualLrpKey);
        if (errorMessage === '') throw invalidField('error_message');
        await actualLRPs.change(key, caller, (instance) => {
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
      handle: async ({ actualLrpInstanceKey: instanceKey, ...request }, caller) => {
        const { traceId } = caller;
        const key = slotOf(request);
        if (instanceKey) await reports.tell({ type: 'remove', key, instanceKey, traceId });
        else await removeWhoeverIsThere(actualLRPs, key, caller);
        return {};
      },
    }),
    '/v1/actual_lrps/retire': rpcs.rpc({
      request: wire.RetireActualLRPRequest,
      response,
      changes: 'client',
      handle: async ({ actualLrpKey }, caller) => {
        await actualLRPs.retire(requireKey(actualLrpKey), caller);
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
  caller: Caller,
): Promise<void> {
  await actualLRPs.change(key, caller, (instance, context) => {
    const { ordinary } = instance;
    if (ordinary === undefined) throw notFound('actual LRP', `${key.processGuid}/${key.index}`);
    return vacate(instance, ordinary, context);
  });
}
