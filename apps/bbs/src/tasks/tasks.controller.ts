import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { type Task, TaskRequest } from '#rivera/models';
import { type Caller, CurrentUser, Scopes } from '#rivera/platform';
import { TaskRepository } from '#rivera/store';
import { parseIdempotencyKey } from '../http/conditional.js';
import { listAnswer } from '../http/list-answer.js';
import { filteredPage, matcherOf } from '../http/pages.js';
import { presentTask, taskText } from '../http/presenters.js';
import { TaskQuery } from '../http/queries.js';
import { Tasks } from './tasks.service.js';

/** One-off work. */
@Controller('v1/tasks')
export class TasksController {
  constructor(
    private readonly tasks: Tasks,
    private readonly repository: TaskRepository,
  ) {}

  @Post()
  @Scopes('tasks:write')
  async desire(
    @Body() request: TaskRequest,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @CurrentUser() user: Caller,
  ): Promise<Task> {
    return presentTask(await this.tasks.desire(request, user, parseIdempotencyKey(idempotencyKey)));
  }

  @Get()
  @Scopes('tasks:read')
  async list(
    @Query() query: TaskQuery,
    @CurrentUser() user: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const matches = matcherOf(query, user);
    const page = await filteredPage((request) => this.repository.storedPage(request), query, matches);
    return listAnswer(reply, page, page.items.map(taskText));
  }

  @Get(':taskGuid')
  @Scopes('tasks:read')
  async get(@Param('taskGuid') taskGuid: string, @CurrentUser() user: Caller): Promise<Task> {
    return presentTask(await this.tasks.get(taskGuid, user));
  }

  @Post(':taskGuid/cancel')
  @HttpCode(200)
  @Scopes('tasks:write')
  async cancel(@Param('taskGuid') taskGuid: string, @CurrentUser() user: Caller): Promise<Task> {
    return presentTask(await this.tasks.cancel(taskGuid, user));
  }

  /** The caller alone takes care of the result; it deletes the task when done, or the task is COMPLETED again soon. */
  @Post(':taskGuid/resolve')
  @HttpCode(200)
  @Scopes('tasks:write')
  async resolve(@Param('taskGuid') taskGuid: string, @CurrentUser() user: Caller): Promise<Task> {
    return presentTask(await this.tasks.resolve(taskGuid, user));
  }

  @Delete(':taskGuid')
  @HttpCode(204)
  @Scopes('tasks:write')
  async delete(@Param('taskGuid') taskGuid: string, @CurrentUser() user: Caller): Promise<void> {
    await this.tasks.delete(taskGuid, user);
  }
}
