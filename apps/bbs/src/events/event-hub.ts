import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { RiveraLogger } from '#rivera/platform';
import { ALL_SHARDS, Cursor, EventLog, type LoggedEvent } from '#rivera/store';

/** One item of somebody's stream: an event, or word that the log no longer reaches back. */
export type StreamItem = { id: string; event: LoggedEvent['event'] } | { id: string; reset: string };

/** Looks up what consumers need of events beside what is in them. Errors: `unavailable`. */
export type Preparation = (events: readonly LoggedEvent[]) => Promise<void>;

/** Somebody who is told what happens. */
export interface Consumer {
  /** Comes before the consumer is told of an event; once for all who name the same. */
  readonly preparation?: Preparation;
  /** False: there is no room for more now. What follows waits in the log until `ready`. */
  take(item: StreamItem): boolean;
  /** Resolves when there is room, or nobody is there any more. */
  ready?(): Promise<void>;
  /** The hub ends the subscription. Whoever goes on after the last id that was told misses nothing. */
  end?(reason: string): void;
}

export interface Subscription {
  /** How far the consumer has been told, events that its filter leaves out included. */
  readonly id: string;
  /** Nothing is told before. */
  begin(): void;
  end(): void;
}

interface Subscriber {
  consumer: Consumer;
  cursor: Cursor;
  /** Stands where the hub stands, so it is told events as they come. */
  isLive: boolean;
}

/** Reads the event log once and tells all clients of this process. While there is none, it reads nothing. */
@Injectable()
export class EventHub implements OnModuleDestroy {
  private readonly subscribers = new Set<Subscriber>();
  private following?: AbortController;
  private isStopping = false;
  private cursor = Cursor.start();

  constructor(
    private readonly log: EventLog,
    private readonly logger: RiveraLogger,
  ) {}

  onModuleDestroy(): void {
    this.isStopping = true;
    for (const subscriber of this.subscribers) this.end(subscriber, 'this server is shutting down');
  }

  /**
   * Follows everything after `lastEventId`, or from now on. Nothing is left out and nothing comes twice.
   * Errors: `invalid-request` (not an id this stream gave), `unavailable`.
   */
  async subscribe(lastEventId: string | undefined, consumer: Consumer): Promise<Subscription> {
    const last = lastEventId === undefined ? undefined : Cursor.parse(lastEventId);
    const end = await this.log.now();
    const subscriber: Subscriber = { consumer, cursor: last ?? end.copy(), isLive: false };
    const begin = () => {
      if (this.isStopping) return this.end(subscriber, 'this server is shutting down');
      this.subscribers.add(subscriber);
      if (this.following === undefined) this.follow(end);
      // The log has lost its end (a Redis that did not persist): what it says next would pass for told already.
      const isBeyondEnd = ALL_SHARDS.some((shard) => subscriber.cursor.position(shard) > end.position(shard));
      if (isBeyondEnd) this.reset(subscriber, 'The event log does not reach as far as Last-Event-ID.');
      void this.catchUp(subscriber);
    };
    return {
      get id() {
        return subscriber.cursor.toString();
      },
      begin,
      end: () => this.remove(subscriber),
    };
  }

  private follow(end: Cursor): void {
    const following = new AbortController();
    const { signal } = following;
    this.following = following;
    // `follow` moves its own cursor on after a batch was handed over; the hub's moves with each event.
    const followed = end.copy();
    this.cursor = end.copy();
    const onEvents = async (events: LoggedEvent[]) => {
      await this.prepare(events);
      if (!signal.aborted) this.tell(events);
    };
    const onReset = (reason: string, from: Cursor) => {
      if (signal.aborted) return;
      this.cursor = from;
      for (const subscriber of this.subscribers) this.reset(subscriber, reason);
    };
    this.log
      .follow(followed, { onEvents, onReset }, signal)
      .catch((error: unknown) => this.logger.error('stopped-following-events', { error }));
  }

  private remove(subscriber: Subscriber): void {
    this.subscribers.delete(subscriber);
    if (this.subscribers.size > 0) return;
    this.following?.abort();
    this.following = undefined;
  }

  /** For all who are there when it is done, also those who came meanwhile. */
  private async prepare(events: LoggedEvent[]): Promise<void> {
    const done = new Set<Preparation>();
    for (;;) {
      const needed = [...this.subscribers].flatMap(({ consumer: { preparation } }) =>
        preparation === undefined || done.has(preparation) ? [] : [preparation],
      );
      if (needed.length === 0) return;
      await Promise.all([...new Set(needed)].map((preparation) => preparation(events)));
      for (const preparation of needed) done.add(preparation);
    }
  }

  private tell(events: LoggedEvent[]): void {
    for (const event of events) {
      this.cursor.advance(event.shard, event.sequence);
      for (const subscriber of this.subscribers) {
        if (!subscriber.isLive || this.deliver(subscriber, event)) continue;
        subscriber.isLive = false;
        void this.catchUp(subscriber);
      }
    }
  }

  /** Reads the log at the consumer's own speed until it stands where the hub stands. */
  private async catchUp(subscriber: Subscriber): Promise<void> {
    try {
      for (;;) {
        await subscriber.consumer.ready?.();
        if (!this.subscribers.has(subscriber)) return;
        const { cursor } = subscriber;
        const shard = ALL_SHARDS.find((each) => cursor.position(each) < this.cursor.position(each));
        subscriber.isLive = shard === undefined;
        if (shard === undefined) return;
        await this.readOn(subscriber, shard);
      }
    } catch (error) {
      this.logger.warn('failed-to-resume-stream', { error });
      this.end(subscriber, 'the store did not answer while the stream was resumed');
    }
  }

  private async readOn(subscriber: Subscriber, shard: number): Promise<void> {
    const after = subscriber.cursor.position(shard);
    const { events, isGap } = await this.log.read(shard, after, this.cursor.position(shard));
    if (isGap) return this.reset(subscriber, 'The event log no longer reaches back to Last-Event-ID.');
    await subscriber.consumer.preparation?.(events);
    for (const event of events) {
      if (!this.deliver(subscriber, event)) await subscriber.consumer.ready?.();
    }
  }

  /** False: the consumer has no room for more. */
  private deliver({ consumer, cursor }: Subscriber, { shard, sequence, event }: LoggedEvent): boolean {
    // Told already: a client may come from a process that was ahead of this one.
    if (sequence <= cursor.position(shard)) return true;
    cursor.advance(shard, sequence);
    return consumer.take({ id: cursor.toString(), event });
  }

  private reset(subscriber: Subscriber, reset: string): void {
    subscriber.cursor = this.cursor.copy();
    subscriber.consumer.take({ id: subscriber.cursor.toString(), reset });
  }

  private end(subscriber: Subscriber, reason: string): void {
    this.remove(subscriber);
    subscriber.consumer.end?.(reason);
  }
}
