import { type DynamicModule, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { LoggerService } from '@nestjs/common';
import type { BusConnection } from './bus.js';
import { Mailboxes } from './mailboxes.js';
import { Notifier } from './notifier.js';

/** The mailboxes of all actors, for those who tell them something. */
@Module({})
export class BusModule implements OnApplicationShutdown {
  constructor(private readonly mailboxes: Mailboxes) {}

  static forRoot({
    connection,
    logger,
  }: {
    connection: BusConnection;
    logger: LoggerService;
  }): DynamicModule {
    return {
      module: BusModule,
      global: true,
      providers: [
        { provide: Mailboxes, useFactory: () => new Mailboxes({ connection, logger }) },
        {
          provide: Notifier,
          useFactory: (mailboxes: Mailboxes) => new Notifier(mailboxes, logger),
          inject: [Mailboxes],
        },
      ],
      exports: [Mailboxes, Notifier],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.mailboxes.close();
  }
}
