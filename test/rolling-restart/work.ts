import { setTimeout as sleep } from 'node:timers/promises';
import type { RiveraClient } from '#rivera/client';
import type { ActualLRP, RiveraEvent } from '#rivera/models';
import { Promises } from '../chaos/checker/promises.js';
import { isInDoubt } from '../chaos/tenant.js';
import { aShellLRP, aTaskRequest, pageOf, sh } from '../e2e/workloads.js';
import type { Following } from '../support/follow.js';
import { waitFor } from '../support/wait-for.js';

/** Every call of some clients: how long it took, retries included, and what was not answered. */
export class Calls {
  readonly durationsMs: number[] = [];
  readonly failures: string[] = [];

  /** The same client, watched. */
  through(client: RiveraClient): RiveraClient {
    return new Proxy(client, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]): unknown => {
          const began = performance.now();
          const answer: unknown = Reflect.apply(member, target, args);
          return answer instanceof Promise ? this.watch(String(name), began, answer) : answer;
        };
      },
    });
  }

  private async watch(name: string, began: number, answer: Promise<unknown>): Promise<unknown> {
    try {
      return await answer;
    } catch (error) {
      if (isInDoubt(error))
        this.failures.push(`${new Date().toISOString()} ${name} failed: ${String(error)}`);
      throw error;
    } finally {
      this.durationsMs.push(performance.now() - began);
    }
  }
}

/** What the actual LRPs are by the events that a follower was told so far. */
export class EventPicture {
  private readonly running = new Map<string, ActualLRP>();
  private upTo = 0;

  constructor(private readonly following: Following) {}

  runningOf(processGuid: string): ActualLRP[] {
    this.advance();
    return [...this.running.values()].filter((actual) => actual.processGuid === processGuid);
  }

  private advance(): void {
    const { items } = this.following;
    for (; this.upTo < items.length; this.upTo += 1) {
      const item = items[this.upTo]!;
      if ('event' in item) this.take(item.event);
    }
  }

  private take(event: RiveraEvent): void {
    if (event.type === 'actual_lrp_changed' || event.type === 'actual_lrp_removed') {
      this.running.delete(event.before.instanceGuid ?? '');
    }
    if (event.type !== 'actual_lrp_changed' && event.type !== 'actual_lrp_created') return;
    const { instanceGuid, state } = event.after;
    if (instanceGuid !== undefined && state === 'RUNNING') this.running.set(instanceGuid, event.after);
  }
}

export interface WorkOptions {
  client: RiveraClient;
  promises: Promises;
  picture: EventPicture;
}

/** Desires one instance after the other, several at a time, and sees how long each takes until it runs. */
export class Placing {
  readonly timesMs: number[] = [];
  /** Which took longest, and when that began. */
  slowest = { processGuid: '', tookMs: 0, at: new Date() };
  readonly violations: string[] = [];
  private made = 0;

  constructor(private readonly options: WorkOptions & { everyMs: number; patienceMs: number }) {}

  async live(signal: AbortSignal): Promise<void> {
    const going: Promise<void>[] = [];
    while (!signal.aborted) {
      going.push(this.place());
      await sleep(this.options.everyMs, undefined, { signal }).catch(() => undefined);
    }
    await Promise.all(going);
  }

  private async place(): Promise<void> {
    const { client, promises, picture, patienceMs } = this.options;
    this.made += 1;
    const processGuid = `placing-${this.made}`;
    const at = new Date();
    const began = performance.now();
    promises.calls += 2;
    promises.desired.set(processGuid, [1]);
    await client.desireLRP(aShellLRP('sleep 7200', { processGuid, memoryMb: 16 }));
    try {
      await waitFor(() => picture.runningOf(processGuid).length, {
        what: `${processGuid} runs`,
        until: (count) => count === 1,
        timeoutMs: patienceMs,
        intervalMs: 10,
      });
    } catch (error) {
      this.violations.push(String(error));
    }
    const tookMs = performance.now() - began;
    this.timesMs.push(tookMs);
    if (tookMs > this.slowest.tookMs) this.slowest = { processGuid, tookMs, at };
    await client.removeDesiredLRP(processGuid);
    promises.desired.set(processGuid, [undefined]);
  }
}

/** Has tasks run that take a moment each. */
export class Tasking {
  private made = 0;

  constructor(private readonly options: WorkOptions & { everyMs: number; scripts: readonly string[] }) {}

  async live(signal: AbortSignal): Promise<void> {
    const { client, promises, everyMs, scripts } = this.options;
    while (!signal.aborted) {
      this.made += 1;
      const taskGuid = `task-${this.made}`;
      const action = sh(scripts[this.made % scripts.length]!);
      promises.calls += 1;
      await client.desireTask({ ...aTaskRequest({ memoryMb: 16, action }), taskGuid });
      promises.tasks.add(taskGuid);
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Asks every instance of a web server that nobody stops for its page, again and again. */
export class Probing {
  asked = 0;
  readonly violations: string[] = [];

  constructor(private readonly options: { picture: EventPicture; processGuid: string }) {}

  async live(signal: AbortSignal): Promise<void> {
    const { picture, processGuid } = this.options;
    while (!signal.aborted) {
      for (const actual of picture.runningOf(processGuid)) await this.ask(actual);
      await sleep(50, undefined, { signal }).catch(() => undefined);
    }
  }

  private async ask(actual: ActualLRP): Promise<void> {
    this.asked += 1;
    await pageOf(actual).catch((error: unknown) => {
      const { processGuid, index, cellId } = actual;
      this.violations.push(`${processGuid}/${index} on ${cellId} did not answer: ${String(error)}`);
    });
  }
}
