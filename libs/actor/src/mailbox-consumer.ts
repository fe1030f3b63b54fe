import type { LoggerService } from '@nestjs/common';
import { Worker } from 'bullmq';
import type { Job } from 'bullmq';
import { mailboxQueue } from './address.js';
import type { Address } from './address.js';
import { atMost, BusLink, CONSUMER_OPTIONS } from './bus.js';
import type { BusConnection } from './bus.js';
import type { Envelope } from './envelope.js';

export type MessageJob = Job<Envelope, unknown>;

/**
 * BullMQ would give a message up after its second stall. Every message is idempotent, and a stall says something about
 * the worker's process and nothing about the message, so it may happen often.
 */
const MAX_STALLED_COUNT = 1_000;

/** Each end of a wait is two wakings of everybody for nothing; longer than this BullMQ does not wait. */
const WAIT_SECONDS = 10;

/** What BullMQ may take to close after the last message; with Redis gone it would wait for ever. */
const CLOSE_TIMEOUT_MS = 3_000;

export interface ConsumerOptions {
  address: Address;
  connection: BusConnection;
  lockDurationMs: number;
  logger: LoggerService;
  receive: (job: MessageJob, signal?: AbortSignal) => Promise<unknown>;
  onFailed: (job: MessageJob, error: Error) => void;
  onConnection: (isConnected: boolean) => void;
}

/** One activation of a mailbox: a BullMQ worker and its connections, from `start` to `stop`, used once. */
export class MailboxConsumer {
  private readonly link: BusLink;
  private worker?: Worker<Envelope, unknown>;
  private running: Promise<unknown> = Promise.resolve();
  private isStopped = false;
  private wakeStart?: () => void;

  constructor(private readonly options: ConsumerOptions) {
    this.link = new BusLink({ ...options, redis: CONSUMER_OPTIONS });
    this.link.client.on('ready', () => options.onConnection(true));
    this.link.client.on('close', () => options.onConnection(false));
  }

  /** Resolves when messages are being consumed; waits for Redis as long as it takes, or until `stop`. */
  async start(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.wakeStart = resolve;
      this.link.client.once('ready', resolve);
    });
    if (this.isStopped) return;
    const { address, lockDurationMs, logger, onFailed } = this.options;
    const { name, prefix } = mailboxQueue(address);
    await this.lookAtOnce(`${prefix}:${name}:stalled-check`);
    if (this.isStopped) return;
    this.worker = new Worker<Envelope, unknown>(
      name,
      // The third parameter must be declared: BullMQ passes a signal only to processors that take one.
      (job, _token, signal) => this.track(this.options.receive(job, signal)),
      {
        prefix,
        connection: this.link.client,
        concurrency: 1,
        lockDuration: lockDurationMs,
        stalledInterval: lockDurationMs,
        drainDelay: WAIT_SECONDS,
        maxStalledCount: MAX_STALLED_COUNT,
        // BullMQ waits this long after a failed command; its default of 15 s would double every short outage.
        runRetryDelay: 500,
      },
    );
    this.worker.on('error', (error) => {
      if (!this.isStopped) logger.warn(`Mailbox ${address}: ${error.message}`);
    });
    this.worker.on('stalled', (id) => {
      logger.warn(`Mailbox ${address}: message ${id} was interrupted and is delivered again.`);
    });
    this.worker.on('failed', (job, error) => {
      if (job) onFailed(job, error);
    });
  }

  /** Takes no further message, waits for the running one, and closes the connections. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.wakeStart?.();
    if (this.worker) await this.closeWorker(this.worker);
    this.link.close();
  }

  /** For messages that a predecessor died with, however shortly before it died BullMQ looked for such the last time. */
  private async lookAtOnce(lastLook: string): Promise<void> {
    await this.link.client.del(lastLook).catch((error: unknown) => {
      // Stopping closes the connection under it.
      if (!this.isStopped) throw error;
    });
  }

  private async closeWorker(worker: Worker): Promise<void> {
    if (this.link.client.status === 'ready') {
      const closing = worker.close();
      await this.running;
      await atMost(CLOSE_TIMEOUT_MS, closing);
      return;
    }
    // With Redis gone BullMQ could end neither its wait for messages nor, when the message is done, tell Redis so.
    await worker.pause(true);
    await this.running;
    await atMost(CLOSE_TIMEOUT_MS, worker.close(true));
  }

  private async track(work: Promise<unknown>): Promise<unknown> {
    this.running = work.catch(() => undefined);
    return await work;
  }
}
