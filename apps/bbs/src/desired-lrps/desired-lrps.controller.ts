import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  Res,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import {
  type DesiredLRP,
  DesiredLRPRequest,
  type DesiredLRPSchedulingInfo,
  DesiredLRPUpdate,
} from '#rivera/models';
import { CurrentUser, type Principal, Scopes, visibleTo } from '#rivera/platform';
import { type Page, ProcessRepository } from '#rivera/store';
import { etagOf, parseIdempotencyKey, parseIfMatch } from '../http/conditional.js';
import { filteredPage } from '../http/pages.js';
import {
  presentDesiredLRP,
  presentRouting,
  presentScheduling,
  type RoutingInfo,
} from '../http/presenters.js';
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
    @CurrentUser() user: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<DesiredLRP> {
    return tagged(reply, await this.desiredLRPs.desire(request, user, parseIdempotencyKey(idempotencyKey)));
  }

  @Get()
  @Scopes('lrps:read')
  async list(@Query() query: DesiredLRPQuery, @CurrentUser() user: Principal): Promise<Page<AnyView>> {
    const matches = (item: DesiredLRPSchedulingInfo) => query.matches(item) && visibleTo(user, item.domain);
    const page =
      query.processGuid === undefined
        ? await filteredPage((request) => this.processes.desiredPage(request), query, matches)
        : { items: (await this.processes.schedulingInfos(query.processGuid)).filter(matches) };
    return { ...page, items: await this.view(query.view ?? 'full', page.items) };
  }

  @Get(':processGuid')
  @Scopes('lrps:read')
  async get(
    @Param('processGuid') processGuid: string,
    @CurrentUser() user: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<DesiredLRP> {
    return tagged(reply, await this.desiredLRPs.get(processGuid, user));
  }

  @Patch(':processGuid')
  @Scopes('lrps:write')
  async update(
    @Param('processGuid') processGuid: string,
    @Body() wanted: DesiredLRPUpdate,
    @Headers('if-match') ifMatch: string | undefined,
    @CurrentUser() user: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<DesiredLRP> {
    return tagged(reply, await this.desiredLRPs.update(processGuid, wanted, user, parseIfMatch(ifMatch)));
  }

  @Delete(':processGuid')
  @HttpCode(204)
  @Scopes('lrps:write')
  async remove(
    @Param('processGuid') processGuid: string,
    @Headers('if-match') ifMatch: string | undefined,
    @CurrentUser() user: Principal,
  ): Promise<void> {
    await this.desiredLRPs.remove(processGuid, user, parseIfMatch(ifMatch));
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
