import type { RedisClient } from '#rivera/platform';

/** A commit has written events: `parseEventsMessage`. */
export const EVENTS_CHANNEL = 'rivera:log';
/** A commit has completed a task whose owner wants to be called. The message begins with its shard's number. */
export const CALLBACK_CHANNEL = 'rivera:callback';

/**
 * What commits publish. Messages may be lost, with a connection or before there is one: whoever listens looks by itself
 * now and then.
 */
export class WakeUps {
  private readonly listeners = new Map<string, Set<(message?: string) => void>>();

  /** @param subscriber a connection of its own: once subscribed it can do nothing else. */
  constructor(private readonly subscriber: RedisClient) {
    subscriber.on('message', (channel: string, message: string) => this.tell(channel, message));
    subscriber.on('ready', () => {
      for (const channel of this.listeners.keys()) this.subscribe(channel);
    });
  }

  /**
   * Calls back with each message from now on, and without one whenever messages may have been lost. Returns what ends it.
   */
  listen(channel: string, onMessage: (message?: string) => void): () => void {
    const others = this.listeners.get(channel);
    const listeners = others ?? new Set();
    listeners.add(onMessage);
    this.listeners.set(channel, listeners);
    if (others === undefined && this.subscriber.status === 'ready') this.subscribe(channel);
    return () => {
      if (!listeners.delete(onMessage) || listeners.size > 0) return;
      this.listeners.delete(channel);
      // Each message would still cost something here and in Redis. A connection that is gone has nothing to end.
      this.subscriber.unsubscribe(channel).catch(() => undefined);
    };
  }

  private subscribe(channel: string): void {
    this.subscriber.subscribe(channel).then(
      () => this.tell(channel),
      () => {
        // Comes again with the next 'ready'.
      },
    );
  }

  private tell(channel: string, message?: string): void {
    for (const listener of this.listeners.get(channel) ?? []) listener(message);
  }
}
