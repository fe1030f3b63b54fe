import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import { type Domain, DomainRequest } from '#rivera/models';
import { type Caller, CurrentUser, Scopes } from '#rivera/platform';
import { DomainParams } from '../http/params.js';
import { Domains } from './domains.service.js';

/** Whose desired lists are complete, and until when. */
@Controller('v1/domains')
export class DomainsController {
  constructor(private readonly domains: Domains) {}

  /** The fresh ones. */
  @Get()
  @Scopes('domains:read')
  async list(@CurrentUser() user: Caller): Promise<{ items: Domain[] }> {
    return { items: await this.domains.fresh(user) };
  }

  @Put(':domain')
  @Scopes('domains:write')
  async upsert(
    @Param() { domain }: DomainParams,
    @Body() { ttlSeconds }: DomainRequest,
    @CurrentUser() user: Caller,
  ): Promise<Domain> {
    return this.domains.upsert(domain, ttlSeconds, user);
  }
}
