import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { RiveraLogger } from '#rivera/platform';
import { ALL_SHARDS, Cursor, EventLog, type LoggedEvent } from '#rivera/store';

/** One item of somebody's stream: an event, or word that the log no longer reaches back. */
export type StreamItem = { id: string; event: LoggedEvent['event'] } | { id: string; reset: string };

/** Takes items; false ends the subscription (the consumer is too slow, or gone). */
export type Consumer = (item: StreamItem) => boolean;

export interface Subscription {
  /** Where the stream stands when it begins, before its first item. */
  id: string;
  end(): void;
}

interface Subscriber {
  consume: Consumer;
  cursor: Cursor;
  /** Items that came while older ones are still being read from the log. */
  waiting?: LoggedEvent[];
}

/** Reads the event log once and tells all clients of this process. */
@Injectable()
export class EventHub implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly subscribers = new Set<Subscriber>();
  private readonly abort = new AbortController();
  private cursor = Cursor.start();
  private started: Promise<void> = Promise.resolve();

  constructor(
    private readonly log: EventLog,
    private readonly logger: RiveraLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.started = this.start();
    this.started.catch((error: unknown) => this.logger.error('failed-to-follow-events', { error }));
  }

  onModuleDestroy(): void {
    this.abort.abort();
  }

  /**
   * Follows everything after `lastEventId`, or from now on. Nothing is left out and nothing comes twice.
   * Errors: `invalid-request` (not an id this stream gave), `unavailable`.
   */
  async subscribe(lastEventId: string | undefined, consume: Consumer): Promise<Subscription> {
    await this.started;
    const cursor = lastEventId === undefined ? this.cursor.copy() : Cursor.parse(lastEventId);
    const subscriber: Subscriber = { consume, cursor };
    const id = cursor.toString();
    if (lastEventId !== undefined) {
      const upTo = this.cursor.copy();
      subscriber.waiting = [];
      this.subscribers.add(subscriber);
      // Begins after this call has returned, so that the stream's head goes out first.
      setImmediate(() => void this.catchUp(subscriber, upTo));
    } else {
      this.subscribers.add(subscriber);
    }
    return { id, end: () => this.subscribers.delete(subscriber) };
  }

  private async start(): Promise<void> {
    this.cursor = await this.log.now();
    // `follow` moves its own copy on after a batch was handed over; this one moves with each event.
    const following = this.log.follow(
      this.cursor.copy(),
      { onEvents: (events) => this.tell(events), onReset: (reason) => this.reset(reason) },
      this.abort.signal,
    );
    following.catch((error: unknown) => this.logger.error('stopped-following-events', { error }));
  }

  private tell(events: LoggedEvent[]): void {
    for (const event of events) {
      this.cursor.advance(event.shard, event.sequence);
      for (const subscriber of this.subscribers) {
        if (subscriber.waiting === undefined) this.deliver(subscriber, event);
        else subscriber.waiting.push(event);
      }
    }
  }

  private async reset(reason: string): Promise<void> {
    this.cursor = await this.log.now();
    for (const subscriber of this.subscribers) this.deliverReset(subscriber, reason);
  }

  private async catchUp(subscriber: Subscriber, upTo: Cursor): Promise<void> {
    try {
      for (const shard of ALL_SHARDS) {
        let isMore = true;
        while (isMore && this.subscribers.has(subscriber)) {
          const after = subscriber.cursor.position(shard);
          const { events, isGap } = await this.log.read(shard, after, upTo.position(shard));
          if (isGap) {
            this.deliverReset(subscriber, 'The event log no longer reaches back to Last-Event-ID.');
            break;
          }
          for (const event of events) this.deliver(subscriber, event);
          isMore = events.length > 0;
        }
      }
      for (const event of subscriber.waiting ?? []) this.deliver(subscriber, event);
      subscriber.waiting = undefined;
    } catch (error) {
      this.logger.warn('failed-to-resume-stream', { error });
      this.deliverReset(subscriber, 'The store did not answer while the stream was resumed.');
      subscriber.waiting = undefined;
    }
  }

  private deliver(subscriber: Subscriber, { shard, sequence, event }: LoggedEvent): void {
    if (sequence <= subscriber.cursor.position(shard)) return;
    subscriber.cursor.advance(shard, sequence);
    if (!subscriber.consume({ id: subscriber.cursor.toString(), event })) this.subscribers.delete(subscriber);
  }

  private deliverReset(subscriber: Subscriber, reset: string): void {
    for (const shard of ALL_SHARDS) subscriber.cursor.advance(shard, this.cursor.position(shard));
    if (!subscriber.consume({ id: subscriber.cursor.toString(), reset })) this.subscribers.delete(subscriber);
  }
}
