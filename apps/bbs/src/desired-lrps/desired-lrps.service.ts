import { Injectable } from '@nestjs/common';
import { Notifier } from '#rivera/actor';
import { desire, type ProcessSnapshot, removeDesired, type Transition, update } from '#rivera/lifecycle';
import {
  type DesiredLRPRequest,
  type DesiredLRPUpdate,
  type ModificationTag,
  notFound,
  splitDesiredLRP,
} from '#rivera/models';
import { type Caller, Clock, contextOf, Ids, type Principal, requireDomain } from '#rivera/platform';
import { ProcessRepository, type StoredDefinition, type WriteOptions } from '#rivera/store';
import { requireVisible } from '../http/ownership.js';

/** What clients do to desired LRPs, one at a time or in bulk. Answers are as they are stored; `desiredLRPText` presents them. */
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
    user: Caller,
    options: { idempotencyKey?: string } = {},
  ): Promise<StoredDefinition> {
    requireDomain(user, request.domain);
    const { schedulingInfo, runInfo } = splitDesiredLRP(request);
    const wanted = { schedulingInfo: { ...schedulingInfo, ...options }, runInfo };
    return this.apply(
      request.processGuid,
      user,
      (process) => desire(process, wanted, contextOf(this.clock, this.ids)),
      { isNew: true },
    );
  }

  async update(
    processGuid: string,
    wanted: DesiredLRPUpdate,
    user: Caller,
    ifMatch?: ModificationTag,
  ): Promise<StoredDefinition> {
    return this.apply(processGuid, user, (process) => {
      requireVisible(user, process.desired, 'desired LRP', processGuid);
      return update(process, wanted, contextOf(this.clock, this.ids), ifMatch);
    });
  }

  async remove(processGuid: string, user: Caller, ifMatch?: ModificationTag): Promise<void> {
    const { traceId } = user;
    const rule = (process: ProcessSnapshot) => {
      requireVisible(user, process.desired, 'desired LRP', processGuid);
      return removeDesired(process, ifMatch);
    };
    const transition = await this.processes.change(processGuid, rule, { traceId });
    this.notifier.publish(transition);
  }

  async get(processGuid: string, user: Principal): Promise<StoredDefinition> {
    return visible(user, await this.processes.definition(processGuid));
  }

  /** Answers the record as the rule left it, or found it, whatever happened to it since. */
  private async apply(
    processGuid: string,
    user: Caller,
    rule: (process: ProcessSnapshot) => Transition,
    { isNew }: Pick<WriteOptions, 'isNew'> = {},
  ): Promise<StoredDefinition> {
    const options = { isNew, traceId: user.traceId };
    const { transition, definition } = await this.processes.changeDefinition(processGuid, rule, options);
    this.notifier.publish(transition);
    if (definition === undefined) throw notFound('desired LRP', processGuid);
    return visible(user, definition);
  }
}

function visible(user: Principal, definition: StoredDefinition): StoredDefinition {
  const { schedulingInfo } = definition;
  if (user.domains !== undefined)
    requireVisible(user, schedulingInfo.record, 'desired LRP', schedulingInfo.id);
  return definition;
}
