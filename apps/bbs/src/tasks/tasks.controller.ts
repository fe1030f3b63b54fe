import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Notifier } from '#rivera/actor';
import { cancelTask, deleteTask, desireTask, resolveTask, type Transition } from '#rivera/lifecycle';
import { notFound, type Task, TaskRequest } from '#rivera/models';
import { Clock, contextOf, CurrentUser, Ids, type Principal, requireDomain, Scopes } from '#rivera/platform';
import { TaskRepository } from '#rivera/store';
import { parseIdempotencyKey } from '../http/conditional.js';
import { listAnswer } from '../http/list-answer.js';
import { filteredPage, matcherOf } from '../http/pages.js';
import { requireVisible } from '../http/ownership.js';
import { presentTask, taskText } from '../http/presenters.js';
import { TaskQuery } from '../http/queries.js';

/** One-off work. */
@Controller('v1/tasks')
export class TasksController {
  constructor(
    private readonly tasks: TaskRepository,
    private readonly notifier: Notifier,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  @Post()
  @Scopes('tasks:write')
  async desire(
    @Body() request: TaskRequest,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @CurrentUser() user: Principal,
  ): Promise<Task> {
    const { taskGuid, domain, definition } = request;
    requireDomain(user, domain);
    const wanted = { taskGuid, domain, definition, ...parseIdempotencyKey(idempotencyKey) };
    const transition = await this.tasks.change(taskGuid, (task) =>
      desireTask(task, wanted, contextOf(this.clock, this.ids)),
    );
    return this.answer(taskGuid, transition, user);
  }

  @Get()
  @Scopes('tasks:read')
  async list(
    @Query() query: TaskQuery,
    @CurrentUser() user: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const matches = matcherOf(query, user);
    const page = await filteredPage((request) => this.tasks.storedPage(request), query, matches);
    return listAnswer(reply, page, page.items.map(taskText));
  }

  @Get(':taskGuid')
  @Scopes('tasks:read')
  async get(@Param('taskGuid') taskGuid: string, @CurrentUser() user: Principal): Promise<Task> {
    const task = await this.tasks.get(taskGuid);
    requireVisible(user, task, 'task', taskGuid);
    if (task === undefined) throw notFound('task', taskGuid);
    return presentTask(task);
  }

  @Post(':taskGuid/cancel')
  @HttpCode(200)
  @Scopes('tasks:write')
  async cancel(@Param('taskGuid') taskGuid: string, @CurrentUser() user: Principal): Promise<Task> {
    const transition = await this.tasks.change(taskGuid, (task) => {
      requireVisible(user, task, 'task', taskGuid);
      return cancelTask(task, taskGuid, contextOf(this.clock, this.ids));
    });
    return this.answer(taskGuid, transition, user);
  }

  /** The caller alone takes care of the result; it deletes the task when done, or the task is COMPLETED again soon. */
  @Post(':taskGuid/resolve')
  @HttpCode(200)
  @Scopes('tasks:write')
  async resolve(@Param('taskGuid') taskGuid: string, @CurrentUser() user: Principal): Promise<Task> {
    const transition = await this.tasks.change(taskGuid, (task) => {
      requireVisible(user, task, 'task', taskGuid);
      return resolveTask(task, taskGuid, contextOf(this.clock, this.ids));
    });
    return this.answer(taskGuid, transition, user);
  }

  @Delete(':taskGuid')
  @HttpCode(204)
  @Scopes('tasks:write')
  async delete(@Param('taskGuid') taskGuid: string, @CurrentUser() user: Principal): Promise<void> {
    const transition = await this.tasks.change(taskGuid, (task) => {
      requireVisible(user, task, 'task', taskGuid);
      return deleteTask(task, taskGuid);
    });
    this.notifier.publish(transition);
  }

  private async answer(taskGuid: string, transition: Transition, user: Principal): Promise<Task> {
    this.notifier.publish(transition);
    const after = transition[0]?.after as Task | undefined;
    return after === undefined ? this.get(taskGuid, user) : presentTask(after);
  }
}
