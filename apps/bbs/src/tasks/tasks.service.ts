import { Injectable } from '@nestjs/common';
import { Notifier } from '#rivera/actor';
import {
  cancelTask,
  type Context,
  deleteTask,
  desireTask,
  resolveTask,
  type Transition,
} from '#rivera/lifecycle';
import { notFound, type Task, type TaskRequest } from '#rivera/models';
import { type Caller, Clock, contextOf, Ids, type Principal, requireDomain } from '#rivera/platform';
import { TaskRepository } from '#rivera/store';
import { requireVisible } from '../http/ownership.js';

type Rule = (task: Task | undefined, taskGuid: string, context: Context) => Transition;

/** What clients do to tasks. Answers are records as they are stored; what of them a client may see is the caller's business. */
@Injectable()
export class Tasks {
  constructor(
    private readonly tasks: TaskRepository,
    private readonly notifier: Notifier,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  async desire(
    { taskGuid, domain, definition }: TaskRequest,
    user: Caller,
    options: { idempotencyKey?: string } = {},
  ): Promise<Task> {
    requireDomain(user, domain);
    const wanted = { taskGuid, domain, definition, ...options };
    const transition = await this.tasks.change(
      taskGuid,
      (task) => desireTask(task, wanted, contextOf(this.clock, this.ids)),
      { isNew: true, traceId: user.traceId },
    );
    this.notifier.publish(transition);
    return this.answer(taskGuid, transition, user);
  }

  async get(taskGuid: string, user: Principal): Promise<Task> {
    const task = await this.tasks.get(taskGuid);
    requireVisible(user, task, 'task', taskGuid);
    if (task === undefined) throw notFound('task', taskGuid);
    return task;
  }

  async cancel(taskGuid: string, user: Caller): Promise<Task> {
    return this.answer(taskGuid, await this.change(taskGuid, user, cancelTask), user);
  }

  async resolve(taskGuid: string, user: Caller): Promise<Task> {
    return this.answer(taskGuid, await this.change(taskGuid, user, resolveTask), user);
  }

  async delete(taskGuid: string, user: Caller): Promise<void> {
    await this.change(taskGuid, user, deleteTask);
  }

  /** Applies a rule to a task that the user may touch, and tells whom it concerns. */
  async change(taskGuid: string, user: Caller, rule: Rule): Promise<Transition> {
    const transition = await this.tasks.change(
      taskGuid,
      (task) => {
        requireVisible(user, task, 'task', taskGuid);
        return rule(task, taskGuid, contextOf(this.clock, this.ids));
      },
      { traceId: user.traceId },
    );
    this.notifier.publish(transition);
    return transition;
  }

  private async answer(taskGuid: string, transition: Transition, user: Principal): Promise<Task> {
    const after = transition[0]?.after as Task | undefined;
    return after ?? this.get(taskGuid, user);
  }
}
