import { Injectable } from '@nestjs/common';
import { Notifier } from '#rivera/actor';
import {
  type DeploymentSnapshot,
  isActive,
  type ProcessSnapshot,
  removeDesired,
  stepDeployment,
  type Transition,
  update,
} from '#rivera/lifecycle';
import type { Deployment, RiveraEvent } from '#rivera/models';
import { Clock, contextOf, Ids, RiveraLogger } from '#rivera/platform';
import { DeploymentRepository, type Fence, ProcessRepository } from '#rivera/store';

/** Steps at one go; what is left is taken up when the event of the last one is heard. */
const MAX_STEPS = 6;

/**
 * Drives deployments step by step, each commit complete in itself: woken by the events of the LRPs they are about, and
 * when they are due.
 */
@Injectable()
export class Deployments {
  /** Process guid → the deployment (by its old process guid) that it has a part in. */
  private readonly concerned = new Map<string, string>();
  private readonly dirty = new Set<string>();

  constructor(
    private readonly deployments: DeploymentRepository,
    private readonly processes: ProcessRepository,
    private readonly notifier: Notifier,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly logger: RiveraLogger,
  ) {}

  /** Reads which there are. All of them are looked at in the next pass. */
  async load(): Promise<void> {
    this.concerned.clear();
    for await (const deployment of this.deployments.all()) this.concern(deployment);
  }

  /** Something happened; if it concerns a deployment, that is looked at in the next pass. */
  observe(event: RiveraEvent): void {
    if (event.type === 'deployment_created' || event.type === 'deployment_changed') {
      this.concern(event.after);
    } else if (event.type === 'deployment_removed') {
      this.forget(event.before);
    } else {
      const record = 'after' in event ? event.after : event.before;
      const deployment = 'processGuid' in record ? this.concerned.get(record.processGuid) : undefined;
      if (deployment !== undefined) this.dirty.add(deployment);
    }
  }

  /** Something has happened to one or several. */
  get areDirty(): boolean {
    return this.dirty.size > 0;
  }

  /** Moves on those that something happened to. */
  async advanceDirty(fence: Fence): Promise<void> {
    const dirty = [...this.dirty];
    this.dirty.clear();
    for (const processGuid of dirty) {
      try {
        await this.advance(processGuid, fence);
      } catch (error) {
        this.dirty.add(processGuid);
        throw error;
      }
    }
  }

  /** Moves one on, as far as it can go now. Returns the number of records that changed. */
  async advance(processGuid: string, fence: Fence): Promise<number> {
    let changes = 0;
    for (let step = 0; step < MAX_STEPS; step++) {
      const deployment = await this.deployments.get(processGuid);
      if (deployment === undefined) break;
      const done = await this.step(deployment, fence);
      if (done === 0) break;
      changes += done;
    }
    return changes;
  }

  /** Would `advance` change anything? */
  async needs(deployment: Deployment): Promise<boolean> {
    const { next, old, deployment: transition } = await this.decide(deployment);
    return next !== undefined || old !== undefined || transition.length > 0;
  }

  private async step(deployment: Deployment, fence: Fence): Promise<number> {
    const { processGuid, newProcessGuid } = deployment;
    const { next, old, deployment: transition } = await this.decide(deployment);
    const isGrowing = deployment.state === 'ROLLING';
    let changes = 0;
    if (next !== undefined) changes += await this.scale(newProcessGuid, next, isGrowing, fence);
    if (old !== undefined) changes += await this.scale(processGuid, old, !isGrowing, fence);
    if (transition.length > 0) {
      // Decided on what was read before: whoever has changed it since is obeyed in the next step.
      const { modificationTag } = deployment;
      const written = await this.deployments.change(
        processGuid,
        (now) => (now?.modificationTag.index === modificationTag.index ? transition : []),
        { fence },
      );
      this.say(deployment, written);
      changes += written.length;
    }
    return changes;
  }

  private async decide(deployment: Deployment) {
    const [old, next] = await Promise.all([
      this.processes.snapshot(deployment.processGuid),
      this.processes.snapshot(deployment.newProcessGuid),
    ]);
    const snapshot: DeploymentSnapshot = { deployment, old, next };
    return stepDeployment(snapshot, contextOf(this.clock, this.ids));
  }

  /** Only ever up for the one that grows and down for the other, whatever a client has asked for meanwhile. */
  private async scale(
    processGuid: string,
    wanted: number | 'remove',
    isGrowing: boolean,
    fence: Fence,
  ): Promise<number> {
    const decide = (process: ProcessSnapshot): Transition => {
      if (process.desired === undefined) return [];
      if (wanted === 'remove') return removeDesired(process);
      const { instances } = process.desired;
      const target = isGrowing ? Math.max(instances, wanted) : Math.min(instances, wanted);
      return target === instances
        ? []
        : update(process, { instances: target }, contextOf(this.clock, this.ids));
    };
    const transition = await this.processes.change(processGuid, decide, { fence });
    this.notifier.publish(transition);
    return transition.length;
  }

  private concern(deployment: Deployment): void {
    if (!isActive(deployment)) return this.forget(deployment);
    const { processGuid, newProcessGuid } = deployment;
    this.concerned.set(processGuid, processGuid);
    this.concerned.set(newProcessGuid, processGuid);
    this.dirty.add(processGuid);
  }

  private forget({ processGuid, newProcessGuid }: Deployment): void {
    for (const guid of [processGuid, newProcessGuid]) {
      if (this.concerned.get(guid) === processGuid) this.concerned.delete(guid);
    }
  }

  private say(before: Deployment, transition: Transition): void {
    const after = transition[0]?.after as Deployment | undefined;
    if (after === undefined || after.state === before.state) return;
    const { processGuid, newProcessGuid, state, reason } = after;
    const level = state === 'COMPLETED' ? 'log' : 'warn';
    this.logger[level]('deployment-moved', { processGuid, newProcessGuid, state, reason });
  }
}
