import { CANCELLED, type Step, type StepLog } from '../executor/step.js';
import { firstFailure, type HealthIntervals, untilAllPass } from './health-step.js';
import type { Probe } from './probe.js';

export interface ReadinessStepOptions {
  probes: Probe[];
  intervals: HealthIntervals;
  log: StepLog;
  /** Whether the instance is to get traffic; called when that changes. */
  onRoutable: (isRoutable: boolean) => void;
}

/**
 * Watches whether an instance is fit for traffic (Diego executor, readiness checks). It never ends the instance, and is
 * ready at once, for the instance runs whether or not it gets traffic.
 */
export function readinessStep({ probes, intervals, log, onRoutable }: ReadinessStepOptions): Step {
  return {
    async perform(signal, onReady) {
      onReady();
      log.out('Starting readiness health monitoring of container');
      while (await untilAllPass(probes, intervals.unhealthyMs, signal)) {
        log.out(
          'Container passed the readiness health check. Container marked ready and added to route pool.',
        );
        onRoutable(true);
        const problem = await firstFailure(probes, intervals.healthyMs, signal);
        if (problem === undefined) break;
        log.error(`Readiness check unsuccessful: ${problem}`);
        log.error(
          'Container failed the readiness health check. Container marked not ready and removed from route pool.',
        );
        onRoutable(false);
      }
      return CANCELLED;
    },
  };
}
