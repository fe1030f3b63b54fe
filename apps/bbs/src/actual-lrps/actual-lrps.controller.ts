import { Controller, Delete, Get, HttpCode, Param, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Notifier } from '#rivera/actor';
import { retire } from '#rivera/lifecycle';
import type { ActualLRP } from '#rivera/models';
import { Clock, contextOf, CurrentUser, Ids, type Principal, Scopes } from '#rivera/platform';
import { CellRepository, type Page, ProcessRepository } from '#rivera/store';
import { listAnswer } from '../http/list-answer.js';
import { filteredPage, matcherOf } from '../http/pages.js';
import { InstanceParams } from '../http/params.js';
import { requireVisible } from '../http/ownership.js';
import { ActualLRPQuery } from '../http/queries.js';

/** What runs. */
@Controller('v1/actual-lrps')
export class ActualLRPsController {
  constructor(
    private readonly processes: ProcessRepository,
    private readonly cells: CellRepository,
    private readonly notifier: Notifier,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  @Get()
  @Scopes('lrps:read')
  async list(
    @Query() query: ActualLRPQuery,
    @CurrentUser() user: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Page<ActualLRP> | string> {
    const matches = matcherOf(query, user);
    if (query.processGuid !== undefined) {
      const perProcess = await Promise.all(query.processGuid.map((guid) => this.processes.actualsOf(guid)));
      return { items: perProcess.flat().filter(matches ?? Boolean) };
    }
    if (query.cellId !== undefined) {
      return { items: (await this.processes.actualsOnCell(query.cellId)).filter(matches ?? Boolean) };
    }
    const page = await filteredPage((request) => this.processes.storedActualPage(request), query, matches);
    return listAnswer(
      reply,
      page,
      page.items.map(({ json }) => json),
    );
  }

  /** Stop this instance; it is replaced. */
  @Delete(':processGuid/:index')
  @HttpCode(202)
  @Scopes('lrps:write')
  async retire(
    @Param() { processGuid, index }: InstanceParams,
    @CurrentUser() user: Principal,
  ): Promise<void> {
    const present = new Set(
      (await this.cells.list()).filter(({ state }) => state === 'PRESENT').map(({ cellId }) => cellId),
    );
    const transition = await this.processes.changeInstance({
      processGuid,
      index,
      decide: (instance) => {
        requireVisible(user, instance.ordinary, 'actual LRP', `${processGuid}/${index}`);
        return retire(
          instance,
          present.has(instance.ordinary?.cellId ?? ''),
          contextOf(this.clock, this.ids),
        );
      },
    });
    this.notifier.publish(transition);
  }
}
