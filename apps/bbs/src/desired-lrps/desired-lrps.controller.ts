import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { type DesiredLRP, DesiredLRPRequest, type DesiredLRPSchedulingInfo, DesiredLRPUpdate } from '#rivera/models';
import { Scopes } from '#rivera/platform';
import { type Page, ProcessRepository } from '#rivera/store';
import { etagOf, parseIdempotencyKey, parseIfMatch } from '../http/conditional.js';
import { filteredPage } from '../http/pages.js';
import { presentDesiredLRP, presentRouting, presentScheduling, type RoutingInfo } from '../http/presenters.js';
import { DesiredLRPQuery, type DesiredLRPView } from '../http/queries.js';
import { DesiredLRPs } from './desired-lrps.service.js';

type AnyView = DesiredLRP | DesiredLRPSchedulingInfo | RoutingInfo;

/** What should run. */
@Controller('v1/desired-lrps')
export class DesiredLRPsController {
  constructor(
    private readonly desiredLRPs: DesiredLRPs,
    private readonly processes: ProcessRepository,
  ) {}

  @Post()
  @Scopes('lrps:write')
  async desire(
    @Body() request: DesiredLRPRequest,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<DesiredLRP> {
    return tagged(reply, await this.desiredLRPs.desire(request, parseIdempotencyKey(idempotencyKey)));
  }

  @Get()
  @Scopes('lrps:read')
  async list(@Query() query: DesiredLRPQuery): Promise<Page<AnyView>> {
    const page =
      query.processGuid === undefined
        ? await filteredPage((request) => this.processes.desiredPage(request), query, (item) => query.matches(item))
        : { items: (await this.processes.schedulingInfos(query.processGuid)).filter((item) => query.matches(item)) };
    return { ...page, items: await this.view(query.view ?? 'full', page.items) };
  }

  @Get(':processGuid')
  @Scopes('lrps:read')
  async get(
    @Param('processGuid') processGuid: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<DesiredLRP> {
    return tagged(reply, await this.desiredLRPs.get(processGuid));
  }

  @Patch(':processGuid')
  @Scopes('lrps:write')
  async update(
    @Param('processGuid') processGuid: string,
    @Body() wanted: DesiredLRPUpdate,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<DesiredLRP> {
    return tagged(reply, await this.desiredLRPs.update(processGuid, wanted, parseIfMatch(ifMatch)));
  }

  @Delete(':processGuid')
  @HttpCode(204)
  @Scopes('lrps:write')
  async remove(
    @Param('processGuid') processGuid: string,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<void> {
    await this.desiredLRPs.remove(processGuid, parseIfMatch(ifMatch));
  }

  private async view(view: DesiredLRPView, infos: DesiredLRPSchedulingInfo[]): Promise<AnyView[]> {
    if (view === 'scheduling') return infos.map(presentScheduling);
    if (view === 'routing') return infos.map(presentRouting);
    const runs = await this.processes.runInfos(infos.map(({ processGuid }) => processGuid));
    const runOf = new Map(runs.map((run) => [run.processGuid, run]));
    return infos.flatMap((info) => {
      const run = runOf.get(info.processGuid);
      return run === undefined ? [] : [presentDesiredLRP(info, run)];
    });
  }
}

function tagged(reply: FastifyReply, desired: DesiredLRP): DesiredLRP {
  reply.header('etag', etagOf(desired.modificationTag));
  return desired;
}
