import * as wire from '#rivera/diego-wire';
import { DISAGREEMENTS, invalidField } from '../disagreements.js';
import type { RpcRoutes, WireRoutes } from '../wire-route.js';
import { requireKey, startedOf, type WireCellReports } from './instance-reports.js';

type Kept = keyof typeof DISAGREEMENTS.keepContainerOfUnreadable;

/** What cells that leave report (Diego BBS §1.2, §3.5). */
export function evacuationRoutes({
  rpcs,
  reports,
}: {
  rpcs: RpcRoutes;
  reports: WireCellReports;
}): WireRoutes {
  const response = wire.EvacuationResponse;
  const withError = (kind: Kept) => (error: wire.Error) => ({ keepContainer: keepsAfter(kind, error) });
  const running = rpcs.rpc({
    request: wire.EvacuateRunningActualLRPRequest,
    response,
    changes: 'cell',
    withError: withError('running'),
    handle: async (request, { traceId }) => {
      const key = requireKey(request.actualLrpKey);
      const { actualLrpInstanceKey: instanceKey, availabilityZone: zone } = request;
      const { keepContainer } = await reports.tell({
        type: 'evacuate-running',
        key,
        instanceKey,
        details: startedOf(request),
        zone,
        traceId,
      });
      return { keepContainer: keepContainer || undefined };
    },
  });
  return {
    '/v1/actual_lrps/evacuate_running': running,
    '/v1/actual_lrps/evacuate_running.r1': running,
    '/v1/actual_lrps/evacuate_claimed': rpcs.rpc({
      request: wire.EvacuateClaimedActualLRPRequest,
      response,
      changes: 'cell',
      withError: withError('claimed'),
      handle: async ({ actualLrpKey, actualLrpInstanceKey: instanceKey }, { traceId }) => {
        await reports.tell({ type: 'evacuate-claimed', key: requireKey(actualLrpKey), instanceKey, traceId });
        return {};
      },
    }),
    '/v1/actual_lrps/evacuate_crashed': rpcs.rpc({
      request: wire.EvacuateCrashedActualLRPRequest,
      response,
      changes: 'cell',
      withError: withError('crashed'),
      handle: async (request, { traceId }) => {
        const { actualLrpKey, actualLrpInstanceKey: instanceKey, errorMessage: reason = '' } = request;
        const key = requireKey(actualLrpKey);
        if (reason === '') throw invalidField('error_message');
        await reports.tell({ type: 'evacuate-crashed', key, instanceKey, details: { reason }, traceId });
        return {};
      },
    }),
    '/v1/actual_lrps/evacuate_stopped': rpcs.rpc({
      request: wire.EvacuateStoppedActualLRPRequest,
      response,
      changes: 'cell',
      withError: withError('stopped'),
      handle: async ({ actualLrpKey, actualLrpInstanceKey: instanceKey }, { traceId }) => {
        await reports.tell({ type: 'evacuate-stopped', key: requireKey(actualLrpKey), instanceKey, traceId });
        return {};
      },
    }),
    '/v1/actual_lrps/remove_evacuating': rpcs.rpc({
      request: wire.RemoveEvacuatingActualLRPRequest,
      response: wire.RemoveEvacuatingActualLRPResponse,
      changes: 'cell',
      handle: async ({ actualLrpKey, actualLrpInstanceKey: instanceKey }, { traceId }) => {
        await reports.tell({
          type: 'remove-evacuating',
          key: requireKey(actualLrpKey),
          instanceKey,
          traceId,
        });
        return {};
      },
    }),
  };
}

/** A container is given up when its instance is certainly gone, and kept when nothing is certain. */
function keepsAfter(kind: Kept, { type }: wire.Error): true | undefined {
  if (type === wire.ErrorType.ResourceNotFound) return undefined;
  return DISAGREEMENTS.keepContainerOfUnreadable[kind] || undefined;
}
