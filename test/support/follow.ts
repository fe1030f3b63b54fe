import type { EventFilter, EventItem, EventOptions, RiveraClient } from '#rivera/client';
import type { RiveraEvent } from '#rivera/models';

/** A client that follows events and keeps them. */
export class Following {
  readonly items: EventItem[] = [];
  disconnects = 0;
  private readonly abort = new AbortController();
  private ended: Promise<void> = Promise.resolve();

  private constructor() {}

  /** Resolves when the stream stands: nothing from here on is missed. */
  static async start(
    client: RiveraClient,
    filter: EventFilter = {},
    options: EventOptions = {},
  ): Promise<Following> {
    const following = new Following();
    await new Promise<void>((resolve, reject) => {
      const stream = client.events(filter, {
        ...options,
        signal: following.abort.signal,
        onConnect: resolve,
        onDisconnect: () => (following.disconnects += 1),
      });
      following.ended = following.read(stream);
      following.ended.catch(reject);
    });
    return following;
  }

  get events(): RiveraEvent[] {
    return this.items.flatMap((item) => ('event' in item ? [item.event] : []));
  }

  get types(): string[] {
    return this.events.map(({ type }) => type);
  }

  get resets(): string[] {
    return this.items.flatMap((item) => ('reset' in item ? [item.reset] : []));
  }

  /** Where to resume after what has come so far. */
  get cursor(): string | undefined {
    return this.items.flatMap((item) => ('cursor' in item ? [item.cursor] : [])).at(-1);
  }

  async until(isEnough: (following: this) => boolean): Promise<this> {
    await vi.waitFor(() => expect(isEnough(this), `after ${this.items.length} items`).toBe(true), {
      timeout: 20_000,
      interval: 10,
    });
    return this;
  }

  async stop(): Promise<this> {
    this.abort.abort();
    await this.ended;
    return this;
  }

  private async read(stream: AsyncIterable<EventItem>): Promise<void> {
    for await (const item of stream) this.items.push(item);
  }
}
