import { Controller, UseFilters } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
import { MailboxErrorFilter } from '#rivera/actor';
import { Auctioneer } from './auctioneer.js';

/** What the auctioneer's mailbox receives (`AuctioneerMessages`). */
@Controller()
@UseFilters(MailboxErrorFilter)
export class AuctioneerController {
  constructor(private readonly auctioneer: Auctioneer) {}

  @EventPattern<string>('wake')
  async wake(): Promise<void> {
    await this.auctioneer.wake();
  }
}
