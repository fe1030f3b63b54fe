import { QueueEvents } from 'bullmq';
import { RiveraError } from '#rivera/models';
import { mailboxQueue } from './address.js';
import type { Address } from './address.js';
import { atMost } from './bus.js';
import type { BusLink } from './bus.js';
import type { Reply } from './envelope.js';

const CLOSE_TIMEOUT_MS = 1_000;

interface Waiter {
  resolve: (reply: Reply | null) => void;
  reject: (error: Error) => void;
}

/**
 * The replies to the asks of one ref, read from the event stream of the mailbox. (BullMQ's own `waitUntilFinished` loses
 * errors as unhandled rejections when the connection breaks while it waits.)
 */
export class Replies {
  private readonly waiting = new Map<string, Waiter>();
  private readonly events: QueueEvents;

  constructor(
    private readonly address: Address,
    private readonly link: BusLink,
  ) {
    const { name, prefix } = mailboxQueue(address);
    // From the beginning of the (short) stream: an ask may be answered before the first read reaches Redis.
    this.events = new QueueEvents(name, { prefix, connection: link.client, lastEventId: '0-0' });
    // The client logs outages; QueueEvents reads on from the last event by itself.
    this.events.on('error', () => undefined);
    this.events.on('completed', ({ jobId, returnvalue }) => {
      this.waiting.get(jobId)?.resolve(returnvalue);
    });
    this.events.on('failed', ({ jobId, failedReason }) => {
      this.waiting.get(jobId)?.reject(new RiveraError('internal', failedReason));
    });
  }

  /** Sends (by `send`) and waits for the reply to `id`; rejects with `unavailable` after `timeoutMs`. */
  async to(id: string, options: { send: () => Promise<unknown>; timeoutMs: number }): Promise<Reply | null> {
    const { send, timeoutMs } = options;
    let timer: NodeJS.Timeout | undefined;
    const reply = new Promise<Reply | null>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      timer = setTimeout(() => reject(this.unanswered(`within ${timeoutMs} ms`)), timeoutMs);
    });
    try {
      await Promise.race([send(), reply]);
      return await reply;
    } finally {
      clearTimeout(timer);
      this.waiting.delete(id);
    }
  }

  async close(): Promise<void> {
    for (const waiter of this.waiting.values()) waiter.reject(this.unanswered('before this ref was closed'));
    await atMost(CLOSE_TIMEOUT_MS, this.events.close());
    this.link.close();
  }

  private unanswered(when: string): RiveraError {
    return new RiveraError(
      'unavailable',
      `Actor "${this.address}" did not answer ${when}; it may still act on the message. Ask again.`,
    );
  }
}
