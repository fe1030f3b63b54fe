import * as wire from '#rivera/diego-wire';
import type { ActualLRP } from '#rivera/models';
import { messageOf, sortedMap } from './records.js';

/** An instance as Diego shows it. Fields that are not set are left out, as Go does. */
export function wireActualLRP(actual: ActualLRP): wire.ActualLRP {
  const { metricTags, internalRoutes } = actual;
  return {
    actualLrpKey: wireKey(actual),
    actualLrpInstanceKey: wireInstanceKey(actual),
    ...wireInfo(actual),
    actualLrpInternalRoutes: internalRoutes,
    metricTags: metricTags && sortedMap(metricTags),
  };
}

/** The part of an instance that events of its changes carry twice. */
export function wireInfo(actual: ActualLRP): wire.ActualLRPInfo {
  const { netInfo = {}, state, since, modificationTag } = actual;
  return {
    actualLrpNetInfo: messageOf('ActualLRPNetInfo', netInfo),
    crashCount: actual.crashCount || undefined,
    crashReason: actual.crashReason || undefined,
    state,
    placementError: actual.placementError || undefined,
    since: wire.nanosecondsOf(since),
    modificationTag: messageOf('ModificationTag', modificationTag),
    presence: wire.ActualLRPPresence[actual.presence] || undefined,
    routable: actual.routable ?? false,
    availabilityZone: actual.availabilityZone || undefined,
  };
}

export function wireKey({ processGuid, index, domain }: ActualLRP): wire.ActualLRPKey {
  return { processGuid, index: index || undefined, domain };
}

/** Empty for an instance that no cell holds: a placement is the auctioneer's plan, which Diego does not show. */
export function wireInstanceKey({ instanceGuid, cellId }: ActualLRP): wire.ActualLRPInstanceKey {
  return { instanceGuid, cellId };
}
