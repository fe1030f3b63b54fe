/**
 * Lets many ask for what is costly to look up: one look at a time, and whoever asks while one is under way shares the next
 * one with all others who do. So what an answer tells was so after it was asked for.
 */
export class SharedLook<T> {
  private current?: Promise<T>;
  private next?: Promise<T>;

  constructor(private readonly look: () => Promise<T>) {}

  ask(): Promise<T> {
    if (this.current === undefined) return this.begin();
    this.next ??= this.current.then(
      () => this.begin(),
      () => this.begin(),
    );
    return this.next;
  }

  private begin(): Promise<T> {
    this.next = undefined;
    const current = this.look().finally(() => {
      if (this.current === current) this.current = undefined;
    });
    this.current = current;
    return current;
  }
}
