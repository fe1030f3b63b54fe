import { Controller, Delete, Get, HttpCode, Param, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { ActualLRP } from '#rivera/models';
import { type Caller, CurrentUser, Scopes } from '#rivera/platform';
import { type Page, ProcessRepository } from '#rivera/store';
import { listAnswer } from '../http/list-answer.js';
import { filteredPage, matcherOf } from '../http/pages.js';
import { InstanceParams } from '../http/params.js';
import { ActualLRPQuery } from '../http/queries.js';
import { ActualLRPs } from './actual-lrps.service.js';

/** What runs. */
@Controller('v1/actual-lrps')
export class ActualLRPsController {
  constructor(
    private readonly actualLRPs: ActualLRPs,
    private readonly processes: ProcessRepository,
  ) {}

  @Get()
  @Scopes('lrps:read')
  async list(
    @Query() query: ActualLRPQuery,
    @CurrentUser() user: Caller,
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
  async retire(@Param() { processGuid, index }: InstanceParams, @CurrentUser() user: Caller): Promise<void> {
    await this.actualLRPs.retire({ processGuid, index }, user);
  }
}
