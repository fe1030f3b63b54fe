import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import { isFresh } from '#rivera/lifecycle';
import { type Domain, DomainRequest } from '#rivera/models';
import {
  Clock,
  contextOf,
  CurrentUser,
  Ids,
  type Principal,
  requireDomain,
  Scopes,
  visibleTo,
} from '#rivera/platform';
import { CellRepository } from '#rivera/store';
import { DomainParams } from '../http/params.js';

/** Whose desired lists are complete, and until when. */
@Controller('v1/domains')
export class DomainsController {
  constructor(
    private readonly cells: CellRepository,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  /** The fresh ones. */
  @Get()
  @Scopes('domains:read')
  async list(@CurrentUser() user: Principal): Promise<{ items: Domain[] }> {
    const now = this.clock.now();
    const domains = await this.cells.domains();
    return { items: domains.filter((domain) => isFresh(domain, now) && visibleTo(user, domain.domain)) };
  }

  @Put(':domain')
  @Scopes('domains:write')
  async upsert(
    @Param() { domain }: DomainParams,
    @Body() { ttlSeconds }: DomainRequest,
    @CurrentUser() user: Principal,
  ): Promise<Domain> {
    requireDomain(user, domain);
    return this.cells.upsertDomain(domain, ttlSeconds, contextOf(this.clock, this.ids));
  }
}
