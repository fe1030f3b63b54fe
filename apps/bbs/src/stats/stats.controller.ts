import { Controller, Get, Param, Query } from '@nestjs/common';
import { type ContainerStats, notFound, RiveraError } from '#rivera/models';
import { CurrentUser, type Principal, Scopes } from '#rivera/platform';
import { CellRepository, ProcessRepository } from '#rivera/store';
import { requireVisible } from '../http/ownership.js';
import { CellParams } from '../http/params.js';
import { StatsQuery } from '../http/queries.js';
import { CellSessions } from '../sessions/cell-sessions.js';
import { guidsByCell, runsOf } from '../sessions/runs.js';

/** What a cell could not be asked. */
export interface UnreachableCell {
  cellId: string;
  code: string;
  message: string;
}

export interface StatsAnswer {
  items: ContainerStats[];
  /** Their instances are missing in `items`. */
  unreachable?: UnreachableCell[];
}

/** What containers use, asked of their cells. */
@Controller('v1')
export class StatsController {
  constructor(
    private readonly processes: ProcessRepository,
    private readonly cells: CellRepository,
    private readonly sessions: CellSessions,
  ) {}

  @Get('lrps/:processGuid/stats')
  @Scopes('lrps:read')
  async ofLRP(
    @Param('processGuid') processGuid: string,
    @Query() { index }: StatsQuery,
    @CurrentUser() user: Principal,
  ): Promise<StatsAnswer> {
    const [desired, actuals] = await Promise.all([
      this.processes.schedulingInfo(processGuid),
      this.processes.actualsOf(processGuid),
    ]);
    const known = desired ?? actuals[0];
    requireVisible(user, known, 'LRP', processGuid);
    if (known === undefined) throw notFound('LRP', processGuid);
    const wanted = actuals.filter((actual) => index === undefined || actual.index === index);
    const cells = guidsByCell(runsOf(wanted));
    const answers = await Promise.all(cells.map(([cellId, guids]) => this.ask(cellId, guids)));
    return joined(answers);
  }

  @Get('cells/:cellId/stats')
  @Scopes('cells:read')
  async ofCell(@Param() { cellId }: CellParams): Promise<StatsAnswer> {
    if ((await this.cells.get(cellId)) === undefined) throw notFound('cell', cellId);
    return joined([await this.ask(cellId)]);
  }

  private async ask(cellId: string, guids?: string[]): Promise<ContainerStats[] | Refused> {
    try {
      return (await this.sessions.ask(cellId, { kind: 'stats', guids })) as ContainerStats[];
    } catch (error) {
      if (error instanceof RiveraError) return { cellId, error };
      throw error;
    }
  }
}

interface Refused {
  cellId: string;
  error: RiveraError;
}

/** @throws RiveraError when no cell answered: then that is the answer */
function joined(answers: (ContainerStats[] | Refused)[]): StatsAnswer {
  const refused = answers.filter((answer): answer is Refused => !Array.isArray(answer));
  const [first] = refused;
  if (first !== undefined && refused.length === answers.length) throw first.error;
  const items = answers.filter((answer) => Array.isArray(answer)).flat();
  items.sort((a, b) => (a.index ?? 0) - (b.index ?? 0));
  if (first === undefined) return { items };
  const unreachable = refused.map(({ cellId, error: { code, message } }) => ({ cellId, code, message }));
  return { items, unreachable };
}
