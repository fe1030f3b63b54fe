import { Body, Controller, Delete, Get, Param, Put } from '@nestjs/common';
import {
  cancelDrain,
  censusOf,
  cordonCell,
  drainCell,
  releaseReplacement,
  type Transition,
  uncordonCell,
} from '#rivera/lifecycle';
import { type Cell, type CellDetail, DrainRequest, notFound } from '#rivera/models';
import { type Caller, Clock, contextOf, CurrentUser, Ids, RiveraLogger, Scopes } from '#rivera/platform';
import { CellRepository, ProcessRepository, TaskRepository } from '#rivera/store';
import { CellParams } from '../http/params.js';

/** Worker hosts, for people: what there is, and what operators want of them. */
@Controller('v1/cells')
export class CellsController {
  constructor(
    private readonly cells: CellRepository,
    private readonly processes: ProcessRepository,
    private readonly tasks: TaskRepository,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly logger: RiveraLogger,
  ) {}

  @Get()
  @Scopes('cells:read')
  async list(): Promise<{ items: Cell[] }> {
    return { items: await this.cells.list() };
  }

  @Get(':cellId')
  @Scopes('cells:read')
  async get(@Param() { cellId }: CellParams): Promise<CellDetail> {
    const [cell, actuals, tasks] = await Promise.all([
      this.cells.get(cellId),
      this.processes.actualsOnCell(cellId),
      this.tasks.onCell(cellId),
    ]);
    if (cell === undefined) throw notFound('cell', cellId);
    return { ...cell, work: censusOf(actuals, tasks) };
  }

  /** No new work goes there. */
  @Put(':cellId/cordon')
  @Scopes('cells:operate')
  cordon(@Param() { cellId }: CellParams, @CurrentUser() user: Caller): Promise<Cell> {
    return this.operate('cordoned-cell', cellId, user, cordonCell);
  }

  /** It takes work again; a drain is cancelled. */
  @Delete(':cellId/cordon')
  @Scopes('cells:operate')
  uncordon(@Param() { cellId }: CellParams, @CurrentUser() user: Caller): Promise<Cell> {
    return this.operate('uncordoned-cell', cellId, user, uncordonCell);
  }

  /** Its work is moved elsewhere by its agent, which hears of it when it next renews its presence. */
  @Put(':cellId/drain')
  @Scopes('cells:operate')
  drain(
    @Param() { cellId }: CellParams,
    @Body() { timeoutMs }: DrainRequest,
    @CurrentUser() user: Caller,
  ): Promise<Cell> {
    return this.operate('draining-cell', cellId, user, (cell) =>
      drainCell(cell, contextOf(this.clock, this.ids), timeoutMs),
    );
  }

  /** What has not moved stays; the cell stays cordoned. */
  @Delete(':cellId/drain')
  @Scopes('cells:operate')
  cancelDrain(@Param() { cellId }: CellParams, @CurrentUser() user: Caller): Promise<Cell> {
    return this.operate('cancelled-drain', cellId, user, cancelDrain);
  }

  /** Overrides the safety stop: the cell is lost indeed, so its work is replaced. */
  @Delete(':cellId/replacement-hold')
  @Scopes('cells:operate')
  releaseReplacement(@Param() { cellId }: CellParams, @CurrentUser() user: Caller): Promise<Cell> {
    return this.operate('released-replacement', cellId, user, releaseReplacement);
  }

  private async operate(
    done: string,
    cellId: string,
    { traceId }: Caller,
    decide: (cell: Cell) => Transition,
  ): Promise<Cell> {
    const cell = await this.cells.change(cellId, decide, { traceId });
    this.logger.log(done, { cellId });
    return cell;
  }
}
