import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { Notifier } from '#rivera/actor';
import { desire, removeDesired, type Transition, update } from '#rivera/lifecycle';
import { type DesiredLRP, DesiredLRPRequest, DesiredLRPUpdate, notFound, splitDesiredLRP } from '#rivera/models';
import { Clock, contextOf, Ids, Scopes } from '#rivera/platform';
import { type Page, ProcessRepository } from '#rivera/store';
import { filteredPage } from '../http/pages.js';
import { presentDesiredLRP } from '../http/presenters.js';
import { DesiredLRPQuery } from '../http/queries.js';

/** What should run. */
@Controller('v1/desired-lrps')
export class DesiredLRPsController {
  constructor(
    private readonly processes: ProcessRepository,
    private readonly notifier: Notifier,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  @Post()
  @Scopes('lrps:write')
  async desire(@Body() request: DesiredLRPRequest): Promise<DesiredLRP> {
    const wanted = splitDesiredLRP(request);
    const transition = await this.processes.change(request.processGuid, (process) =>
      desire(process, wanted, contextOf(this.clock, this.ids)),
    );
    this.notifier.publish(transition);
    return this.present(request.processGuid, transition);
  }

  @Get()
  @Scopes('lrps:read')
  async list(@Query() query: DesiredLRPQuery): Promise<Page<DesiredLRP>> {
    const page =
      query.processGuid === undefined
        ? await filteredPage((request) => this.processes.desiredPage(request), query, (item) => query.matches(item))
        : { items: (await this.processes.schedulingInfos(query.processGuid)).filter((item) => query.matches(item)) };
    const runs = await this.processes.runInfos(page.items.map(({ processGuid }) => processGuid));
    const runOf = new Map(runs.map((run) => [run.processGuid, run]));
    const items = page.items.flatMap((info) => {
      const run = runOf.get(info.processGuid);
      return run === undefined ? [] : [presentDesiredLRP(info, run)];
    });
    return { ...page, items };
  }

  @Get(':processGuid')
  @Scopes('lrps:read')
  async get(@Param('processGuid') processGuid: string): Promise<DesiredLRP> {
    const { schedulingInfo, run } = await this.processes.desired(processGuid);
    return presentDesiredLRP(schedulingInfo, run);
  }

  @Patch(':processGuid')
  @Scopes('lrps:write')
  async update(
    @Param('processGuid') processGuid: string,
    @Body() wanted: DesiredLRPUpdate,
  ): Promise<DesiredLRP> {
    const transition = await this.processes.change(processGuid, (process) =>
      update(process, wanted, contextOf(this.clock, this.ids)),
    );
    this.notifier.publish(transition);
    return this.present(processGuid, transition);
  }

  @Delete(':processGuid')
  @HttpCode(204)
  @Scopes('lrps:write')
  async remove(@Param('processGuid') processGuid: string): Promise<void> {
    this.notifier.publish(await this.processes.change(processGuid, removeDesired));
  }

  /** The record as this transition left it, whatever happened to it since. */
  private async present(processGuid: string, transition: Transition): Promise<DesiredLRP> {
    const info = transition.find((change) => change.kind === 'desired')?.after;
    const run = transition.find((change) => change.kind === 'run')?.after ?? (await this.runOf(processGuid));
    if (info === undefined || run === undefined) throw notFound('desired LRP', processGuid);
    return presentDesiredLRP(info, run);
  }

  private async runOf(processGuid: string) {
    const [run] = await this.processes.runInfos([processGuid]);
    return run;
  }
}
