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
import { DesiredLRPRequest, type DesiredLRPSchedulingInfo, DesiredLRPUpdate } from '#rivera/models';
import { type Caller, CurrentUser, Scopes } from '#rivera/platform';
import { type Page, ProcessRepository, type Stored, type StoredDefinition } from '#rivera/store';
import { parseIdempotencyKey, parseIfMatch } from '../http/conditional.js';
import { listAnswer } from '../http/list-answer.js';
import { filteredPage, matcherOf } from '../http/pages.js';
import { desiredLRPText, presentDesiredLRP, presentRouting, schedulingText } from '../http/presenters.js';
import { DesiredLRPQuery, type DesiredLRPView } from '../http/queries.js';
import { DesiredLRPs } from './desired-lrps.service.js';

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
    @CurrentUser() user: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    return tagged(reply, await this.desiredLRPs.desire(request, user, parseIdempotencyKey(idempotencyKey)));
  }

  @Get()
  @Scopes('lrps:read')
  async list(
    @Query() query: DesiredLRPQuery,
    @CurrentUser() user: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const matches = matcherOf(query, user);
    const page =
      query.processGuid === undefined
        ? await filteredPage((request) => this.processes.desiredPage(request), query, matches)
        : { items: await this.named(query.processGuid, matches) };
    return this.answer(reply, query.view ?? 'full', page);
  }

  @Get(':processGuid')
  @Scopes('lrps:read')
  async get(
    @Param('processGuid') processGuid: string,
    @CurrentUser() user: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    return tagged(reply, await this.desiredLRPs.get(processGuid, user));
  }

  @Patch(':processGuid')
  @Scopes('lrps:write')
  async update(
    @Param('processGuid') processGuid: string,
    @Body() wanted: DesiredLRPUpdate,
    @Headers('if-match') ifMatch: string | undefined,
    @CurrentUser() user: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    return tagged(reply, await this.desiredLRPs.update(processGuid, wanted, user, parseIfMatch(ifMatch)));
  }

  @Delete(':processGuid')
  @HttpCode(204)
  @Scopes('lrps:write')
  async remove(
    @Param('processGuid') processGuid: string,
    @Headers('if-match') ifMatch: string | undefined,
    @CurrentUser() user: Caller,
  ): Promise<void> {
    await this.desiredLRPs.remove(processGuid, user, parseIfMatch(ifMatch));
  }

  private async named(
    guids: string[],
    matches?: (info: DesiredLRPSchedulingInfo) => boolean,
  ): Promise<Stored<DesiredLRPSchedulingInfo>[]> {
    const found = await this.processes.storedSchedulingInfos(guids);
    return matches === undefined ? found : found.filter(({ record }) => matches(record));
  }

  private async answer(
    reply: FastifyReply,
    view: DesiredLRPView,
    page: Page<Stored<DesiredLRPSchedulingInfo>>,
  ): Promise<string> {
    const { items } = page;
    if (view === 'scheduling') return listAnswer(reply, page, items.map(schedulingText));
    if (view === 'routing') {
      const texts = items.map(({ record }) => JSON.stringify(presentRouting(record)));
      return listAnswer(reply, page, texts);
    }
    const runs = await this.processes.runInfos(items.map(({ id }) => id));
    const runOf = new Map(runs.map((run) => [run.processGuid, run]));
    const texts = items.flatMap(({ id, record }) => {
      const run = runOf.get(id);
      return run === undefined ? [] : [JSON.stringify(presentDesiredLRP(record, run))];
    });
    return listAnswer(reply, page, texts);
  }
}

function tagged(reply: FastifyReply, definition: StoredDefinition): string {
  reply.header('etag', `"${definition.schedulingInfo.version}"`);
  reply.type('application/json; charset=utf-8');
  return desiredLRPText(definition);
}
