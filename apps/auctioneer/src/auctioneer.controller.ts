import { Controller, UseFilters } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { MailboxErrorFilter } from '#rivera/actor';
import type { AuctioneerMessages, Capacity, PlacementExplanation, PlacementPlan } from '#rivera/models';
import { Auctioneer } from './auctioneer.js';

/** What the auctioneer's mailbox receives (`AuctioneerMessages`): questions. Work it finds by itself. */
@Controller()
@UseFilters(MailboxErrorFilter)
export class AuctioneerController {
  constructor(private readonly auctioneer: Auctioneer) {}

  @MessagePattern<string>('plan')
  plan(@Payload() question: AuctioneerMessages['plan']): PlacementPlan {
    return this.auctioneer.answers.plan(question);
  }

  @MessagePattern<string>('explain')
  explain(@Payload() key: AuctioneerMessages['explain']): Promise<PlacementExplanation> {
    return this.auctioneer.answers.explain(key);
  }

  @MessagePattern<string>('capacity')
  capacity(@Payload() question: AuctioneerMessages['capacity']): Capacity {
    return this.auctioneer.answers.capacity(question);
  }
}
