import { Controller, Get, Param, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { notFound, type RiveraEvent } from '#rivera/models';
import { CurrentUser, type Principal, Scopes } from '#rivera/platform';
import { ProcessRepository, TaskRepository } from '#rivera/store';
import { requireVisible } from '../http/ownership.js';
import { InstanceLogQuery, LogQuery } from '../http/queries.js';
import { pastRunsOf, runsOf } from '../sessions/runs.js';
import { LogStreams, type LogState } from './log-streams.js';

/** What instances and tasks say, as server-sent events, straight from their cells. */
@Controller('v1')
export class LogsController {
  constructor(
    private readonly processes: ProcessRepository,
    private readonly tasks: TaskRepository,
    private readonly streams: LogStreams,
  ) {}

  @Get('lrps/:processGuid/logs')
  @Scopes('lrps:read')
  async ofLRP(
    @Param('processGuid') processGuid: string,
    @Query() query: InstanceLogQuery,
    @CurrentUser() user: Principal,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.streams.answer({
      reply,
      user,
      query,
      look: () => this.lookAtLRP(processGuid, query.index, user),
      isAbout: (event) =>
        recordsOf(event).some((record) => 'processGuid' in record && record.processGuid === processGuid),
    });
  }

  @Get('tasks/:taskGuid/logs')
  @Scopes('tasks:read')
  async ofTask(
    @Param('taskGuid') taskGuid: string,
    @Query() query: LogQuery,
    @CurrentUser() user: Principal,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.streams.answer({
      reply,
      user,
      query,
      look: () => this.lookAtTask(taskGuid, user),
      isAbout: (event) =>
        recordsOf(event).some((record) => 'taskGuid' in record && record.taskGuid === taskGuid),
    });
  }

  private async lookAtLRP(
    processGuid: string,
    index: number | undefined,
    user: Principal,
  ): Promise<LogState> {
    const [desired, all] = await Promise.all([
      this.processes.schedulingInfo(processGuid),
      this.processes.actualsOf(processGuid),
    ]);
    const what = index === undefined ? 'LRP' : 'actual LRP';
    const id = index === undefined ? processGuid : `${processGuid}/${index}`;
    requireVisible(user, desired ?? all[0], what, id);
    const actuals = all.filter((actual) => index === undefined || actual.index === index);
    const isWanted = desired !== undefined && (index === undefined || index < desired.instances);
    if (!isWanted && actuals.length === 0) throw notFound(what, id);
    return { runs: [...pastRunsOf(actuals), ...runsOf(actuals)], isOver: false };
  }

  private async lookAtTask(taskGuid: string, user: Principal): Promise<LogState> {
    const task = await this.tasks.get(taskGuid);
    requireVisible(user, task, 'task', taskGuid);
    if (task === undefined) throw notFound('task', taskGuid);
    const { cellId, lastCellId, state } = task;
    const runs = [];
    if (cellId !== undefined) runs.push({ guid: taskGuid, cellId });
    else if (lastCellId !== undefined) runs.push({ guid: taskGuid, cellId: lastCellId, isPast: true });
    return {
      runs,
      isOver: state === 'COMPLETED' || state === 'RESOLVING',
    };
  }
}

function recordsOf(event: RiveraEvent): object[] {
  return [...('before' in event ? [event.before] : []), ...('after' in event ? [event.after] : [])];
}
