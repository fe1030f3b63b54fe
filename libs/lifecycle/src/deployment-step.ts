import type { Deployment } from '#rivera/models';
import type { Transition } from './change.js';
import type { Context } from './context.js';
import { changedDeployment, healthyIndices, isActive, isServing, moved, rollBack } from './deployment.js';
import { isHeldByCell } from './instance.js';
import type { ProcessSnapshot } from './process.js';

/** A deployment with the two LRPs it is about, as they were read: each by itself, for they may live in different shards. */
export interface DeploymentSnapshot {
  deployment: Deployment;
  old: ProcessSnapshot;
  next: ProcessSnapshot;
}

/**
 * What to do next. Each part is a commit of its own, applied in this order: `next` and `old` are how many instances these
 * LRPs are to have, absent = as they are. Whoever applies a part of it and ends has done no harm: the step follows from
 * what is stored, so it is found again.
 */
export interface DeploymentStep {
  next?: number | 'remove';
  old?: number | 'remove';
  deployment: Transition;
}

/** A finished deployment is shown for this long. */
export const FINISHED_DEPLOYMENT_EXPIRY_MS = 3_600_000;

const NOTHING: DeploymentStep = { deployment: [] };

/**
 * The next step of replacing one LRP by another. New instances are added, at most `maxInFlight` that are not healthy
 * yet; old ones are taken away as new ones become healthy, so that never fewer than wanted serve, less `maxUnavailable`.
 * Crashes and lack of progress turn it round. RECREATE: old ones go first, so that old and new never overlap.
 */
export function stepDeployment(snapshot: DeploymentSnapshot, context: Context): DeploymentStep {
  const { deployment } = snapshot;
  switch (deployment.state) {
    case 'ROLLING':
      return roll(snapshot, context);
    case 'ROLLING_BACK':
      return goBack(snapshot, context);
    case 'PAUSED':
      return NOTHING;
    case 'COMPLETED':
    case 'ROLLED_BACK':
    case 'FAILED': {
      const isOver = context.now - deployment.progressedAt >= FINISHED_DEPLOYMENT_EXPIRY_MS;
      return isOver ? { deployment: [{ kind: 'deployment', before: deployment }] } : NOTHING;
    }
  }
}

/** When a deployment has to be looked at although nothing has happened. */
export function deploymentDueAt(deployment: Deployment): number | undefined {
  if (isActive(deployment)) return deployment.dueAt;
  return deployment.progressedAt + FINISHED_DEPLOYMENT_EXPIRY_MS;
}

function roll({ deployment, old, next }: DeploymentSnapshot, context: Context): DeploymentStep {
  const { policy, newInstances, oldInstances } = deployment;
  if (next.desired === undefined) {
    return { deployment: rollBack(deployment, 'The new LRP was removed.', context) };
  }
  const crashes = Math.max(deployment.crashes, crashesOf(next));
  if (crashes >= policy.maxCrashes) {
    const why = next.actuals.find(({ crashReason }) => crashReason !== undefined)?.crashReason;
    const reason = `New instances crashed ${crashes} times${why === undefined ? '.' : `: ${why}`}`;
    return { deployment: rollBack(deployment, reason, context, { crashes }) };
  }
  const shift = shiftOf({
    up: next,
    down: old,
    target: newInstances,
    floor: Math.min(oldInstances, newInstances),
    policy,
    now: context.now,
  });
  const isLate = context.now - deployment.progressedAt >= policy.progressTimeoutMs;
  if (isLate && shift.healthy < newInstances && shift.healthy <= deployment.healthy) {
    const why = next.actuals.find(({ placementError }) => placementError !== undefined)?.placementError;
    const reason = `No progress for ${policy.progressTimeoutMs} ms${why === undefined ? '.' : `: ${why}`}`;
    return { deployment: rollBack(deployment, reason, context) };
  }
  if (shift.isDone) {
    if (old.desired !== undefined) return { old: 'remove', deployment: [] };
    return {
      deployment: moved(deployment, 'COMPLETED', context, { healthy: newInstances, dueAt: undefined }),
    };
  }
  return {
    ...(shift.up !== next.desired.instances && { next: shift.up }),
    ...(shift.down !== old.desired?.instances && old.desired !== undefined && { old: shift.down }),
    deployment: progress(deployment, shift, { next, crashes }, context),
  };
}

/** The same with the roles exchanged. What is known to be good is brought back all at once. */
function goBack({ deployment, old, next }: DeploymentSnapshot, context: Context): DeploymentStep {
  const { policy, newInstances, oldInstances, reason = '' } = deployment;
  const end = (state: Deployment['state'], fields: Partial<Deployment> = {}): DeploymentStep => ({
    deployment: moved(deployment, state, context, { dueAt: undefined, ...fields }),
  });
  if (old.desired === undefined) {
    return end('FAILED', { reason: `${reason} The old LRP is gone, so the new one was left as it is.` });
  }
  const shift = shiftOf({
    up: old,
    down: next,
    target: oldInstances,
    floor: Math.min(oldInstances, newInstances),
    policy: { ...policy, minHealthyMs: 0, maxInFlight: Math.max(1, oldInstances) },
    now: context.now,
  });
  const isLate = context.now - deployment.progressedAt >= policy.progressTimeoutMs;
  const down = isLate ? 0 : shift.down;
  const isGone = next.desired === undefined || (next.desired.instances === 0 && next.actuals.length === 0);
  if (isGone && shift.up === old.desired.instances) {
    return next.desired === undefined ? end('ROLLED_BACK') : { next: 'remove', deployment: [] };
  }
  return {
    ...(next.desired !== undefined && down !== next.desired.instances && { next: down }),
    ...(shift.up !== old.desired.instances && { old: shift.up }),
    deployment: progress(deployment, shift, { next: old, crashes: deployment.crashes }, context),
  };
}

interface Shift {
  /** The LRP that is scaled up to `target`, and the one that is scaled down to nothing. */
  up: ProcessSnapshot;
  down: ProcessSnapshot;
  target: number;
  /** As many are to serve at any moment. */
  floor: number;
  policy: Deployment['policy'];
  now: number;
}

/** How many of both there may be now, given how many of the one that grows are healthy. */
function shiftOf({ up, down, target, floor, policy, now }: Shift) {
  const healthy = healthyIndices(up.actuals, policy.minHealthyMs, now).size;
  const [upNow, downNow] = [up.desired?.instances ?? 0, down.desired?.instances ?? 0];
  const isRecreate = [up, down].some(({ desired }) => desired?.updateStrategy === 'RECREATE');
  const missing = isRecreate ? Math.max(policy.maxUnavailable, policy.maxInFlight) : policy.maxUnavailable;
  const room = isRecreate
    ? Math.max(target, floor) - Math.max(downNow, down.actuals.filter(isHeldByCell).length)
    : Infinity;
  const wantedUp = Math.max(upNow, Math.min(target, healthy + policy.maxInFlight, room));
  const wantedDown = Math.min(downNow, Math.max(0, floor - missing - healthy));
  const isDone = wantedUp === upNow && healthy >= target && downNow === 0 && down.actuals.length === 0;
  return { healthy, up: wantedUp, down: wantedDown, isDone, upNow, downNow };
}

/** What of the record follows: how far it got, and when to look again. */
function progress(
  deployment: Deployment,
  shift: ReturnType<typeof shiftOf>,
  { next, crashes }: { next: ProcessSnapshot; crashes: number },
  { now }: Context,
): Transition {
  const { policy } = deployment;
  const hasMoved =
    shift.healthy > deployment.healthy || shift.up !== shift.upNow || shift.down !== shift.downNow;
  const progressedAt = hasMoved ? now : deployment.progressedAt;
  const minHealthyMs = deployment.state === 'ROLLING' ? policy.minHealthyMs : 0;
  const maturing = next.actuals
    .filter(isServing)
    .map(({ since }) => since + minHealthyMs)
    .filter((at) => at > now);
  const timesOutAt = progressedAt + policy.progressTimeoutMs;
  // A time-out that has passed and changes nothing any more must not be waited for.
  const dueAt = Math.min(...maturing, timesOutAt > now ? timesOutAt : Infinity);
  return changedDeployment(deployment, {
    healthy: Math.max(shift.healthy, deployment.healthy),
    crashes,
    progressedAt,
    dueAt: Number.isFinite(dueAt) ? dueAt : undefined,
  });
}

function crashesOf({ actuals }: ProcessSnapshot): number {
  return actuals.reduce(
    (sum, { crashCount, presence }) => sum + (presence === 'ORDINARY' ? crashCount : 0),
    0,
  );
}
