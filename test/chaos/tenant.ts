import { setTimeout as sleep } from 'node:timers/promises';
import type { RiveraClient } from '#rivera/client';
import { RiveraError } from '#rivera/models';
import { aShellLRP } from '../e2e/workloads.js';
import type { Chance } from './random.js';

const MAX_INSTANCES = 4;

/** How many instances a process may be desired with; `undefined` is "not desired". */
type Outcome = number | undefined;

/**
 * A client that desires, scales and removes LRPs of its own, one call after the other, and remembers what it was told.
 * A call without an answer may or may not have happened: that process is left alone from then on.
 */
export class Tenant {
  /** What each process may be, by everything that was acknowledged. */
  readonly allowed = new Map<string, Outcome[]>();
  calls = 0;
  unanswered = 0;
  private readonly mine: string[] = [];
  private made = 0;

  constructor(
    private readonly options: {
      name: string;
      client: RiveraClient;
      chance: Chance;
      /** Of processes that are desired at the same time. */
      most: number;
      pauseMs: number;
    },
  ) {}

  async live(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.step();
      await sleep(this.options.chance.between(0, this.options.pauseMs));
    }
  }

  private async step(): Promise<void> {
    const { client, chance, most } = this.options;
    const kind = chance.between(0, 3);
    const instances = chance.between(0, MAX_INSTANCES);
    if (this.mine.length === 0 || (kind === 0 && this.mine.length < most)) {
      const processGuid = this.nextGuid();
      await this.call(processGuid, undefined, instances, () =>
        client.desireLRP(aShellLRP('sleep 3600', { processGuid, instances, memoryMb: 16 })),
      );
      return;
    }
    const processGuid = chance.oneOf(this.mine);
    const before = this.allowed.get(processGuid)?.[0];
    if (kind === 3) {
      await this.call(processGuid, before, undefined, () => client.removeDesiredLRP(processGuid));
    } else {
      await this.call(processGuid, before, instances, () =>
        client.updateDesiredLRP(processGuid, { instances }),
      );
    }
  }

  private async call(
    processGuid: string,
    before: Outcome,
    after: Outcome,
    request: () => Promise<unknown>,
  ): Promise<void> {
    this.calls += 1;
    const at = this.mine.indexOf(processGuid);
    if (at >= 0) this.mine.splice(at, 1);
    try {
      await request();
    } catch (error) {
      if (!(error instanceof RiveraError) || !['unavailable', 'internal'].includes(error.code)) throw error;
      this.unanswered += 1;
      this.allowed.set(processGuid, [before, after]);
      return;
    }
    this.allowed.set(processGuid, [after]);
    if (after !== undefined) this.mine.push(processGuid);
  }

  private nextGuid(): string {
    this.made += 1;
    return `${this.options.name}-${this.made}`;
  }
}
