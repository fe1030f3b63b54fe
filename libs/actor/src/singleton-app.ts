import type { INestMicroservice, LoggerService } from '@nestjs/common';
import type { MailboxServer } from './mailbox.server.js';
import { type Lease, runSingleton } from './singleton.js';

export interface SingletonAppOptions {
  app: INestMicroservice;
  /** The actor's mailbox, made with `startPaused`. */
  mailbox: MailboxServer;
  lease: Lease;
  /** Takes over; the signal aborts when the lease is lost. */
  activate: (token: number, signal: AbortSignal) => Promise<void>;
  logger: LoggerService;
}

/**
 * Runs an actor of which one may be active: every candidate starts, the holder of the lease activates and consumes the
 * mailbox, the others stay warm.
 */
export async function runSingletonApp(options: SingletonAppOptions): Promise<{ close(): Promise<void> }> {
  const { app, mailbox, lease, activate, logger } = options;
  await app.listen();
  const singleton = runSingleton({
    lease,
    onActive: async (token, signal) => {
      await activate(token, signal);
      await mailbox.resume();
    },
    onLost: async () => {
      logger.warn('lost-lease');
      await mailbox.pause();
    },
    onError: (error) => logger.warn('lease-failed', { error }),
  });
  return {
    close: async () => {
      await singleton.stop();
      await app.close();
    },
  };
}
