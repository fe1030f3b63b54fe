import {
  type Context,
  evacuateClaimed,
  evacuateCrashed,
  evacuateRunning,
  evacuateStopped,
  type Evacuation,
  type EvacuationLimits,
  instanceOf,
  type ProcessSnapshot,
  removeEvacuating,
} from '#rivera/lifecycle';
import type { EvacuationReport, LRPReport } from '#rivera/models';

const TYPES: Record<EvacuationReport['type'], true> = {
  'evacuate-claimed': true,
  'evacuate-running': true,
  'evacuate-crashed': true,
  'evacuate-stopped': true,
  'remove-evacuating': true,
};

export function isEvacuationReport(report: LRPReport): report is EvacuationReport {
  return Object.hasOwn(TYPES, report.type);
}

/** What follows from the report of a cell that leaves. */
export function decideEvacuation(
  process: ProcessSnapshot,
  { cellId, zone }: { cellId: string; zone: string },
  report: EvacuationReport,
  context: Context,
  limits: EvacuationLimits = {},
): Evacuation {
  const { index, instanceGuid } = report;
  const key = { instanceGuid, cellId };
  const instance = instanceOf(process, index);
  switch (report.type) {
    case 'evacuate-claimed':
      return evacuateClaimed(instance, key, context);
    case 'evacuate-running': {
      const { netInfo, routable } = report;
      const started = { netInfo, routable, availabilityZone: zone };
      return evacuateRunning(process, index, key, started, context, limits);
    }
    case 'evacuate-crashed':
      return evacuateCrashed(instance, key, report.reason, context);
    case 'evacuate-stopped':
      return evacuateStopped(instance, key, context);
    case 'remove-evacuating':
      return { transition: removeEvacuating(instance, key), keepContainer: false };
  }
}
