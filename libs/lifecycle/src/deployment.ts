import {
  type ActualLRP,
  type Deployment,
  type DeploymentPolicy,
  type DesiredLRPSchedulingInfo,
  RiveraError,
} from '#rivera/models';
import { newTag, nextTag, type Transition } from './change.js';
import type { Context } from './context.js';
import { defined, withFields } from './with-fields.js';

export const DEFAULT_DEPLOYMENT_POLICY: Deployment['policy'] = {
  maxInFlight: 1,
  maxUnavailable: 0,
  minHealthyMs: 10_000,
  maxCrashes: 3,
  progressTimeoutMs: 600_000,
};

/** What a client asks for when it has a definition take the place of an LRP. */
export interface WantedDeployment {
  newProcessGuid: string;
  newInstances: number;
  policy: Readonly<DeploymentPolicy>;
}

/**
 * A new definition is to take the place of `old`. A deployment that has ended makes room for the next one; the same
 * request again changes nothing.
 *
 * Errors: `conflict` while the LRP is being replaced by another one.
 */
export function startDeployment(
  before: Deployment | undefined,
  old: DesiredLRPSchedulingInfo,
  { newProcessGuid, newInstances, policy }: WantedDeployment,
  context: Context,
): Transition {
  const { processGuid, domain, instances } = old;
  if (before !== undefined && isActive(before)) {
    if (before.newProcessGuid === newProcessGuid) return [];
    throw new RiveraError(
      'conflict',
      `${JSON.stringify(processGuid)} is being replaced by ${JSON.stringify(before.newProcessGuid)} already. ` +
        `Wait until that has ended, or cancel it.`,
    );
  }
  const after: Deployment = {
    processGuid,
    newProcessGuid,
    domain,
    state: 'ROLLING',
    oldInstances: instances,
    newInstances,
    policy: { ...DEFAULT_DEPLOYMENT_POLICY, ...defined(policy) },
    healthy: 0,
    crashes: 0,
    createdAt: context.now,
    progressedAt: context.now,
    // Whoever made it may end before it tells anybody.
    dueAt: context.now,
    modificationTag: before === undefined ? newTag(context) : nextTag(before),
  };
  return [{ kind: 'deployment', before, after }];
}

/** Nothing more is scaled until it is resumed. Errors: `invalid-state-transition` unless it rolls. */
export function pauseDeployment(before: Deployment, context: Context): Transition {
  if (before.state === 'PAUSED') return [];
  if (before.state !== 'ROLLING') throw cannot('paused', before);
  return moved(before, 'PAUSED', context, { dueAt: undefined });
}

/** Errors: `invalid-state-transition` unless it rolls or is paused. */
export function resumeDeployment(before: Deployment, context: Context): Transition {
  if (before.state === 'ROLLING') return [];
  if (before.state !== 'PAUSED') throw cannot('resumed', before);
  return moved(before, 'ROLLING', context);
}

/** Everything goes back to the old LRP. Errors: `invalid-state-transition` once it has ended. */
export function cancelDeployment(before: Deployment, context: Context): Transition {
  if (before.state === 'ROLLING_BACK') return [];
  if (!isActive(before)) throw cannot('cancelled', before);
  return rollBack(before, 'It was cancelled.', context);
}

/** Has it not come to its end yet? */
export function isActive({ state }: Deployment): boolean {
  return state === 'ROLLING' || state === 'PAUSED' || state === 'ROLLING_BACK';
}

/** What went wrong, and the way back. */
export function rollBack(
  before: Deployment,
  reason: string,
  context: Context,
  { crashes = before.crashes }: { crashes?: number } = {},
): Transition {
  return moved(before, 'ROLLING_BACK', context, { reason, healthy: 0, crashes });
}

/** The deployment in another state. It is looked at again at once. */
export function moved(
  before: Deployment,
  state: Deployment['state'],
  context: Context,
  fields: Partial<Deployment> = {},
): Transition {
  const { now } = context;
  return changedDeployment(before, { state, progressedAt: now, dueAt: now, ...fields });
}

/** The record with these fields; no change if it reads the same. */
export function changedDeployment(before: Deployment, fields: Partial<Deployment>): Transition {
  const after = withFields(before, fields);
  if (Object.entries(fields).every(([name, value]) => before[name as keyof Deployment] === value)) return [];
  return [{ kind: 'deployment', before, after: { ...after, modificationTag: nextTag(before) } }];
}

/** The indices that are served by an instance which has been RUNNING and routable for so long. */
export function healthyIndices(
  actuals: readonly ActualLRP[],
  minHealthyMs: number,
  now: number,
): ReadonlySet<number> {
  return new Set(
    actuals.filter((row) => isServing(row) && row.since + minHealthyMs <= now).map(({ index }) => index),
  );
}

/** A suspect may serve as well, but nobody can tell. */
export function isServing({ state, presence, routable, stopping }: ActualLRP): boolean {
  return state === 'RUNNING' && presence !== 'SUSPECT' && routable !== false && !stopping;
}

function cannot(verb: string, { processGuid, state }: Deployment): RiveraError {
  return new RiveraError(
    'invalid-state-transition',
    `The deployment of ${JSON.stringify(processGuid)} is ${state}; it cannot be ${verb}.`,
  );
}
