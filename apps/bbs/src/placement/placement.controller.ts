import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import {
  type Capacity,
  type DesiredLRPRequest,
  LIMITS,
  type LRPDemand,
  notFound,
  type PlacementExplanation,
  type PlacementPlan,
  PlanRequest,
  RiveraError,
  splitDesiredLRP,
  type TaskDemand,
  type TaskRequest,
} from '#rivera/models';
import { CurrentUser, type Principal, requireDomain, Scopes } from '#rivera/platform';
import { ProcessRepository } from '#rivera/store';
import { requireVisible } from '../http/ownership.js';
import { InstanceParams } from '../http/params.js';
import { CapacityQuery } from '../http/queries.js';
import { ActiveAuctioneer } from './active-auctioneer.js';

/** Questions about placement, answered by the active auctioneer on its picture of the cells. Nothing is written. */
@Controller('v1')
export class PlacementController {
  constructor(
    private readonly auctioneer: ActiveAuctioneer,
    private readonly processes: ProcessRepository,
  ) {}

  /** Where would this go? Of an LRP that is desired already, only the instances that would come are planned. */
  @Post('plan')
  @HttpCode(200)
  @Scopes('lrps:read')
  async plan(
    @Body() { lrps = [], tasks = [] }: PlanRequest,
    @CurrentUser() user: Principal,
  ): Promise<PlacementPlan> {
    for (const { domain } of [...lrps, ...tasks]) requireDomain(user, domain);
    const demands = await Promise.all(lrps.map((lrp) => this.comingInstances(lrp, user)));
    const planned = demands.reduce((sum, { indices }) => sum + indices.length, 0);
    if (planned > LIMITS.instances) throw tooMany(planned);
    return this.auctioneer.ask('plan', { lrps: demands, tasks: tasks.map(taskDemandOf) });
  }

  @Get('actual-lrps/:processGuid/:index/placement')
  @Scopes('lrps:read')
  async explain(
    @Param() { processGuid, index }: InstanceParams,
    @CurrentUser() user: Principal,
  ): Promise<PlacementExplanation> {
    const actual = (await this.processes.actualsOf(processGuid)).find((row) => row.index === index);
    requireVisible(user, actual, 'actual LRP', `${processGuid}/${index}`);
    if (actual === undefined) throw notFound('actual LRP', `${processGuid}/${index}`);
    return this.auctioneer.ask('explain', { processGuid, index });
  }

  /** How many more instances of this size fit? */
  @Get('capacity')
  @Scopes('cells:read')
  async capacity(@Query() query: CapacityQuery): Promise<Capacity> {
    const { placementTag, volumeDriver, ...question } = query;
    return this.auctioneer.ask('capacity', {
      ...question,
      placementTags: placementTag,
      volumeDrivers: volumeDriver,
    });
  }

  private async comingInstances(
    lrp: DesiredLRPRequest,
    user: Principal,
  ): Promise<{ demand: LRPDemand; indices: number[] }> {
    const known = await this.processes.schedulingInfo(lrp.processGuid);
    requireVisible(user, known, 'desired LRP', lrp.processGuid);
    const first = known?.instances ?? 0;
    const indices = Array.from({ length: Math.max(0, lrp.instances - first) }, (_, i) => first + i);
    return { demand: lrpDemandOf(lrp), indices };
  }
}

function lrpDemandOf(lrp: DesiredLRPRequest): LRPDemand {
  const { schedulingInfo } = splitDesiredLRP(lrp);
  const { processGuid, rootfs, memoryMb, diskMb, cpuMillicores, devices } = schedulingInfo;
  const { placementTags, volumeDrivers, priority, affinity, spread } = schedulingInfo;
  const size = { memoryMb, diskMb, cpuMillicores, devices };
  return { processGuid, rootfs, ...size, placementTags, volumeDrivers, priority, affinity, spread };
}

function taskDemandOf({ taskGuid, definition }: TaskRequest): TaskDemand {
  const { rootfs, memoryMb, diskMb, cpuMillicores, devices } = definition;
  const { placementTags, volumeMounts, priority, affinity } = definition;
  const size = { memoryMb, diskMb, cpuMillicores, devices };
  return { taskGuid, definition: { rootfs, ...size, placementTags, volumeMounts, priority, affinity } };
}

function tooMany(planned: number): RiveraError {
  return new RiveraError(
    'invalid-request',
    `This plan has ${planned} instances, and one plan may have ${LIMITS.instances}. Plan fewer at a time.`,
    {
      fields: [
        {
          field: 'lrps',
          rule: 'maxInstances',
          message: `must come to ${LIMITS.instances} instances at most`,
        },
      ],
    },
  );
}
