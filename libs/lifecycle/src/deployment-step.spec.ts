import type { ActualLRP, Deployment } from '#rivera/models';
import { BUILT_AT, aRunningActualLRP, aSchedulingInfo, anActualLRP, aTag } from '#test/builders.js';
import type { Context } from './context.js';
import {
  cancelDeployment,
  DEFAULT_DEPLOYMENT_POLICY,
  pauseDeployment,
  resumeDeployment,
  startDeployment,
} from './deployment.js';
import { type DeploymentStep, FINISHED_DEPLOYMENT_EXPIRY_MS, stepDeployment } from './deployment-step.js';
import type { ProcessSnapshot } from './process.js';

const NOW = BUILT_AT + 3_600_000;
const at = (now = NOW): Context => ({ now, newGuid: () => 'new' });

const deployment = (
  fields: Partial<Deployment> = {},
  policy: Partial<Deployment['policy']> = {},
): Deployment => ({
  processGuid: 'old',
  newProcessGuid: 'next',
  domain: 'd',
  state: 'ROLLING',
  oldInstances: 4,
  newInstances: 4,
  policy: { ...DEFAULT_DEPLOYMENT_POLICY, ...policy },
  healthy: 0,
  crashes: 0,
  createdAt: NOW,
  progressedAt: NOW,
  modificationTag: aTag(),
  ...fields,
});

interface Lrp {
  /** Desired; absent: the LRP is gone. */
  instances?: number;
  /** RUNNING since for ever, RUNNING just now, CLAIMED, crashed so often. */
  healthy?: number;
  fresh?: number;
  claimed?: number;
  crashes?: number;
  placementError?: string;
  strategy?: 'ROLLING' | 'RECREATE';
}

const times = (count: number, row: Partial<ActualLRP>) => Array.from({ length: count }, () => ({ ...row }));

function lrp(processGuid: string, given: Lrp): ProcessSnapshot {
  const { instances, healthy = 0, fresh = 0, claimed = 0, crashes = 0, placementError, strategy } = given;
  const rows: Partial<ActualLRP>[] = [
    ...times(healthy, { since: BUILT_AT }),
    ...times(fresh, { since: NOW - 1_000 }),
    ...times(claimed, { state: 'CLAIMED' }),
  ];
  const actuals = rows.map((row, index) => aRunningActualLRP({ processGuid, index, ...row }));
  const rest = Array.from({ length: Math.max(0, (instances ?? 0) - actuals.length) }, (_, i) =>
    anActualLRP({ processGuid, index: actuals.length + i, placementError }),
  );
  const all = [...actuals, ...rest];
  if (crashes > 0) all[0] = { ...all[0]!, crashCount: crashes, crashReason: 'exited with status 1' };
  const desired =
    instances === undefined
      ? undefined
      : aSchedulingInfo({ processGuid, instances, updateStrategy: strategy });
  return { processGuid, desired, actuals: all };
}

const step = (given: Deployment, old: Lrp, next: Lrp, now = NOW): DeploymentStep =>
  stepDeployment({ deployment: given, old: lrp('old', old), next: lrp('next', next) }, at(now));
const scaled = ({ next, old }: DeploymentStep) => ({ next, old });
const becomes = ({ deployment: transition }: DeploymentStep) => transition[0]?.after;

describe('ROLLING', () => {
  it.each<[string, Deployment, Lrp, Lrp, { next?: number; old?: number }]>([
    ['adds one new instance', deployment(), { instances: 4, healthy: 4 }, { instances: 0 }, { next: 1 }],
    [
      'adds as many as may be in flight',
      deployment({}, { maxInFlight: 3 }),
      { instances: 4 },
      { instances: 0 },
      { next: 3 },
    ],
    [
      'adds no more than are wanted',
      deployment({}, { maxInFlight: 9 }),
      { instances: 4 },
      { instances: 0 },
      { next: 4 },
    ],
    ['waits for what runs not long enough', deployment(), { instances: 4 }, { instances: 1, fresh: 1 }, {}],
    ['waits for what is only claimed', deployment(), { instances: 4 }, { instances: 1, claimed: 1 }, {}],
    [
      'takes an old one for each healthy one, and adds the next',
      deployment(),
      { instances: 4 },
      { instances: 1, healthy: 1 },
      { next: 2, old: 3 },
    ],
    [
      'takes old ones first where some may be missing',
      deployment({}, { maxUnavailable: 2 }),
      { instances: 4 },
      { instances: 0 },
      { next: 1, old: 2 },
    ],
    [
      'keeps as many as there were when there are to be more',
      deployment({ newInstances: 9 }),
      { instances: 4 },
      { instances: 1, healthy: 1 },
      { next: 2, old: 3 },
    ],
    [
      'keeps as many as there are to be when these are fewer',
      deployment({ newInstances: 2 }),
      { instances: 4 },
      { instances: 0 },
      { next: 1, old: 2 },
    ],
    ['does not scale the old one up again', deployment(), { instances: 1 }, { instances: 4, healthy: 2 }, {}],
    [
      'RECREATE: old ones go first',
      deployment(),
      { instances: 4, healthy: 4 },
      { instances: 0, strategy: 'RECREATE' },
      { old: 3 },
    ],
    [
      'RECREATE: and have to be gone',
      deployment(),
      { instances: 3, healthy: 4 },
      { instances: 0, strategy: 'RECREATE' },
      {},
    ],
    [
      'RECREATE: then the new one comes',
      deployment(),
      { instances: 3, healthy: 3 },
      { instances: 0, strategy: 'RECREATE' },
      { next: 1 },
    ],
    ['the old one was removed: goes on', deployment(), {}, { instances: 1, healthy: 1 }, { next: 2 }],
  ])('%s', (_what, given, old, next, expected) => {
    expect(scaled(step(given, old, next))).toEqual({ next: undefined, old: undefined, ...expected });
  });

  it('ends when all new ones are healthy and nothing is left of the old one', () => {
    const all = { instances: 4, healthy: 4 };
    expect(scaled(step(deployment(), { instances: 0, claimed: 1 }, all))).toEqual({});
    expect(step(deployment(), { instances: 0 }, all)).toEqual({ old: 'remove', deployment: [] });
    expect(becomes(step(deployment(), {}, all))).toMatchObject({ state: 'COMPLETED', healthy: 4 });
  });

  it.each<[string, Lrp, Lrp, number, RegExp]>([
    [
      'new ones crash too often',
      { instances: 4 },
      { instances: 1, crashes: 3 },
      NOW,
      /crashed 3 times: exited with status 1/,
    ],
    ['the new one is gone', { instances: 4 }, {}, NOW, /was removed/],
    [
      'nothing gets on',
      { instances: 4 },
      { instances: 1, placementError: 'insufficient resources' },
      NOW + 600_000,
      /No progress for 600000 ms: insufficient resources/,
    ],
  ])('turns back when %s', (_what, old, next, now, reason) => {
    const given = step(deployment(), old, next, now);
    expect(scaled(given)).toEqual({});
    expect(becomes(given)).toMatchObject({
      state: 'ROLLING_BACK',
      reason: expect.stringMatching(reason) as string,
    });
  });

  it('is looked at again when a new instance may be healthy, and when it has made no progress', () => {
    const given = deployment();
    expect(becomes(step(given, { instances: 4 }, { instances: 1, fresh: 1 }))).toMatchObject({
      dueAt: NOW + 9_000,
    });
    expect(becomes(step(given, { instances: 4 }, { instances: 1 }))).toMatchObject({ dueAt: NOW + 600_000 });
  });

  it('what changes nothing writes nothing', () => {
    const given = deployment({ dueAt: NOW + 600_000 });
    expect(step(given, { instances: 4 }, { instances: 1 })).toEqual({ deployment: [] });
  });
});

describe('ROLLING_BACK', () => {
  const back = (fields: Partial<Deployment> = {}, policy: Partial<Deployment['policy']> = {}) =>
    deployment({ state: 'ROLLING_BACK', reason: 'It was cancelled.', ...fields }, policy);

  it.each<[string, Deployment, Lrp, Lrp, { next?: number | 'remove'; old?: number }]>([
    [
      'brings all old ones back at once',
      back(),
      { instances: 1, healthy: 1 },
      { instances: 3, healthy: 3 },
      { old: 4 },
    ],
    [
      'takes the new ones as the old ones run',
      back(),
      { instances: 4, healthy: 3 },
      { instances: 3, healthy: 3 },
      { next: 1 },
    ],
    [
      'RECREATE: new ones go first',
      back(),
      { instances: 1, healthy: 1, strategy: 'RECREATE' },
      { instances: 3, healthy: 3 },
      { next: 0 },
    ],
    [
      'removes the new one when nothing is left of it',
      back(),
      { instances: 4, healthy: 4 },
      { instances: 0 },
      { next: 'remove' },
    ],
  ])('%s', (_what, given, old, next, expected) => {
    expect(scaled(step(given, old, next))).toEqual({ next: undefined, old: undefined, ...expected });
  });

  it('ends with what there was', () => {
    expect(becomes(step(back(), { instances: 4, healthy: 4 }, {}))).toMatchObject({
      state: 'ROLLED_BACK',
      reason: 'It was cancelled.',
    });
  });

  it('does not keep the new ones for ever where the old ones find no room', () => {
    expect(scaled(step(back(), { instances: 4 }, { instances: 3, healthy: 3 }, NOW + 600_000))).toEqual({
      next: 0,
    });
  });

  it('fails when there is nothing to go back to', () => {
    expect(becomes(step(back(), {}, { instances: 1 }))).toMatchObject({
      state: 'FAILED',
      reason: expect.stringContaining('The old LRP is gone') as string,
    });
  });
});

describe('what clients do', () => {
  const old = aSchedulingInfo({ processGuid: 'old', instances: 4 });
  const wanted = { newProcessGuid: 'next', newInstances: 5, policy: { maxInFlight: 2 } };
  const started = () => startDeployment(undefined, old, wanted, at())[0]?.after as Deployment;

  it('starts, with what was not said at its default', () => {
    expect(started()).toMatchObject({
      state: 'ROLLING',
      oldInstances: 4,
      newInstances: 5,
      policy: { ...DEFAULT_DEPLOYMENT_POLICY, maxInFlight: 2 },
      dueAt: NOW,
    });
  });

  it('once at a time; after it has ended, again', () => {
    expect(startDeployment(started(), old, wanted, at())).toEqual([]);
    const other = { ...wanted, newProcessGuid: 'other' };
    expect(() => startDeployment(started(), old, other, at())).toThrow(
      expect.objectContaining({ code: 'conflict' }),
    );
    const [change] = startDeployment(deployment({ state: 'ROLLED_BACK' }), old, other, at());
    expect(change?.after).toMatchObject({ state: 'ROLLING', newProcessGuid: 'other', healthy: 0 });
  });

  const FORBIDDEN = 'invalid-state-transition';
  it.each<[Deployment['state'], string, string, string]>([
    ['ROLLING', 'PAUSED', 'ROLLING', 'ROLLING_BACK'],
    ['PAUSED', 'PAUSED', 'ROLLING', 'ROLLING_BACK'],
    ['ROLLING_BACK', FORBIDDEN, FORBIDDEN, 'ROLLING_BACK'],
    ['COMPLETED', FORBIDDEN, FORBIDDEN, FORBIDDEN],
    ['ROLLED_BACK', FORBIDDEN, FORBIDDEN, FORBIDDEN],
    ['FAILED', FORBIDDEN, FORBIDDEN, FORBIDDEN],
  ])('%s: pause → %s, resume → %s, cancel → %s', (state, ...expected) => {
    const before = deployment({ state });
    const answers = [pauseDeployment, resumeDeployment, cancelDeployment].map((rule) => {
      try {
        return (rule(before, at())[0]?.after as Deployment | undefined)?.state ?? state;
      } catch (error) {
        return (error as { code: string }).code;
      }
    });
    expect(answers).toEqual(expected);
  });

  it('paused, nothing is scaled, whatever happens', () => {
    const paused = deployment({ state: 'PAUSED' });
    expect(step(paused, { instances: 4 }, { instances: 1, crashes: 9 }, NOW + 9e9)).toEqual({
      deployment: [],
    });
  });
});

it('what has ended is forgotten after a while', () => {
  const ended = deployment({ state: 'COMPLETED' });
  expect(step(ended, {}, { instances: 4 })).toEqual({ deployment: [] });
  const [change] = step(ended, {}, { instances: 4 }, NOW + FINISHED_DEPLOYMENT_EXPIRY_MS).deployment;
  expect(change).toEqual({ kind: 'deployment', before: ended });
});
