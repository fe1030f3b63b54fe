import { Logger } from '@nestjs/common';
import type { LoggerService } from '@nestjs/common';
import { Server } from '@nestjs/microservices';
import type { CustomTransportStrategy, MessageHandler } from '@nestjs/microservices';
import { UnrecoverableError } from 'bullmq';
import { lastValueFrom } from 'rxjs';
import { RiveraError } from '#rivera/models';
import type { Address } from './address.js';
import type { BusConnection } from './bus.js';
import { errorReply, toError } from './envelope.js';
import { MailboxConsumer } from './mailbox-consumer.js';
import type { MessageJob } from './mailbox-consumer.js';
import { MailboxContext } from './mailbox-context.js';

/** Names this transport in `@MessagePattern(name, MAILBOX_TRANSPORT)` where an app has several. */
export const MAILBOX_TRANSPORT = Symbol.for('rivera.mailbox');

/** A message that failed for good. */
export interface DeadLetter {
  id: string;
  message: string;
  payload: unknown;
  /** Code and sentence of the last error. */
  error: string;
  /** Attempts made. */
  attempts: number;
  /** Milliseconds since the Unix epoch. */
  failedAt: number;
}

export interface MailboxServerOptions {
  address: Address;
  connection: BusConnection;
  /** The declared protocol: the handlers must be exactly these, or the app refuses to start. */
  messages: readonly string[];
  /**
   * How long a silent worker keeps its message (default 10 s). After a SIGKILL the message is delivered again within
   * this time of the successor's start; a worker whose event loop is blocked for longer gets company.
   */
  lockDurationMs?: number;
  /** Do not consume until `resume()`: for a singleton, which may only do so while it holds its lease. */
  startPaused?: boolean;
  logger?: LoggerService;
  /** Told of each new dead letter, for a metric. Must not throw. */
  onDeadLetter?: (letter: DeadLetter & { address: Address }) => void;
}

type Status = 'connected' | 'disconnected';

/**
 * A mailbox as a NestJS transport: `@MessagePattern` and `@EventPattern` handlers are what the actor receives.
 *
 * Delivery contract
 * - At least once. A message told is in Redis; it leaves only after its handler ended well. It may be delivered twice,
 *   also *while the first delivery still runs* (a paused process whose lock expired): handlers are idempotent, and what
 *   they write is fenced by an epoch or lease token.
 * - One at a time in one server, in the order told, except that a message that failed goes behind those that wait.
 * - A failed message is tried again with exponential back-off; after its last attempt, or at once for a `RiveraError`
 *   that is not `retryable` and for a message nobody handles, it is a dead letter: kept with its error, and replayable.
 * - An `ask` is tried once and its error goes to the asker; it is never a dead letter.
 * - The return value or observable of a handler is awaited, so a handler hands slow work to a child and returns.
 */
export class MailboxServer
  extends Server<Record<string, () => void>, Status>
  implements CustomTransportStrategy
{
  override readonly transportId = MAILBOX_TRANSPORT;
  /** Errors of event handlers come back to this class, so Nest need not log them as lost. */
  override readonly propagatesEventHandlerErrors = true;
  protected override readonly logger: LoggerService;
  private readonly handledTwice = new Set<string>();
  private consumer?: MailboxConsumer;

  constructor(private readonly options: MailboxServerOptions) {
    super();
    this.logger = options.logger ?? new Logger(MailboxServer.name);
  }

  override addHandler(...args: Parameters<Server['addHandler']>): void {
    const name = this.normalizePattern(String(args[0]));
    if (this.messageHandlers.has(name)) this.handledTwice.add(name);
    super.addHandler(...args);
  }

  /** Refuses (by the callback, as Nest wants it) unless the handlers are exactly the declared messages. */
  async listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      this.checkProtocol();
      if (!this.options.startPaused) await this.resume();
      callback();
    } catch (error) {
      callback(error);
    }
  }

  /** Starts consuming; resolves once Redis is reached. Nothing happens when it already consumes. */
  async resume(): Promise<void> {
    if (this.consumer) return;
    const { address, connection, lockDurationMs = 10_000 } = this.options;
    this.consumer = new MailboxConsumer({
      address,
      connection,
      lockDurationMs,
      logger: this.logger,
      receive: (job, signal) => this.receive(job, signal),
      onFailed: (job, error) => this.reportFailure(job, error),
      onConnection: (isConnected) => this._status$.next(isConnected ? 'connected' : 'disconnected'),
    });
    await this.consumer.start();
  }

  /** Stops consuming after the running message; what is told meanwhile waits in Redis. */
  async pause(): Promise<void> {
    const consumer = this.consumer;
    this.consumer = undefined;
    await consumer?.stop();
  }

  /** Waits for the running message. */
  async close(): Promise<void> {
    await this.pause();
  }

  on(): void {
    throw new RiveraError('unsupported', 'A mailbox has no events; use `status` or `onDeadLetter`.');
  }

  unwrap<T>(): T {
    throw new RiveraError('unsupported', 'A mailbox does not hand out its worker; use `pause` and `resume`.');
  }

  private checkProtocol(): void {
    const handled = [...this.messageHandlers.keys()];
    const problems = [
      ['no handler for', this.options.messages.filter((name) => !handled.includes(name))],
      ['handlers for undeclared', handled.filter((name) => !this.options.messages.includes(name))],
      ['more than one handler for', [...this.handledTwice]],
    ] as const;
    const found = problems.filter(([, names]) => names.length > 0);
    if (found.length === 0) return;
    const text = found
      .map(([problem, names]) => `${problem} ${names.map((name) => `"${name}"`).join(', ')}`)
      .join('; ');
    throw new RiveraError(
      'internal',
      `Actor "${this.options.address}" refuses to start: ${text}. Give every declared message exactly one handler.`,
    );
  }

  private async receive(job: MessageJob, signal?: AbortSignal): Promise<unknown> {
    const { payload, ask, metadata = {} } = job.data;
    const context = new MailboxContext({
      address: this.options.address,
      message: job.name,
      messageId: job.id ?? '',
      delivery: job.attemptsStarted,
      metadata,
      signal,
    });
    try {
      const value = await this.handle(payload, context);
      return ask ? { value } : undefined;
    } catch (error) {
      if (ask) return errorReply(error);
      throw toJobError(error);
    }
  }

  private async handle(payload: unknown, context: MailboxContext): Promise<unknown> {
    const handler: MessageHandler | undefined = this.messageHandlers.get(context.delivery.message);
    if (!handler) {
      throw new RiveraError(
        'unsupported',
        `Actor "${this.options.address}" does not know the message "${context.delivery.message}"; it knows ` +
          `${this.options.messages.map((name) => `"${name}"`).join(', ')}. Is its version older than the sender's?`,
      );
    }
    return await new Promise((resolve, reject) => {
      this.runWithProcessingHooks(context, async (runEndHook) => {
        try {
          const result$ = this.transformToObservable<unknown>(await handler(payload, context));
          resolve(await lastValueFrom(result$, { defaultValue: undefined }));
        } catch (error) {
          reject(error);
        } finally {
          runEndHook();
        }
      });
    });
  }

  private reportFailure(job: MessageJob, error: Error): void {
    const { address, onDeadLetter } = this.options;
    if (job.finishedOn === undefined) {
      this.logger.warn(
        `Mailbox ${address}: "${job.name}" (${job.id}) failed and is tried again: ${error.message}`,
      );
      return;
    }
    this.logger.error(`Mailbox ${address}: "${job.name}" (${job.id}) is a dead letter: ${error.message}`);
    onDeadLetter?.({ address, ...toDeadLetter(job) });
  }
}

/** A failed job as an operator sees it. */
export function toDeadLetter(job: MessageJob): DeadLetter {
  return {
    id: job.id ?? '',
    message: job.name,
    payload: job.data.payload,
    error: job.failedReason ?? '',
    attempts: job.attemptsMade,
    failedAt: job.finishedOn ?? 0,
  };
}

/** BullMQ keeps the text of an error only, so the code goes into it; what is not retryable fails at once. */
function toJobError(thrown: unknown): Error {
  const error = toError(thrown);
  if (!(error instanceof RiveraError)) return error;
  const text = `${error.code}: ${error.message}`;
  return error.retryable ? new Error(text, { cause: error }) : new UnrecoverableError(text);
}
