/** What a store promises when the master under it is killed: every write that was acknowledged is there afterwards. */
import { setTimeout as sleep } from 'node:timers/promises';
import { RiveraError } from '#rivera/models';
import type { ReplicationConfig } from '#rivera/platform';
import { connectRedis } from './redis.js';
import { Store } from './store.js';
import { TaskRepository } from './task-repository.js';
import { aTask } from '#test/builders.js';
import { startRedisCluster, startRedisSentinel, type RedisTopology } from '#test/redis-topologies.js';
import { checkedContent, eventually } from '#test/store.js';

const WRITERS = 20;
/** Any replica may be the next master: Sentinel chooses by what the replicas said some time ago. */
const replicationOf = ({ replicas }: RedisTopology): ReplicationConfig => ({ replicas, timeoutMs: 1_000 });

const since = (start: number) => Math.round(performance.now() - start);

/** Makes tasks without end, and remembers those whose making was acknowledged. */
class Load {
  readonly acknowledged = new Set<string>();
  readonly refusals = new Map<string, number>();
  private isEnding = false;
  private readonly writers: Promise<void>[];

  constructor(store: Store) {
    const tasks = new TaskRepository(store);
    this.writers = Array.from({ length: WRITERS }, async (_, writer) => {
      for (let n = 0; !this.isEnding; n++) await this.make(tasks, `task-${writer}-${n}`);
    });
  }

  async end(): Promise<void> {
    this.isEnding = true;
    await Promise.all(this.writers);
  }

  private async make(tasks: TaskRepository, taskGuid: string): Promise<void> {
    try {
      await tasks.change(taskGuid, (before) =>
        before === undefined ? [{ kind: 'task', after: aTask({ taskGuid }) }] : [],
      );
      this.acknowledged.add(taskGuid);
    } catch (error) {
      if (!(error instanceof RiveraError) || error.code !== 'unavailable') throw error;
      this.refusals.set(taskGuid, (this.refusals.get(taskGuid) ?? 0) + 1);
      // A client waits before it tries again.
      await sleep(50);
    }
  }
}

describe.each<[string, (options: { appendonly: boolean }) => Promise<RedisTopology>]>([
  ['a Redis Cluster', startRedisCluster],
  ['Sentinel', startRedisSentinel],
])('on %s, with STORE_WAIT_REPLICAS as many as a master has', (_kind, start) => {
  let topology: RedisTopology;
  let masterCount: number;
  beforeAll(async () => {
    topology = await start({ appendonly: true });
    masterCount = (await topology.masters()).length;
  });
  afterAll(() => topology.stop());

  it('a master is killed under load: nothing acknowledged is lost, nothing torn, writing goes on', async () => {
    const redis = connectRedis(topology.url).on('error', () => undefined);
    const store = new Store({ redis, replication: replicationOf(topology) });
    const load = new Load(store);
    await eventually(() => expect(load.acknowledged.size).toBeGreaterThan(200));

    const [victim] = await topology.masters();
    await victim!.kill9();
    const killedAt = performance.now();
    const before = load.acknowledged.size;
    await eventually(() => expect(load.refusals.size).toBeGreaterThan(0));
    await eventually(async () => expect(await topology.masters()).toHaveLength(masterCount));
    console.log(`replaced ${since(killedAt)} ms after the kill`);
    // Nothing is acknowledged while a master has too few replicas.
    await victim!.start();
    await eventually(() => store.fence({ role: 'test', token: 1 }));
    console.log(`every shard was written again ${since(killedAt)} ms after the kill`);
    await eventually(() => expect(load.acknowledged.size).toBeGreaterThan(before + 200));
    await load.end();

    const { records } = await checkedContent(redis);
    const lost = [...load.acknowledged].filter((taskGuid) => !records.has(`task ${taskGuid}`));
    console.log(`${load.acknowledged.size} acknowledged, ${load.refusals.size} refused, ${lost.length} lost`);
    expect(lost).toEqual([]);
    redis.disconnect();
  });
});
