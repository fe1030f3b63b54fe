import { Cluster } from 'ioredis';
import type { Records, RecordKind } from '#rivera/lifecycle';
import type { RiveraEvent } from '#rivera/models';
import type { RedisClient } from '#rivera/platform';
import {
  ALL_SHARDS,
  CellRepository,
  connectRedis,
  DeploymentRepository,
  EventLog,
  ProcessRepository,
  Store,
  type StoreOptions,
  TaskRepository,
  WakeUps,
} from '#rivera/store';
import type { RedisHarness, RedisKind } from './redis.js';
import { startRedisOf, type TopologyOptions } from './redis-topologies.js';
import { readShard } from './store-content.js';

/** One client of the store with connections of its own, as one process of a deployment has. */
export interface StoreClient {
  redis: RedisClient;
  store: Store;
  processes: ProcessRepository;
  tasks: TaskRepository;
  cells: CellRepository;
  deployments: DeploymentRepository;
  log: EventLog;
}

export interface StoreHarness extends StoreClient {
  server: RedisHarness;
  /** One more client; it ends with the harness. */
  client(options?: Omit<StoreOptions, 'redis'>): StoreClient;
  clear(): Promise<void>;
  stop(): Promise<void>;
}

/** A store of its own on a Redis of its own. */
export async function startStore(
  options: TopologyOptions & { kind?: RedisKind } = {},
): Promise<StoreHarness> {
  const server = await startRedisOf(options.kind, options);
  const connections: RedisClient[] = [];
  const connect = (): RedisClient => {
    // What a connection says of an outage is what its calls reject with; tests look at these.
    const redis = connectRedis(server.url).on('error', () => undefined);
    connections.push(redis);
    return redis;
  };
  const client = (storeOptions: Omit<StoreOptions, 'redis'> = {}): StoreClient => {
    const redis = connect();
    const store = new Store({ redis, ...storeOptions });
    return {
      redis,
      store,
      processes: new ProcessRepository(store),
      tasks: new TaskRepository(store),
      cells: new CellRepository(store),
      deployments: new DeploymentRepository(store),
      log: new EventLog(redis, new WakeUps(connect())),
    };
  };
  const first = client();
  return {
    ...first,
    server,
    client,
    clear: () => flushAll(first.redis),
    stop: async () => {
      for (const redis of connections) redis.disconnect();
      await server.stop();
    },
  };
}

async function flushAll(redis: RedisClient): Promise<void> {
  // A cluster knows its masters once it has answered something.
  await redis.ping();
  const servers = redis instanceof Cluster ? redis.nodes('master') : [redis];
  await Promise.all(servers.map((server) => server.flushall()));
}

/** Waits until a check passes, at most as long as a busy machine may take. */
export async function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 20_000, interval: 5 });
}

/** Everything a store holds, read past the store. */
export interface StoreContent {
  records: Map<string, Records[RecordKind]>;
  /** By shard, in the order of the log. */
  events: Map<number, { sequence: number; event: RiveraEvent }[]>;
}

/** Reads everything and fails unless it fits together, see `readShard`. */
export async function checkedContent(redis: RedisClient): Promise<StoreContent> {
  const content: StoreContent = { records: new Map(), events: new Map() };
  for (const shard of ALL_SHARDS) {
    const { records, events, faults } = await readShard(redis, shard);
    expect(faults).toEqual([]);
    for (const [id, record] of records) content.records.set(id, record);
    if (events.length > 0) content.events.set(shard, events);
  }
  return content;
}
