import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { RebalanceRequest, type RebalanceResult } from '#rivera/models';
import { RiveraLogger, Scopes } from '#rivera/platform';
import { ActiveAuctioneer } from '../placement/active-auctioneer.js';

const DEFAULT_MOVES = 10;

/** Moving instances to better cells, decided by the active auctioneer. */
@Controller('v1/rebalance')
export class RebalanceController {
  constructor(
    private readonly auctioneer: ActiveAuctioneer,
    private readonly logger: RiveraLogger,
  ) {}

  /** Errors: `unavailable` when no auctioneer answers. */
  @Post()
  @HttpCode(200)
  @Scopes('cells:operate')
  async rebalance(
    @Body() { dryRun = false, maxMoves = DEFAULT_MOVES }: RebalanceRequest,
  ): Promise<RebalanceResult> {
    const answer = await this.auctioneer.ask<RebalanceResult>('rebalance', { dryRun, maxMoves });
    if (!dryRun) this.logger.log('asked-to-rebalance', { maxMoves, started: answer.started.length });
    return answer;
  }
}
