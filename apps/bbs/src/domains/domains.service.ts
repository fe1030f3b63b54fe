import { Injectable } from '@nestjs/common';
import { isFresh } from '#rivera/lifecycle';
import type { Domain } from '#rivera/models';
import {
  type Caller,
  Clock,
  contextOf,
  Ids,
  type Principal,
  requireDomain,
  visibleTo,
} from '#rivera/platform';
import { CellRepository } from '#rivera/store';

/** Whose desired lists are complete, and until when. */
@Injectable()
export class Domains {
  constructor(
    private readonly cells: CellRepository,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  async fresh(user: Principal): Promise<Domain[]> {
    const now = this.clock.now();
    const domains = await this.cells.domains();
    return domains.filter((domain) => isFresh(domain, now) && visibleTo(user, domain.domain));
  }

  /** @param ttlSeconds 0 = for ever */
  async upsert(domain: string, ttlSeconds: number, user: Caller): Promise<Domain> {
    requireDomain(user, domain);
    const context = contextOf(this.clock, this.ids);
    return this.cells.upsertDomain(domain, ttlSeconds, context, { traceId: user.traceId });
  }
}
