import { Injectable } from '@nestjs/common';
import type { RebalanceApp, RebalanceWorld } from '#rivera/auction';
import { cellOf, isClosedToWork, isSettled, type ProcessSnapshot } from '#rivera/lifecycle';
import type { ActualLRP, DesiredLRPSchedulingInfo, Task } from '#rivera/models';
import { CellRepository, ProcessRepository, TaskRepository, WORK_SHARD_IDS } from '#rivera/store';
import { workOfActual, workOfTask } from '../auction-requests.js';

const TASKS_PAGE = 2_000;

/** Reads from the store what a rebalancing plan rests on: all cells and all that they hold, shard by shard. */
@Injectable()
export class Foundation {
  constructor(
    private readonly cells: CellRepository,
    private readonly processes: ProcessRepository,
    private readonly tasks: TaskRepository,
  ) {}

  async read(): Promise<RebalanceWorld> {
    const apps: RebalanceApp[] = [];
    const others: RebalanceWorld['others'][number][] = [];
    const present = (await this.cells.list()).filter(({ state }) => state === 'PRESENT');
    for (const shard of WORK_SHARD_IDS) {
      for (const process of await this.processes.snapshotsOfShard(shard)) {
        const isRunning = (actual: ActualLRP) =>
          actual.presence === 'ORDINARY' && actual.state === 'RUNNING' && process.desired !== undefined;
        const app = appOf(process, process.actuals.filter(isRunning));
        if (app !== undefined) apps.push(app);
        for (const actual of process.actuals) {
          const cellId = cellOf(actual);
          if (cellId === undefined || isRunning(actual)) continue;
          others.push({ cellId, held: workOfActual(actual) });
        }
      }
    }
    for await (const task of this.allTasks()) {
      const on = task.cellId ?? task.placement?.cellId;
      if (on !== undefined) others.push({ cellId: on, held: workOfTask(task) });
    }
    const cells = present.map((cell) => ({ ...cell, evacuating: isClosedToWork(cell) }));
    return { cells, apps, others };
  }

  private async *allTasks(): AsyncGenerator<Task> {
    let after: string | undefined;
    do {
      const page = await this.tasks.page({ after, limit: TASKS_PAGE });
      yield* page.items;
      after = page.next;
    } while (after !== undefined);
  }
}

/** Rebalancing knows only Diego's rule; what asks for more stays where it is. */
function isPlain({ affinity, spread, cpuMillicores, devices }: DesiredLRPSchedulingInfo): boolean {
  return [affinity, spread, cpuMillicores, devices].every((wish) => wish === undefined);
}

function appOf(process: ProcessSnapshot, running: readonly ActualLRP[]): RebalanceApp | undefined {
  const { desired, processGuid } = process;
  const [first] = running;
  if (desired === undefined || first === undefined) return undefined;
  const { rootfs, placementTags, volumeDrivers, affinity, spread } = desired;
  return {
    processGuid,
    rootfs,
    placementTags,
    volumeDrivers,
    affinity,
    spread,
    ...first.resources,
    instances: running.map(({ index, cellId = '' }) => ({ index, cellId })),
    isMovable: isSettled(process) && isPlain(desired),
  };
}
