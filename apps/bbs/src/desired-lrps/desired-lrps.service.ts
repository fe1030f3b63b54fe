import { Injectable } from '@nestjs/common';
import { Notifier } from '#rivera/actor';
import { desire, type ProcessSnapshot, removeDesired, type Transition, update } from '#rivera/lifecycle';
import {
  type DesiredLRP,
  type DesiredLRPRequest,
  type DesiredLRPUpdate,
  type ModificationTag,
  notFound,
  splitDesiredLRP,
} from '#rivera/models';
import { Clock, contextOf, Ids, type Principal, requireDomain } from '#rivera/platform';
import { ProcessRepository } from '#rivera/store';
import { requireVisible } from '../http/ownership.js';
import { presentDesiredLRP } from '../http/presenters.js';

/** What clients do to desired LRPs, one at a time or in bulk. */
@Injectable()
export class DesiredLRPs {
  constructor(
    private readonly processes: ProcessRepository,
    private readonly notifier: Notifier,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  async desire(
    request: DesiredLRPRequest,
    user: Principal,
    options: { idempotencyKey?: string } = {},
  ): Promise<DesiredLRP> {
    requireDomain(user, request.domain);
    const { schedulingInfo, runInfo } = splitDesiredLRP(request);
    const wanted = { schedulingInfo: { ...schedulingInfo, ...options }, runInfo };
    return this.apply(request.processGuid, user, (process) =>
      desire(process, wanted, contextOf(this.clock, this.ids)),
    );
  }

  async update(
    processGuid: string,
    wanted: DesiredLRPUpdate,
    user: Principal,
    ifMatch?: ModificationTag,
  ): Promise<DesiredLRP> {
    return this.apply(processGuid, user, (process) => {
      requireVisible(user, process.desired, 'desired LRP', processGuid);
      return update(process, wanted, contextOf(this.clock, this.ids), ifMatch);
    });
  }

  async remove(processGuid: string, user: Principal, ifMatch?: ModificationTag): Promise<void> {
    const transition = await this.processes.change(processGuid, (process) => {
      requireVisible(user, process.desired, 'desired LRP', processGuid);
      return removeDesired(process, ifMatch);
    });
    this.notifier.publish(transition);
  }

  async get(processGuid: string, user: Principal): Promise<DesiredLRP> {
    const { schedulingInfo, run } = await this.processes.desired(processGuid);
    requireVisible(user, schedulingInfo, 'desired LRP', processGuid);
    return presentDesiredLRP(schedulingInfo, run);
  }

  /** Answers the record as the rule left it, or found it, whatever happened to it since. */
  private async apply(
    processGuid: string,
    user: Principal,
    rule: (process: ProcessSnapshot) => Transition,
  ): Promise<DesiredLRP> {
    let found: ProcessSnapshot | undefined;
    const transition = await this.processes.change(processGuid, (process) => {
      found = process;
      return rule(process);
    });
    this.notifier.publish(transition);
    const info = transition.find((change) => change.kind === 'desired')?.after ?? found?.desired;
    const run = transition.find((change) => change.kind === 'run')?.after ?? found?.run;
    if (info === undefined || run === undefined) throw notFound('desired LRP', processGuid);
    requireVisible(user, info, 'desired LRP', processGuid);
    return presentDesiredLRP(info, run);
  }
}
