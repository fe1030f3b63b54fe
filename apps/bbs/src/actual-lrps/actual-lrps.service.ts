import { Injectable } from '@nestjs/common';
import { Notifier } from '#rivera/actor';
import { type Context, type InstanceSnapshot, retire, type Transition } from '#rivera/lifecycle';
import type { ActualLRPKey } from '#rivera/models';
import { type Caller, Clock, contextOf, Ids } from '#rivera/platform';
import { CellRepository, ProcessRepository } from '#rivera/store';
import { requireVisible } from '../http/ownership.js';

/** What clients do to instances. */
@Injectable()
export class ActualLRPs {
  constructor(
    private readonly processes: ProcessRepository,
    private readonly cells: CellRepository,
    private readonly notifier: Notifier,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  /** Stop this instance; it is replaced. */
  async retire(key: ActualLRPKey, user: Caller): Promise<void> {
    // The instance first: its cell was then missing while it was there. What took its place since may well run.
    const seen = (await this.processes.actualsOf(key.processGuid)).find(
      ({ index, presence }) => index === key.index && presence === 'ORDINARY',
    );
    const cell = seen?.cellId === undefined ? undefined : await this.cells.get(seen.cellId);
    await this.change(key, user, (instance, context) => {
      const isSeen = instance.ordinary?.instanceGuid === seen?.instanceGuid;
      return retire(instance, !isSeen || cell?.state === 'PRESENT', context);
    });
  }

  /** Applies a rule to an instance that the user may touch, and tells whom it concerns. */
  async change(
    { processGuid, index }: ActualLRPKey,
    user: Caller,
    rule: (instance: InstanceSnapshot, context: Context) => Transition,
  ): Promise<void> {
    const decide = (instance: InstanceSnapshot) => {
      requireVisible(user, instance.ordinary, 'actual LRP', `${processGuid}/${index}`);
      return rule(instance, contextOf(this.clock, this.ids));
    };
    const { traceId } = user;
    const transition = await this.processes.changeInstance({ processGuid, index, decide }, { traceId });
    this.notifier.publish(transition);
  }
}
