import type { RiveraClient } from '#rivera/client';
import { aTaskRequest, sh } from '../e2e/workloads.js';
import type { Promises } from './checker/promises.js';
import { type Chance, stepByStep } from './random.js';
import { codeOf, isInDoubt } from './tenant.js';

const LONGEST_TENTHS = 60;
const KEPT = 20;

/** A client that has tasks run, cancels some of them and deletes some that are done. */
export class TaskClient {
  private readonly mine: string[] = [];
  private made = 0;

  constructor(
    private readonly options: {
      name: string;
      client: RiveraClient;
      chance: Chance;
      promises: Promises;
      pauseMs: number;
    },
  ) {}

  async live(signal: AbortSignal): Promise<void> {
    await stepByStep(this.options, signal, () => this.step());
  }

  private async step(): Promise<void> {
    const { client, chance, promises } = this.options;
    const [kind, which, tenths, status] = [
      chance.between(0, 5),
      chance.between(0, 999),
      chance.between(1, LONGEST_TENTHS),
      chance.between(0, 3) === 0 ? 1 : 0,
    ];
    const taskGuid = this.mine[which % Math.max(1, this.mine.length)];
    if (kind === 0 && taskGuid !== undefined) {
      await this.try(
        () => client.cancelTask(taskGuid),
        () => promises.cancelled.add(taskGuid),
      );
    } else if (kind === 1 && taskGuid !== undefined) {
      await this.try(
        () => client.deleteTask(taskGuid),
        () => this.mine.splice(this.mine.indexOf(taskGuid), 1),
      );
    } else {
      await this.desire(`sleep ${tenths / 10}; exit ${status}`);
    }
  }

  private async desire(script: string): Promise<void> {
    const { client, name, promises } = this.options;
    this.made += 1;
    const request = {
      ...aTaskRequest({ memoryMb: 16, action: sh(script) }),
      taskGuid: `${name}-${this.made}`,
    };
    promises.doubtfulTasks.add(request.taskGuid);
    await this.try(
      () => client.desireTask(request),
      () => {
        promises.tasks.add(request.taskGuid);
        this.mine.push(request.taskGuid);
        if (this.mine.length > KEPT) this.mine.shift();
      },
    );
  }

  private async try(request: () => Promise<unknown>, onAnswer: () => void): Promise<void> {
    const { promises } = this.options;
    promises.calls += 1;
    try {
      await request();
    } catch (error) {
      if (isInDoubt(error)) promises.unanswered += 1;
      else if (['not-found', 'invalid-state-transition'].includes(codeOf(error) ?? '')) promises.refused += 1;
      else throw error;
      return;
    }
    onAnswer();
  }
}
