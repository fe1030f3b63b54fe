import type { Transition } from '#rivera/lifecycle';
import type { Task } from '#rivera/models';
import { type Page, type PageRequest, pageOfKind, recordsOf } from './pages.js';
import type { WriteOptions } from './process-repository.js';
import { shardOf, WORK_SHARD_IDS } from './shards.js';
import type { Store } from './store.js';
import type { Stored } from './stored.js';

/** Tasks, each in the shard of its guid. */
export class TaskRepository {
  constructor(private readonly store: Store) {}

  /** Applies a rule to one task. Returns what changed. */
  async change(
    taskGuid: string,
    decide: (task: Task | undefined) => Transition,
    options: WriteOptions = {},
  ): Promise<Transition> {
    return this.store.transact(
      shardOf(taskGuid),
      [{ kind: 'task', id: taskGuid }],
      (lookup) => decide(lookup('task', taskGuid)?.record),
      options,
    );
  }

  async get(taskGuid: string): Promise<Task | undefined> {
    return this.store.get(shardOf(taskGuid), 'task', taskGuid);
  }

  async storedPage(page: PageRequest): Promise<Page<Stored<Task>>> {
    return pageOfKind(this.store, 'task', page);
  }

  async page(page: PageRequest): Promise<Page<Task>> {
    return recordsOf(await this.storedPage(page));
  }

  async byId(shard: number, taskGuids: string[]): Promise<Task[]> {
    return this.store.getAll(shard, 'task', taskGuids);
  }

  async ofShard(shard: number): Promise<Task[]> {
    return this.store.getAll(shard, 'task', await this.store.ids(shard, 'task'));
  }

  /** Tasks that a cell runs or has been given. */
  async onCell(cellId: string): Promise<Task[]> {
    return (await this.storedOnCell(cellId)).map(({ record }) => record);
  }

  /** The same for those who may do without parsing them. */
  async storedOnCell(cellId: string): Promise<Stored<Task>[]> {
    const prefix = `${cellId}/task/`;
    const perShard = await Promise.all(
      WORK_SHARD_IDS.map(async (shard) => {
        const members = await this.store.membersByName(shard, 'by-cell', { prefix });
        if (members.length === 0) return [];
        return this.store.getStored(
          shard,
          'task',
          members.map((member) => member.slice(prefix.length)),
        );
      }),
    );
    return perShard.flat();
  }

  /** Those of a shard that these cells run or have been given. */
  async onCells(shard: number, cellIds: string[]): Promise<Task[]> {
    const perCell = await Promise.all(
      cellIds.map(async (cellId) => {
        const prefix = `${cellId}/task/`;
        const members = await this.store.membersByName(shard, 'by-cell', { prefix });
        return members.map((member) => member.slice(prefix.length));
      }),
    );
    return this.store.getAll(shard, 'task', perCell.flat());
  }
}
