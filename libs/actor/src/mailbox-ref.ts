import { randomUUID } from 'node:crypto';
import { ClientProxy } from '@nestjs/microservices';
import type { ReadPacket, WritePacket } from '@nestjs/microservices';
import type { JobsOptions } from 'bullmq';
import { RiveraError } from '#rivera/models';
import type { Address } from './address.js';
import type { Bus, MailboxQueue } from './bus.js';
import { readReply } from './envelope.js';
import type { Envelope } from './envelope.js';
import { Replies } from './replies.js';

export interface TellOptions {
  /**
   * For wake-ups: while one with this id waits, further ones are dropped; while one is being handled, exactly one more
   * is kept (the last).
   */
  dedupId?: string;
}

type NameOf<Messages> = Extract<keyof Messages, string>;

/** How long an ask by way of Nest's `send` waits. */
const DEFAULT_ASK_TIMEOUT_MS = 5_000;

/**
 * A typed reference to an actor; also a Nest `ClientProxy` (`emit` = tell, `send` = ask). Get one from `Mailboxes`.
 * What is promised to a message is written at `MailboxServer`.
 */
export class MailboxRef<Messages> extends ClientProxy {
  private queue?: MailboxQueue;
  private replies?: Replies;

  constructor(
    readonly address: Address,
    private readonly bus: Bus,
  ) {
    super();
  }

  /**
   * Resolves once the message is in Redis. Rejects with `unavailable` when the bus is down or slow (the message may have
   * got there all the same) and `forbidden` when the ACL says no. Level-triggered callers may ignore both.
   */
  async tell<Name extends NameOf<Messages>>(
    name: Name,
    payload: Messages[Name],
    options: TellOptions = {},
  ): Promise<void> {
    const { dedupId } = options;
    await this.add(
      this.createPacket(name, payload),
      dedupId === undefined ? {} : { deduplication: { id: dedupId, keepLastIfActive: true } },
    );
  }

  /**
   * Resolves with what the handler returned; rejects with the RiveraError it threw, or with `unavailable` when no answer
   * came within `timeoutMs` (then the message may still be handled, now or later). The first ask opens a connection.
   */
  async ask<Name extends NameOf<Messages>>(
    name: Name,
    payload: Messages[Name],
    timeoutMs: number,
  ): Promise<unknown> {
    return await this.request(this.createPacket(name, payload), timeoutMs);
  }

  /** Frees what the ref holds; the next message opens it again. The shared connection stays. */
  async close(): Promise<void> {
    const { queue, replies } = this;
    this.queue = undefined;
    this.replies = undefined;
    await replies?.close();
    await queue?.close();
  }

  /** Nothing to do: the connection is shared and opens by itself. */
  async connect(): Promise<void> {
    await Promise.resolve();
  }

  unwrap<T>(): T {
    throw new RiveraError('unsupported', 'A ref does not hand out its queue; use `tell` and `ask`.');
  }

  protected async dispatchEvent<T>(packet: ReadPacket): Promise<T> {
    await this.add(packet, {});
    return undefined as T;
  }

  protected publish(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    void this.answer(packet, callback);
    return () => undefined;
  }

  private async answer(packet: ReadPacket, callback: (packet: WritePacket) => void): Promise<void> {
    try {
      callback({ response: await this.request(packet, DEFAULT_ASK_TIMEOUT_MS), isDisposed: true });
    } catch (err) {
      callback({ err, isDisposed: true });
    }
  }

  private async request(packet: ReadPacket, timeoutMs: number): Promise<unknown> {
    this.replies ??= new Replies(this.address, this.bus.consumerLink());
    // Not a bare UUID with colons or digits only: BullMQ refuses both.
    const id = `ask-${randomUUID()}`;
    const send = (): Promise<void> => this.add(packet, { jobId: id, attempts: 1 }, true);
    return readReply(await this.replies.to(id, { send, timeoutMs }));
  }

  private async add(packet: ReadPacket, options: JobsOptions, ask?: true): Promise<void> {
    const { data: payload, metadata } = packet as ReadPacket<unknown>;
    const name = this.normalizePattern(String(packet.pattern));
    const envelope: Envelope = { payload, ask, metadata };
    this.queue ??= this.bus.queue(this.address);
    const queue = this.queue;
    await this.bus.run(() => queue.add(name, envelope, options));
  }
}
