import { Controller, UseFilters } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { MailboxErrorFilter } from '#rivera/actor';
import type { AuctioneerMessages, RebalanceResult } from '#rivera/models';
import { Rebalancer } from './rebalancer.js';

/** What operators ask of the active auctioneer by way of `POST /v1/rebalance`. */
@Controller()
@UseFilters(MailboxErrorFilter)
export class RebalanceController {
  constructor(private readonly rebalancer: Rebalancer) {}

  @MessagePattern<string>('rebalance')
  rebalance(@Payload() message: AuctioneerMessages['rebalance']): Promise<RebalanceResult> {
    return this.rebalancer.rebalance(message);
  }
}
