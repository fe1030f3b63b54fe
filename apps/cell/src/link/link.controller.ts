import { Controller, UseFilters } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { MailboxErrorFilter } from '#rivera/actor';
import type { CellMessages } from '#rivera/models';
import { Link } from './link.js';

/** What a cell's mailbox receives of those who want to talk. */
@Controller()
@UseFilters(MailboxErrorFilter)
export class LinkController {
  constructor(private readonly link: Link) {}

  @EventPattern<string>('connect')
  connect(@Payload() message: CellMessages['connect']): void {
    this.link.connect(message);
  }
}
