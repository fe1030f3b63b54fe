import type { RiveraClient } from '#rivera/client';
import { aShellLRP } from '../e2e/workloads.js';
import type { Promises } from './checker/promises.js';
import { type Chance, stepByStep } from './random.js';
import { isInDoubt } from './tenant.js';

const PROCESS_GUID = 'fought-over';
const INSTANCES = 1;

/**
 * Clients that all change the same LRP at the same moment, through whichever `bbs` each of them reaches. Only one change
 * can be the first; the others are made of what it has left, and none that was acknowledged is lost. Tenants never meet
 * like this: each has processes of its own.
 */
export class Rivals {
  private writes = 0;

  constructor(
    private readonly options: {
      clients: readonly RiveraClient[];
      chance: Chance;
      promises: Promises;
      pauseMs: number;
    },
  ) {}

  async settle(): Promise<void> {
    const { clients, promises } = this.options;
    promises.calls += 1;
    await clients[0]!.desireLRP(aShellLRP('sleep 7200', { processGuid: PROCESS_GUID, instances: INSTANCES }));
    promises.desired.set(PROCESS_GUID, [INSTANCES]);
  }

  async live(signal: AbortSignal): Promise<void> {
    await stepByStep(this.options, signal, async () => {
      await Promise.all(this.options.clients.map((client) => this.write(client)));
    });
  }

  private async write(client: RiveraClient): Promise<void> {
    const { promises } = this.options;
    this.writes += 1;
    promises.calls += 1;
    const annotation = `rivals write ${this.writes}`;
    try {
      await client.updateDesiredLRP(PROCESS_GUID, { annotation });
      promises.writes.push({ processGuid: PROCESS_GUID, annotation });
    } catch (error) {
      if (!isInDoubt(error)) throw error;
      promises.unanswered += 1;
    }
  }
}
