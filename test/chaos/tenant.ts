import type { RiveraClient } from '#rivera/client';
import { RiveraError } from '#rivera/models';
import { aShellLRP } from '../e2e/workloads.js';
import type { Outcome, Promises } from './checker/promises.js';
import { type Chance, stepByStep } from './random.js';

const MAX_INSTANCES = 3;
/** One in so many processes ends by itself every now and then. */
const ENDS_ONE_IN = 50;

/** Crashes are no reason to wait: what faults end shall be back soon. */
const RESTART_POLICY = { immediateRestarts: 3, baseDelayMs: 500, maxDelayMs: 2_000, maxRestarts: 100_000 };

/**
 * A client that desires, scales, changes, retires and removes LRPs of its own, one call after the other, and keeps what it
 * was promised. A call without an answer may or may not have happened, now or later: that process is left alone from then
 * on.
 */
export class Tenant {
  private readonly mine: string[] = [];
  private made = 0;
  private writes = 0;

  constructor(
    private readonly options: {
      name: string;
      client: RiveraClient;
      chance: Chance;
      promises: Promises;
      /** Processes that are desired at the same time. */
      most: number;
      pauseMs: number;
      memoryMb?: number;
    },
  ) {}

  /** Desires as many processes as it may have. */
  async settle(): Promise<void> {
    while (this.mine.length < this.options.most)
      await this.desire(this.options.chance.between(0, MAX_INSTANCES));
  }

  async live(signal: AbortSignal): Promise<void> {
    await stepByStep(this.options, signal, () => this.step());
  }

  private async step(): Promise<void> {
    const { client, chance, most, promises } = this.options;
    // Drawn whether or not they are used, so that what one call came to does not change the calls after it.
    const [kind, instances, which] = [
      chance.between(0, 9),
      chance.between(0, MAX_INSTANCES),
      chance.between(0, 9_999),
    ];
    if (this.mine.length < most) return this.desire(instances);
    const processGuid = this.mine[which % this.mine.length]!;
    const [before] = promises.desired.get(processGuid) ?? [];
    if (kind <= 1) {
      return this.write(processGuid, before, undefined, () => client.removeDesiredLRP(processGuid));
    }
    if (kind <= 3) {
      promises.calls += 1;
      return client.retireActualLRP(processGuid, which % MAX_INSTANCES).catch((error: unknown) => {
        if (isInDoubt(error)) promises.unanswered += 1;
        else if (codeOf(error) === 'not-found') promises.refused += 1;
        else throw error;
      });
    }
    const annotation = this.annotation();
    const after = kind <= 5 ? before : instances;
    return this.write(
      processGuid,
      before,
      after,
      () =>
        client.updateDesiredLRP(processGuid, { annotation, ...(after !== before && { instances: after }) }),
      annotation,
    );
  }

  private desire(instances: number): Promise<void> {
    const { client, name, chance, memoryMb = 16 } = this.options;
    this.made += 1;
    const processGuid = `${name}-${this.made}`;
    const annotation = this.annotation();
    const script = this.made % ENDS_ONE_IN === 0 ? `sleep ${chance.between(20, 60)}; exit 1` : 'sleep 7200';
    const lrp = aShellLRP(script, {
      processGuid,
      instances,
      annotation,
      memoryMb,
      restartPolicy: RESTART_POLICY,
    });
    return this.write(processGuid, undefined, instances, () => client.desireLRP(lrp), annotation);
  }

  private async write(
    processGuid: string,
    before: Outcome,
    after: Outcome,
    request: () => Promise<unknown>,
    annotation?: string,
  ): Promise<void> {
    const { promises } = this.options;
    promises.calls += 1;
    const at = this.mine.indexOf(processGuid);
    if (at >= 0) this.mine.splice(at, 1);
    try {
      await request();
    } catch (error) {
      // A removal that was repeated because its answer was lost finds nothing any more.
      if (!(after === undefined && codeOf(error) === 'not-found')) {
        if (!isInDoubt(error)) throw error;
        promises.unanswered += 1;
        promises.desired.set(processGuid, [before, after]);
        return;
      }
    }
    promises.desired.set(processGuid, [after]);
    if (annotation !== undefined) promises.writes.push({ processGuid, annotation });
    if (after !== undefined) this.mine.push(processGuid);
  }

  private annotation(): string {
    this.writes += 1;
    return `${this.options.name} write ${this.writes}`;
  }
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof RiveraError ? error.code : undefined;
}

/** Nobody knows whether the call was carried out, or will be. */
export function isInDoubt(error: unknown): boolean {
  return ['unavailable', 'internal'].includes(codeOf(error) ?? '');
}
