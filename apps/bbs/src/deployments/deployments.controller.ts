import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { cancelDeployment, pauseDeployment, resumeDeployment } from '#rivera/lifecycle';
import { type Deployment, DeploymentRequest } from '#rivera/models';
import { type Caller, CurrentUser, Scopes } from '#rivera/platform';
import { DeploymentRepository } from '#rivera/store';
import { listAnswer } from '../http/list-answer.js';
import { filteredPage, matcherOf } from '../http/pages.js';
import { DeploymentQuery } from '../http/queries.js';
import { DeploymentRequests } from './deployments.service.js';

/** New definitions that take the place of LRPs, instance by instance. */
@Controller('v1/deployments')
export class DeploymentsController {
  constructor(
    private readonly deployments: DeploymentRepository,
    private readonly requests: DeploymentRequests,
  ) {}

  @Post()
  @Scopes('lrps:write')
  start(@Body() request: DeploymentRequest, @CurrentUser() user: Caller): Promise<Deployment> {
    return this.requests.start(request, user);
  }

  @Get()
  @Scopes('lrps:read')
  async list(
    @Query() query: DeploymentQuery,
    @CurrentUser() user: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const matches = matcherOf(query, user);
    const page = await filteredPage((request) => this.deployments.storedPage(request), query, matches);
    return listAnswer(
      reply,
      page,
      page.items.map(({ json }) => json),
    );
  }

  @Get(':processGuid')
  @Scopes('lrps:read')
  get(@Param('processGuid') processGuid: string, @CurrentUser() user: Caller): Promise<Deployment> {
    return this.requests.get(processGuid, user);
  }

  @Post(':processGuid/pause')
  @HttpCode(200)
  @Scopes('lrps:write')
  pause(@Param('processGuid') processGuid: string, @CurrentUser() user: Caller): Promise<Deployment> {
    return this.requests.change(processGuid, user, pauseDeployment);
  }

  @Post(':processGuid/resume')
  @HttpCode(200)
  @Scopes('lrps:write')
  resume(@Param('processGuid') processGuid: string, @CurrentUser() user: Caller): Promise<Deployment> {
    return this.requests.change(processGuid, user, resumeDeployment);
  }

  /** Everything goes back to the LRP that was to be replaced. */
  @Post(':processGuid/cancel')
  @HttpCode(200)
  @Scopes('lrps:write')
  cancel(@Param('processGuid') processGuid: string, @CurrentUser() user: Caller): Promise<Deployment> {
    return this.requests.change(processGuid, user, cancelDeployment);
  }
}
