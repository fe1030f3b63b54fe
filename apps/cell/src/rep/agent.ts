import { setTimeout as sleep } from 'node:timers/promises';
import type { MailboxServer } from '#rivera/actor';
import { messageOf } from '../executor/step.js';
import type { Readiness, RiveraLogger } from '#rivera/platform';
import type { Presence } from './presence.js';
import type { Rep } from './rep.js';

export interface AgentOptions {
  rep: Rep;
  presence: Presence;
  /** The cell's mailbox, made with `startPaused`. */
  mailbox: MailboxServer;
  syncIntervalMs: number;
  readiness: Readiness;
  logger: RiveraLogger;
}

const RETRY_MS = 500;

/**
 * The life of a cell agent: register, take back what an earlier agent left, then take messages, and compare everything
 * with the store every now and then. Stopping leaves the containers running for the next agent.
 */
export class Agent {
  private readonly abort = new AbortController();
  private hasSynchronized = false;

  constructor(private readonly options: AgentOptions) {}

  start(): void {
    const { presence, logger, readiness } = this.options;
    readiness.register('synchronized', () => this.hasSynchronized);
    const background = (name: string, work: Promise<void>) =>
      work.catch((error: unknown) => logger.error('agent-failed', { name, error }));
    void background('presence', presence.keep(this.abort.signal));
    void background('synchronization', this.keepSynchronized());
  }

  stop(): void {
    this.abort.abort();
  }

  private async keepSynchronized(): Promise<void> {
    const { rep, presence, mailbox, syncIntervalMs, logger } = this.options;
    const { signal } = this.abort;
    await presence.epoch;
    while (!signal.aborted) {
      let waitMs = syncIntervalMs;
      try {
        await rep.synchronize();
        if (!this.hasSynchronized) {
          await mailbox.resume();
          this.hasSynchronized = true;
          logger.log('cell-synchronized', rep.census());
        }
      } catch (error) {
        waitMs = RETRY_MS;
        logger.warn('failed-to-synchronize', { reason: messageOf(error) });
      }
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
