import type { RiveraClient } from '#rivera/client';

/** Follows the event stream and tells when an instance of a process runs. */
export class RunningWatch {
  private readonly end = new AbortController();
  private readonly waiting = new Map<string, (at: number) => void>();

  private constructor() {}

  /** Resolves when the stream stands, so that nothing is missed. */
  static async start(client: RiveraClient): Promise<RunningWatch> {
    const watch = new RunningWatch();
    await new Promise<void>((resolve, reject) => {
      watch.follow(client, resolve).catch(reject);
    });
    return watch;
  }

  /** When (as of `performance.now()`) the event came that an instance runs. */
  next(processGuid: string): Promise<number> {
    return new Promise((resolve) => this.waiting.set(processGuid, resolve));
  }

  stop(): void {
    this.end.abort();
  }

  private async follow(client: RiveraClient, onConnect: () => void): Promise<void> {
    const type = ['actual_lrp_created', 'actual_lrp_changed'] as const;
    for await (const item of client.events({ type }, { signal: this.end.signal, onConnect })) {
      if ('reset' in item) throw new Error(`Events are missing, so nothing can be measured: ${item.reset}`);
      const { event } = item;
      if (event.type !== 'actual_lrp_changed' && event.type !== 'actual_lrp_created') continue;
      if (event.after.state !== 'RUNNING') continue;
      this.waiting.get(event.after.processGuid)?.(performance.now());
      this.waiting.delete(event.after.processGuid);
    }
  }
}
