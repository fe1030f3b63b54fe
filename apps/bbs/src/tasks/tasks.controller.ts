import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Query } from '@nestjs/common';
import { Notifier } from '#rivera/actor';
import { cancelTask, deleteTask, desireTask, type Transition } from '#rivera/lifecycle';
import { notFound, type Task, TaskRequest } from '#rivera/models';
import { Clock, contextOf, Ids, Scopes } from '#rivera/platform';
import { type Page, TaskRepository } from '#rivera/store';
import { parseIdempotencyKey } from '../http/conditional.js';
import { filteredPage } from '../http/pages.js';
import { presentTask } from '../http/presenters.js';
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
  ): Promise<Task> {
    const { taskGuid, domain, definition } = request;
    const wanted = { taskGuid, domain, definition, ...parseIdempotencyKey(idempotencyKey) };
    return this.change(taskGuid, (task) => desireTask(task, wanted, contextOf(this.clock, this.ids)));
  }

  @Get()
  @Scopes('tasks:read')
  async list(@Query() query: TaskQuery): Promise<Page<Task>> {
    const page = await filteredPage((request) => this.tasks.page(request), query, (task) => query.matches(task));
    return { ...page, items: page.items.map(presentTask) };
  }

  @Get(':taskGuid')
  @Scopes('tasks:read')
  async get(@Param('taskGuid') taskGuid: string): Promise<Task> {
    const task = await this.tasks.get(taskGuid);
    if (task === undefined) throw notFound('task', taskGuid);
    return presentTask(task);
  }

  @Post(':taskGuid/cancel')
  @HttpCode(200)
  @Scopes('tasks:write')
  async cancel(@Param('taskGuid') taskGuid: string): Promise<Task> {
    return this.change(taskGuid, (task) => cancelTask(task, taskGuid, contextOf(this.clock, this.ids)));
  }

  @Delete(':taskGuid')
  @HttpCode(204)
  @Scopes('tasks:write')
  async delete(@Param('taskGuid') taskGuid: string): Promise<void> {
    this.notifier.publish(await this.tasks.change(taskGuid, (task) => deleteTask(task, taskGuid)));
  }

  private async change(taskGuid: string, decide: (task: Task | undefined) => Transition): Promise<Task> {
    const transition = await this.tasks.change(taskGuid, decide);
    this.notifier.publish(transition);
    const after = transition[0]?.after as Task | undefined;
    return after === undefined ? this.get(taskGuid) : presentTask(after);
  }
}
