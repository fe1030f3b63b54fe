import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Inject,
  Param,
  Post,
  Put,
  Query,
  Res,
} from '@nestjs/common';
import { createHash } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { requireEpoch } from '#rivera/lifecycle';
import { CellReportsRequest, type PresenceGrant, PresenceRequest } from '#rivera/models';
import { type Caller, CellRoute, Clock, contextOf, CurrentUser, Ids, RiveraLogger } from '#rivera/platform';
import { CellRepository, ProcessRepository, type Stored, TaskRepository } from '#rivera/store';
import { CellParams } from '../http/params.js';
import { EpochQuery } from '../http/queries.js';
import { CellReports } from './cell-reports.js';

export const PRESENCE_TTL_MS = Symbol('presence-ttl-ms');

/** The cell side of the API: each agent speaks for its own cell, under the epoch it was given when it started. */
@Controller('v1/cells/:cellId')
@CellRoute()
export class CellAgentController {
  constructor(
    private readonly cells: CellRepository,
    private readonly processes: ProcessRepository,
    private readonly tasks: TaskRepository,
    private readonly reports: CellReports,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly logger: RiveraLogger,
    @Inject(PRESENCE_TTL_MS) private readonly ttlMs: number,
  ) {}

  /** Says that the cell is there. Without an epoch: its agent has just started and gets a new one. */
  @Put('presence')
  async presence(
    @Param() { cellId }: CellParams,
    @Body() { epoch, registration }: PresenceRequest,
    @CurrentUser() { traceId }: Caller,
  ): Promise<PresenceGrant> {
    const context = contextOf(this.clock, this.ids);
    const expiresAt = context.now + this.ttlMs;
    const { cell, transition } = await this.cells.register(
      cellId,
      registration,
      { epoch, expiresAt },
      context,
      { traceId },
    );
    if (transition.length > 0) {
      this.logger.log('registered-cell', { cellId, epoch: cell.epoch, zone: cell.zone });
    }
    const { drain } = cell;
    return { epoch: cell.epoch, ttlMs: this.ttlMs, ...(drain !== undefined && { drain }) };
  }

  /** The cell leaves for good: what it still held is replaced elsewhere. */
  @Delete('presence')
  @HttpCode(204)
  async leave(
    @Param('cellId') cellId: string,
    @Query() { epoch }: EpochQuery,
    @CurrentUser() { traceId }: Caller,
  ): Promise<void> {
    requireEpoch(await this.cells.get(cellId), cellId, epoch);
    await this.cells.remove(cellId, { traceId });
    this.logger.log('cell-left', { cellId, epoch });
  }

  /** What happened to the cell's instances and tasks, in order; each report is answered by itself. */
  @Post('transitions')
  @HttpCode(200)
  async transitions(
    @Param('cellId') cellId: string,
    @Body() { epoch, reports }: CellReportsRequest,
    @CurrentUser() { traceId }: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const cell = await this.cells.get(cellId);
    requireEpoch(cell, cellId, epoch);
    const reporter = { cellId, epoch, traceId, zone: cell?.zone ?? '', deadline: cell?.drain?.deadline };
    const results = await this.reports.apply(reporter, reports);
    reply.type('application/json; charset=utf-8');
    return `{"results":[${results.join(',')}]}`;
  }

  /**
   * Everything the store says about this cell. What the cell has beyond that, nobody wants. Cells ask every now and then
   * although hardly anything changes, so whoever has the tag of the same answer is told so at the price of 64 numbers.
   */
  @Get('work')
  async work(
    @Param('cellId') cellId: string,
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const { cell, version } = await this.cells.work(cellId);
    const { epoch = 0 } = cell ?? {};
    const tag = `"${epoch}-${createHash('sha1').update(version).digest('base64url')}"`;
    reply.header('etag', tag);
    if (known === tag) {
      reply.code(304);
      return '';
    }
    // Read after the version: what changes in between is told again, and never taken for known.
    const [actualLRPs, tasks] = await Promise.all([
      this.processes.storedActualsOnCell(cellId),
      this.tasks.storedOnCell(cellId),
    ]);
    reply.type('application/json; charset=utf-8');
    const texts = (list: Stored[]) => list.map(({ json }) => json).join(',');
    return `{"epoch":${epoch},"actualLRPs":[${texts(actualLRPs)}],"tasks":[${texts(tasks)}]}`;
  }
}
