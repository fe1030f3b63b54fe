import { Controller, UseFilters } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { MailboxErrorFilter } from '#rivera/actor';
import type { CellMessages } from '#rivera/models';
import { Rep } from './rep.js';

/** What a cell's mailbox receives (`CellMessages`). */
@Controller()
@UseFilters(MailboxErrorFilter)
export class RepController {
  constructor(private readonly rep: Rep) {}

  @EventPattern<string>('place')
  place(@Payload() message: CellMessages['place']): void {
    this.rep.place(message);
  }

  @EventPattern<string>('stop')
  stop(@Payload() message: CellMessages['stop']): void {
    this.rep.stop(message);
  }
}
