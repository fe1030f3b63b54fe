/** What holds of every deployment, whatever happens meanwhile. A failure prints the walk that led there. */
import * as fc from 'fast-check';
import { type ActualLRP, type Deployment, splitDesiredLRP } from '#rivera/models';
import { BUILT_AT, aDesiredLRP } from '#test/builders.js';
import { actualId, recordId, type Transition } from './change.js';
import { convergeProcess } from './convergence.js';
import {
  cancelDeployment,
  healthyIndices,
  isServing,
  pauseDeployment,
  resumeDeployment,
  startDeployment,
} from './deployment.js';
import { stepDeployment } from './deployment-step.js';
import { crash, remove, start } from './instance.js';
import { desire, instanceOf, type ProcessSnapshot, removeDesired, update } from './process.js';

const OPS = ['step', 'start', 'stop', 'crash', 'pause', 'resume', 'cancel', 'wait'] as const;
type Op = (typeof OPS)[number];
interface Move {
  op: Op;
  pick: number;
  /** Parts of a step that are applied before whoever applies it ends. */
  parts: number;
}
interface Setting {
  oldInstances: number;
  newInstances: number;
  maxInFlight: number;
  maxUnavailable: number;
  strategy: 'ROLLING' | 'RECREATE';
  isGood: boolean;
}
const MIN_HEALTHY_MS = 10_000;

/** Two LRPs, one cell that has room for all, and a deployment from one to the other. */
class Walk {
  now = BUILT_AT;
  private guids = 0;
  private readonly processes = new Map<string, { snapshot: ProcessSnapshot; rows: Map<string, ActualLRP> }>();
  deployment: Deployment | undefined;

  constructor(readonly setting: Setting) {
    const { oldInstances, newInstances, maxInFlight, maxUnavailable, strategy } = setting;
    for (const [processGuid, instances] of [
      ['old', oldInstances],
      ['next', 0],
    ] as const) {
      this.processes.set(processGuid, { snapshot: { processGuid, actuals: [] }, rows: new Map() });
      const wanted = aDesiredLRP({ processGuid, instances, updateStrategy: strategy });
      this.apply(desire(this.of(processGuid), splitDesiredLRP(wanted), this.context));
    }
    while (this.startOne('old', 0)) this.now += 1;
    this.now += MIN_HEALTHY_MS;
    const policy = { maxInFlight, maxUnavailable, minHealthyMs: MIN_HEALTHY_MS };
    const started = startDeployment(
      undefined,
      this.of('old').desired!,
      { newProcessGuid: 'next', newInstances, policy },
      this.context,
    );
    this.apply(started);
  }

  get context() {
    return { now: this.now, newGuid: () => `guid-${(this.guids += 1)}` };
  }

  of(processGuid: string): ProcessSnapshot {
    const { snapshot, rows } = this.processes.get(processGuid)!;
    return { ...snapshot, actuals: [...rows.values()] };
  }

  take({ op, pick, parts }: Move): void {
    this.now += 1_000;
    const which = pick % 2 === 0 ? 'next' : 'old';
    if (op === 'step') this.step(parts);
    if (op === 'start') this.startOne(which, pick);
    if (op === 'stop') this.stopOne(which, pick);
    if (op === 'crash' && !this.setting.isGood) this.crashOne(pick);
    if (op === 'wait') this.now += 4_000;
    const rule = { pause: pauseDeployment, resume: resumeDeployment, cancel: cancelDeployment }[
      op as 'pause'
    ];
    if (rule !== undefined && this.deployment !== undefined) {
      const { deployment } = this;
      try {
        this.apply(rule(deployment, this.context));
      } catch {
        // It has come too far for that.
      }
    }
    this.check();
  }

  /** Everything that is due happens, good builds become healthy, bad ones crash; until the deployment has ended. */
  finish(): void {
    for (let round = 0; round < 3_000; round++) {
      if (
        this.deployment === undefined ||
        !['ROLLING', 'PAUSED', 'ROLLING_BACK'].includes(this.deployment.state)
      ) {
        return;
      }
      if (this.deployment.state === 'PAUSED') this.apply(resumeDeployment(this.deployment, this.context));
      this.now += 1_000;
      if (!this.setting.isGood) this.crashOne(round);
      for (const guid of ['old', 'next']) {
        while (this.stopOne(guid, 0));
        if (guid === 'old' || this.setting.isGood) while (this.startOne(guid, 0));
        else this.startOne(guid, 0);
        const world = { cells: new Map([['cell', 'PRESENT' as const]]), isFresh: () => true };
        this.apply(convergeProcess(this.of(guid), world, this.context));
      }
      this.step(3);
      this.check();
    }
    throw new Error(`It does not end: ${JSON.stringify(this.deployment)}`);
  }

  private step(parts: number): void {
    if (this.deployment === undefined) return;
    const { deployment } = this;
    const {
      next,
      old,
      deployment: transition,
    } = stepDeployment({ deployment, old: this.of('old'), next: this.of('next') }, this.context);
    const commits = [
      ...(next === undefined ? [] : [() => this.scale('next', next)]),
      ...(old === undefined ? [] : [() => this.scale('old', old)]),
      ...(transition.length === 0 ? [] : [() => this.apply(transition)]),
    ];
    for (const commit of commits.slice(0, parts)) {
      commit();
      this.check();
    }
  }

  private scale(guid: string, wanted: number | 'remove'): void {
    const process = this.of(guid);
    this.apply(
      wanted === 'remove' ? removeDesired(process) : update(process, { instances: wanted }, this.context),
    );
  }

  private startOne(guid: string, pick: number): boolean {
    const process = this.of(guid);
    const waiting = process.actuals.filter(({ state }) => state === 'UNCLAIMED');
    const row = waiting[pick % Math.max(1, waiting.length)];
    if (row === undefined) return false;
    const key = { instanceGuid: `i-${(this.guids += 1)}`, cellId: 'cell' };
    const started = { netInfo: { address: 'a', ports: [] }, routable: true, availabilityZone: 'z' };
    this.apply(start(instanceOf(process, row.index), key, started, this.context));
    return true;
  }

  private stopOne(guid: string, pick: number): boolean {
    const process = this.of(guid);
    const stopping = process.actuals.filter((row) => row.stopping);
    const row = stopping[pick % Math.max(1, stopping.length)];
    if (row === undefined) return false;
    const key = { instanceGuid: row.instanceGuid!, cellId: row.cellId! };
    this.apply(remove(instanceOf(process, row.index), key, this.context));
    return true;
  }

  private crashOne(pick: number): void {
    const process = this.of('next');
    const running = process.actuals.filter(({ state }) => state === 'RUNNING');
    const row = running[pick % Math.max(1, running.length)];
    if (row === undefined) return;
    const key = { instanceGuid: row.instanceGuid!, cellId: row.cellId! };
    this.apply(crash(instanceOf(process, row.index), key, 'it fell over', this.context));
  }

  private apply(transition: Transition): void {
    for (const change of transition) {
      if (change.kind === 'deployment') {
        expect(change.before).toEqual(this.deployment);
        this.deployment = change.after;
      }
      if (change.kind === 'desired') {
        const { processGuid } = (change.after ?? change.before)!;
        this.processes.get(processGuid)!.snapshot.desired = change.after;
      }
      if (change.kind !== 'actual') continue;
      const { rows } = this.processes.get((change.after ?? change.before)!.processGuid)!;
      if (change.after === undefined) rows.delete(recordId(change));
      else rows.set(actualId(change.after), change.after);
    }
  }

  /** Never fewer serve than wanted, less what may be missing; never more are unproven than may be; RECREATE never overlaps. */
  private check(): void {
    const { oldInstances, newInstances, maxInFlight, maxUnavailable, strategy, isGood } = this.setting;
    const [old, next] = [this.of('old'), this.of('next')];
    const floor = Math.min(oldInstances, newInstances);
    const serving = old.actuals.filter(isServing).length;
    const healthy = healthyIndices(next.actuals, MIN_HEALTHY_MS, this.now).size;
    const missing = strategy === 'RECREATE' ? Math.max(maxInFlight, maxUnavailable) : maxUnavailable;
    // Old ones that were taken away may not be back yet.
    const isRolling = this.deployment?.state === 'ROLLING' || this.deployment?.state === 'PAUSED';
    if (isGood && isRolling) expect(serving + healthy).toBeGreaterThanOrEqual(floor - missing);
    const unproven = (next.desired?.instances ?? 0) - healthy;
    if (isGood && isRolling) expect(unproven).toBeLessThanOrEqual(Math.max(maxInFlight, 0));
    if (strategy === 'RECREATE') {
      const held = [...old.actuals, ...next.actuals].filter(({ state }) => state === 'RUNNING').length;
      expect(held).toBeLessThanOrEqual(Math.max(oldInstances, newInstances));
    }
  }
}

const settings = (isGood: boolean): fc.Arbitrary<Setting> =>
  fc.record({
    oldInstances: fc.nat({ max: 5 }),
    newInstances: fc.nat({ max: 5 }),
    maxInFlight: fc.integer({ min: 1, max: 4 }),
    maxUnavailable: fc.nat({ max: 3 }),
    strategy: fc.constantFrom('ROLLING' as const, 'RECREATE' as const),
    isGood: fc.constant(isGood),
  });
const moves = fc.array(
  fc.record<Move>({
    op: fc.constantFrom<Op>(...OPS.filter((op) => op !== 'cancel'), 'step', 'step', 'start', 'start', 'wait'),
    pick: fc.nat({ max: 11 }),
    parts: fc.nat({ max: 3 }),
  }),
  { maxLength: 60, size: 'max' },
);

function walked(setting: Setting, taken: Move[]): Walk {
  const walk = new Walk(setting);
  for (const move of taken) walk.take(move);
  return walk;
}

it('a good definition takes over, and enough serve at every moment', () => {
  fc.assert(
    fc.property(settings(true), moves, (setting, taken) => {
      const walk = walked(setting, taken);
      walk.finish();
      expect(walk.deployment).toMatchObject({ state: 'COMPLETED' });
      expect(walk.of('old')).toMatchObject({ desired: undefined, actuals: [] });
      expect(walk.of('next').actuals.filter(isServing)).toHaveLength(setting.newInstances);
    }),
  );
});

it('a bad one is rolled back to what there was', () => {
  fc.assert(
    fc.property(settings(false), moves, (setting, taken) => {
      const walk = walked(setting, taken);
      walk.finish();
      const { old, next } = { old: walk.of('old'), next: walk.of('next') };
      // None crashed often enough before all were healthy; FAILED: they did when the old one had just gone.
      if (walk.deployment?.state === 'COMPLETED' || walk.deployment?.state === 'FAILED') {
        expect(old.desired).toBeUndefined();
        return;
      }
      expect(walk.deployment).toMatchObject({ state: 'ROLLED_BACK' });
      expect(old.desired?.instances).toBe(setting.oldInstances);
      expect(next).toMatchObject({ desired: undefined, actuals: [] });
    }),
  );
});

it('cancelled at any moment, it goes back to what there was', () => {
  fc.assert(
    fc.property(settings(true), moves, (setting, taken) => {
      const walk = walked(setting, taken);
      if (walk.deployment === undefined || walk.deployment.state === 'COMPLETED') return;
      walk.take({ op: 'cancel', pick: 0, parts: 0 });
      walk.finish();
      expect(walk.deployment).toMatchObject({ state: expect.stringMatching(/ROLLED_BACK|FAILED/) as string });
      if (walk.deployment.state === 'FAILED') {
        expect(walk.of('old').desired).toBeUndefined();
        return;
      }
      expect(walk.of('old').desired?.instances).toBe(setting.oldInstances);
      expect(walk.of('next')).toMatchObject({ desired: undefined, actuals: [] });
    }),
  );
});
