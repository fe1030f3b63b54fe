import { Controller, Delete, Get, HttpCode, Param, Query } from '@nestjs/common';
import { Notifier } from '#rivera/actor';
import { retire } from '#rivera/lifecycle';
import type { ActualLRP } from '#rivera/models';
import { Clock, contextOf, CurrentUser, Ids, type Principal, Scopes, visibleTo } from '#rivera/platform';
import { CellRepository, type Page, ProcessRepository } from '#rivera/store';
import { filteredPage } from '../http/pages.js';
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
  async list(@Query() query: ActualLRPQuery, @CurrentUser() user: Principal): Promise<Page<ActualLRP>> {
    const matches = (actual: ActualLRP) => query.matches(actual) && visibleTo(user, actual.domain);
    if (query.processGuid !== undefined) {
      const perProcess = await Promise.all(query.processGuid.map((guid) => this.processes.actualsOf(guid)));
      return { items: perProcess.flat().filter(matches) };
    }
    if (query.cellId !== undefined) {
      return { items: (await this.processes.actualsOnCell(query.cellId)).filter(matches) };
    }
    return filteredPage((request) => this.processes.actualPage(request), query, matches);
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
