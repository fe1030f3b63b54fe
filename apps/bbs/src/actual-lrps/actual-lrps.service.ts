import { Injectable } from '@nestjs/common';
import { Notifier } from '#rivera/actor';
import { type Context, type InstanceSnapshot, retire, type Transition } from '#rivera/lifecycle';
import type { ActualLRPKey } from '#rivera/models';
import { Clock, contextOf, Ids, type Principal } from '#rivera/platform';
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
  async retire(key: ActualLRPKey, user: Principal): Promise<void> {
    const cells = await this.cells.list();
    const present = new Set(cells.filter(({ state }) => state === 'PRESENT').map(({ cellId }) => cellId));
    await this.change(key, user, (instance, context) =>
      retire(instance, present.has(instance.ordinary?.cellId ?? ''), context),
    );
  }

  /** Applies a rule to an instance that the user may touch, and tells whom it concerns. */
  async change(
    { processGuid, index }: ActualLRPKey,
    user: Principal,
    rule: (instance: InstanceSnapshot, context: Context) => Transition,
  ): Promise<void> {
    const transition = await this.processes.changeInstance({
      processGuid,
      index,
      decide: (instance) => {
        requireVisible(user, instance.ordinary, 'actual LRP', `${processGuid}/${index}`);
        return rule(instance, contextOf(this.clock, this.ids));
      },
    });
    this.notifier.publish(transition);
  }
}
