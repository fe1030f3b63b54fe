import { Injectable } from '@nestjs/common';
import { Notifier } from '#rivera/actor';
import { desire, removeDesired, type Transition, update } from '#rivera/lifecycle';
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
    const transition = await this.processes.change(request.processGuid, (process) =>
      desire(process, wanted, contextOf(this.clock, this.ids)),
    );
    this.notifier.publish(transition);
    return this.present(request.processGuid, transition, user);
  }

  async update(
    processGuid: string,
    wanted: DesiredLRPUpdate,
    user: Principal,
    ifMatch?: ModificationTag,
  ): Promise<DesiredLRP> {
    const transition = await this.processes.change(processGuid, (process) => {
      requireVisible(user, process.desired, 'desired LRP', processGuid);
      return update(process, wanted, contextOf(this.clock, this.ids), ifMatch);
    });
    this.notifier.publish(transition);
    return this.present(processGuid, transition, user);
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

  /** The record as this transition left it, whatever happened to it since. */
  private async present(processGuid: string, transition: Transition, user: Principal): Promise<DesiredLRP> {
    const info = transition.find((change) => change.kind === 'desired')?.after;
    const run = transition.find((change) => change.kind === 'run')?.after;
    if (info !== undefined && run !== undefined) return presentDesiredLRP(info, run);
    const [stored] = await this.processes.runInfos([processGuid]);
    if (info === undefined) return this.get(processGuid, user);
    if (stored === undefined) throw notFound('desired LRP', processGuid);
    return presentDesiredLRP(info, stored);
  }
}
