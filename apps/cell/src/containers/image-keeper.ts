import { setTimeout as sleep } from 'node:timers/promises';
import type { Garden } from '#rivera/garden';
import type { RiveraLogger } from '#rivera/platform';
import { messageOf } from '../executor/step.js';

const INTERVAL_MS = 60_000;

export interface ImageKeeperOptions {
  garden: Pick<Garden, 'collectImages'>;
  /** Shares of the engine's disk: from which on, and down to which, images are removed. */
  filling: { fromPercent: number; toPercent: number };
  logger: RiveraLogger;
}

/** Keeps the images that were pulled from filling the engine's disk. */
export class ImageKeeper {
  private readonly abort = new AbortController();

  constructor(private readonly options: ImageKeeperOptions) {}

  /** Looks every minute. */
  start(): void {
    if (this.options.garden.collectImages !== undefined) void this.keep();
  }

  stop(): void {
    this.abort.abort();
  }

  private async keep(): Promise<void> {
    const { signal } = this.abort;
    while (!signal.aborted) {
      await sleep(INTERVAL_MS, undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted) await this.collect();
    }
  }

  private async collect(): Promise<void> {
    const { garden, filling, logger } = this.options;
    try {
      const removed = (await garden.collectImages?.(filling)) ?? [];
      if (removed.length > 0) logger.log('removed-images', { images: removed });
    } catch (error) {
      logger.warn('failed-to-remove-images', { reason: messageOf(error) });
    }
  }
}
