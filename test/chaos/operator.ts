import { setTimeout as sleep } from 'node:timers/promises';
import type { RiveraClient } from '#rivera/client';
import { waitFor } from '../support/wait-for.js';
import type { Chance } from './random.js';
import { isInDoubt } from './tenant.js';

const LONGEST_MS = 12_000;
const DRAIN_TIMEOUT_MS = 20_000;

/** Somebody who cordons and drains cells and lets them work again. */
export class Operator {
  drains = 0;

  constructor(
    private readonly options: {
      client: RiveraClient;
      chance: Chance;
      cells: readonly string[];
      pauseMs: number;
    },
  ) {}

  async live(signal: AbortSignal): Promise<void> {
    const { chance, cells, client, pauseMs } = this.options;
    while (!signal.aborted) {
      const [cellId, isDrain, forMs] = [
        chance.oneOf(cells),
        chance.between(0, 2) > 0,
        chance.between(1_000, LONGEST_MS),
      ];
      const began = isDrain
        ? client.drainCell(cellId, { timeoutMs: DRAIN_TIMEOUT_MS })
        : client.cordonCell(cellId);
      await began.then(
        () => (this.drains += 1),
        (error: unknown) => {
          if (!isInDoubt(error)) throw error;
        },
      );
      await sleep(forMs, undefined, { signal }).catch(() => undefined);
      await this.uncordon(cellId);
      await sleep(chance.between(0, 2 * pauseMs), undefined, { signal }).catch(() => undefined);
    }
  }

  /** Until it was answered. */
  async uncordon(cellId: string): Promise<void> {
    await waitFor(() => this.options.client.uncordonCell(cellId), {
      what: `${cellId} takes work`,
      until: () => true,
      timeoutMs: 120_000,
      intervalMs: 200,
    });
  }
}
