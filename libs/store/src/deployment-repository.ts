import type { Transition } from '#rivera/lifecycle';
import type { Deployment } from '#rivera/models';
import { type Page, type PageRequest, pageOfKind, recordsOf } from './pages.js';
import type { WriteOptions } from './process-repository.js';
import { shardOf } from './shards.js';
import type { Store } from './store.js';
import type { Stored } from './stored.js';

/** Deployments, each in the shard of the process guid that it replaces. */
export class DeploymentRepository {
  constructor(private readonly store: Store) {}

  /** Applies a rule to the deployment of one process guid. Returns what changed. */
  async change(
    processGuid: string,
    decide: (deployment: Deployment | undefined) => Transition,
    options: WriteOptions = {},
  ): Promise<Transition> {
    return this.store.transact(
      shardOf(processGuid),
      [{ kind: 'deployment', id: processGuid }],
      (lookup) => decide(lookup('deployment', processGuid)?.record),
      options,
    );
  }

  async get(processGuid: string): Promise<Deployment | undefined> {
    return this.store.get(shardOf(processGuid), 'deployment', processGuid);
  }

  async storedPage(page: PageRequest): Promise<Page<Stored<Deployment>>> {
    return pageOfKind(this.store, 'deployment', page);
  }

  async page(page: PageRequest): Promise<Page<Deployment>> {
    return recordsOf(await this.storedPage(page));
  }

  async ofShard(shard: number): Promise<Deployment[]> {
    return this.store.getAll(shard, 'deployment', await this.store.ids(shard, 'deployment'));
  }

  /** All there are, page by page. */
  async *all(): AsyncGenerator<Deployment> {
    let after: string | undefined;
    do {
      const { items, next } = await this.page({ after, limit: 1_000 });
      yield* items;
      after = next;
    } while (after !== undefined);
  }
}
