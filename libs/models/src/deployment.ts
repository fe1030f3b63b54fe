import { DesiredLRPRequest } from './desired-lrp.js';
import type { ModificationTag } from './modification-tag.js';
import { LIMITS } from './validation/limits.js';
import { Optional } from './validation/rule.js';
import { IsGuid, IsInteger, IsPart } from './validation/rules.js';

/** How carefully one LRP takes the place of another. */
export class DeploymentPolicy {
  /** New instances that do not count as healthy yet, at most; 1 when absent. */
  @Optional()
  @IsInteger({ min: 1, max: LIMITS.instances })
  maxInFlight?: number;

  /** How many fewer instances than are wanted may run meanwhile; 0 when absent. */
  @Optional()
  @IsInteger({ min: 0, max: LIMITS.instances })
  maxUnavailable?: number;

  /** A new instance counts as healthy when it has been RUNNING and routable for this long; 10 s when absent. */
  @Optional()
  @IsInteger({ min: 0 })
  minHealthyMs?: number;

  /** After this many crashes of new instances everything is rolled back; 3 when absent. */
  @Optional()
  @IsInteger({ min: 1 })
  maxCrashes?: number;

  /** Without progress for this long everything is rolled back; 10 min when absent. */
  @Optional()
  @IsInteger({ min: 1_000 })
  progressTimeoutMs?: number;
}

/** Body of `POST /v1/deployments`: a new definition takes the place of an LRP, instance by instance. */
export class DeploymentRequest extends DeploymentPolicy {
  /** The LRP that is replaced. */
  @IsGuid()
  processGuid: string;

  /** The new LRP, under a process guid of its own. Its `instances` is what there will be in the end. */
  @IsPart(() => DesiredLRPRequest)
  definition: DesiredLRPRequest;
}

/** In the last three nothing happens any more. */
export const DEPLOYMENT_STATES = [
  'ROLLING',
  'PAUSED',
  'ROLLING_BACK',
  'COMPLETED',
  'ROLLED_BACK',
  'FAILED',
] as const;
export type DeploymentState = (typeof DEPLOYMENT_STATES)[number];

/** How far a new definition has taken the place of an LRP. One LRP is replaced by one deployment at a time. */
export interface Deployment {
  /** The LRP that is replaced; also the identity of the deployment. */
  processGuid: string;
  newProcessGuid: string;
  domain: string;
  state: DeploymentState;
  /** Why it is rolled back, or failed. */
  reason?: string;
  /** Instances of the old LRP when it began: what a roll-back goes back to. */
  oldInstances: number;
  /** Instances of the new LRP in the end. */
  newInstances: number;
  policy: { [Field in keyof DeploymentPolicy]-?: number };
  /** The most instances that were healthy at once, of those that are scaled up: new ones, or old ones in a roll-back. */
  healthy: number;
  /** Crashes of new instances. */
  crashes: number;
  /** Milliseconds since the Unix epoch, as all times. */
  createdAt: number;
  /** Of the last change of its state, of what is wanted, or of `healthy`. */
  progressedAt: number;
  /** When it has to be looked at again, whatever happens. */
  dueAt?: number;
  modificationTag: ModificationTag;
}
