import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { Mailboxes } from '#rivera/actor';
import { RebalanceRequest, type RebalanceResult } from '#rivera/models';
import { RiveraLogger, Scopes } from '#rivera/platform';

/** Injection token: how long the active auctioneer may take to answer, in milliseconds. */
export const ASK_TIMEOUT_MS = Symbol('ASK_TIMEOUT_MS');
const DEFAULT_MOVES = 10;

/** Moving instances to better cells, decided by the active auctioneer. */
@Controller('v1/rebalance')
export class RebalanceController {
  constructor(
    private readonly mailboxes: Mailboxes,
    @Inject(ASK_TIMEOUT_MS) private readonly askTimeoutMs: number,
    private readonly logger: RiveraLogger,
  ) {}

  /** Errors: `unavailable` when no auctioneer answers. */
  @Post()
  @HttpCode(200)
  @Scopes('cells:operate')
  async rebalance(
    @Body() { dryRun = false, maxMoves = DEFAULT_MOVES }: RebalanceRequest,
  ): Promise<RebalanceResult> {
    const auctioneer = this.mailboxes.auctioneer();
    const answer = (await auctioneer.ask(
      'rebalance',
      { dryRun, maxMoves },
      this.askTimeoutMs,
    )) as RebalanceResult;
    if (!dryRun) this.logger.log('asked-to-rebalance', { maxMoves, started: answer.started.length });
    return answer;
  }
}
