import { Injectable } from '@nestjs/common';
import { Notifier } from '#rivera/actor';
import { desire, isActive, startDeployment, type Transition } from '#rivera/lifecycle';
import {
  type Deployment,
  type DeploymentRequest,
  type DesiredLRPSchedulingInfo,
  notFound,
  RiveraError,
  splitDesiredLRP,
} from '#rivera/models';
import { type Caller, Clock, contextOf, Ids, type Principal, requireDomain } from '#rivera/platform';
import { DeploymentRepository, ProcessRepository } from '#rivera/store';
import { requireVisible } from '../http/ownership.js';

/** What clients do to deployments. The converger does the rest. */
@Injectable()
export class DeploymentRequests {
  constructor(
    private readonly deployments: DeploymentRepository,
    private readonly processes: ProcessRepository,
    private readonly notifier: Notifier,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  /**
   * The new LRP is desired first, without instances, then the deployment is recorded. If that fails in between, the same
   * request makes up for it.
   */
  async start(request: DeploymentRequest, user: Caller): Promise<Deployment> {
    const { processGuid, definition, ...policy } = request;
    const { traceId } = user;
    requireDomain(user, definition.domain);
    const old = await this.processes.schedulingInfo(processGuid);
    requireVisible(user, old, 'desired LRP', processGuid);
    if (old === undefined) throw notFound('desired LRP', processGuid);
    requireFit(old, request);
    await this.requireNotReplacing(processGuid, definition.processGuid);

    const { schedulingInfo, runInfo } = splitDesiredLRP(definition);
    const idempotencyKey = `deployment of ${processGuid}`;
    const wanted = { schedulingInfo: { ...schedulingInfo, instances: 0, idempotencyKey }, runInfo };
    const desired = await this.processes.change(
      definition.processGuid,
      (process) => desire(process, wanted, contextOf(this.clock, this.ids)),
      { traceId },
    );
    this.notifier.publish(desired);
    const { processGuid: newProcessGuid, instances: newInstances } = definition;
    const replacement = { newProcessGuid, newInstances, policy };
    await this.deployments.change(
      processGuid,
      (before) => startDeployment(before, old, replacement, contextOf(this.clock, this.ids)),
      { traceId },
    );
    return this.get(processGuid, user);
  }

  async get(processGuid: string, user: Principal): Promise<Deployment> {
    const deployment = await this.deployments.get(processGuid);
    requireVisible(user, deployment, 'deployment', processGuid);
    if (deployment === undefined) throw notFound('deployment', processGuid);
    return deployment;
  }

  async change(
    processGuid: string,
    user: Caller,
    rule: (before: Deployment, context: ReturnType<typeof contextOf>) => Transition,
  ): Promise<Deployment> {
    await this.deployments.change(
      processGuid,
      (before) => {
        requireVisible(user, before, 'deployment', processGuid);
        if (before === undefined) throw notFound('deployment', processGuid);
        return rule(before, contextOf(this.clock, this.ids));
      },
      { traceId: user.traceId },
    );
    return this.get(processGuid, user);
  }

  /** Two deployments must not pull at one LRP. */
  private async requireNotReplacing(processGuid: string, newProcessGuid: string): Promise<void> {
    for await (const other of this.deployments.all()) {
      if (!isActive(other)) continue;
      const isTarget = other.newProcessGuid === processGuid;
      const isRival = other.newProcessGuid === newProcessGuid && other.processGuid !== processGuid;
      if (!isTarget && !isRival) continue;
      throw new RiveraError(
        'conflict',
        `${JSON.stringify(other.newProcessGuid)} is taking the place of ${JSON.stringify(other.processGuid)}. ` +
          `Wait until that has ended, or cancel it.`,
      );
    }
  }
}

function requireFit(old: DesiredLRPSchedulingInfo, { processGuid, definition }: DeploymentRequest): void {
  const refuse = (field: string, rule: string, message: string) => {
    const fields = [{ field, rule, message }];
    return new RiveraError('invalid-request', 'The new definition cannot take the place of this LRP.', {
      fields,
    });
  };
  if (definition.processGuid === processGuid) {
    throw refuse('definition.processGuid', 'isNew', 'must differ from the process guid that is replaced');
  }
  if (definition.domain !== old.domain) {
    throw refuse('definition.domain', 'isSameDomain', `must be ${JSON.stringify(old.domain)}, as before`);
  }
}
