import { Controller, UseFilters } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
import { MailboxErrorFilter } from '#rivera/actor';
import { Converger } from './converger.js';

/** What the converger's mailbox receives (`ConvergerMessages`). */
@Controller()
@UseFilters(MailboxErrorFilter)
export class ConvergerController {
  constructor(private readonly converger: Converger) {}

  @EventPattern<string>('wake')
  wake(): void {
    this.converger.wake();
  }
}
