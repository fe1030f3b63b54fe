import type { Redis } from 'ioredis';
import { indexEntries, type Records, type RecordKind } from '#rivera/lifecycle';
import type { RiveraEvent } from '#rivera/models';
import {
  ALL_SHARDS,
  CellRepository,
  connectRedis,
  DeploymentRepository,
  EventLog,
  ProcessRepository,
  shardKey,
  Store,
  type StoreOptions,
  TaskRepository,
  WakeUps,
} from '#rivera/store';
import { type RedisHarness, startRedis } from './redis.js';

const KINDS: RecordKind[] = ['desired', 'run', 'actual', 'task', 'cell', 'domain', 'deployment'];
const INDEXES = ['by-cell', 'unplaced', 'evacuating', 'due', 'callback'] as const;

/** One client of the store with connections of its own, as one process of a deployment has. */
export interface StoreClient {
  redis: Redis;
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
export async function startStore(options: { appendonly?: boolean } = {}): Promise<StoreHarness> {
  const server = await startRedis(options);
  const connections: Redis[] = [];
  const connect = (): Redis => {
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
    clear: async () => void (await first.redis.flushall()),
    stop: async () => {
      for (const redis of connections) redis.disconnect();
      await server.stop();
    },
  };
}

/** Waits until a check passes, at most as long as a busy machine may take. */
export async function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 20_000 });
}

/** Everything a store holds, read past the store. */
export interface StoreContent {
  records: Map<string, Records[RecordKind]>;
  /** By shard, in the order of the log. */
  events: Map<number, { sequence: number; event: RiveraEvent }[]>;
}

/**
 * Reads everything and fails unless it fits together: versions are those of the records, every record is listed, the
 * indexes are exactly what the records say, sequences are consecutive up to the number the shard remembers.
 */
export async function checkedContent(redis: Redis): Promise<StoreContent> {
  const content: StoreContent = { records: new Map(), events: new Map() };
  for (const shard of ALL_SHARDS) await checkShard(redis, shard, content);
  return content;
}

async function checkShard(redis: Redis, shard: number, content: StoreContent): Promise<void> {
  const expected: string[] = [];
  for (const kind of KINDS) {
    const [values, ids] = await Promise.all([
      redis.hgetall(shardKey(shard, kind)),
      redis.zrange(shardKey(shard, `ids:${kind}`), 0, '-1'),
    ]);
    // Run halves are found by their scheduling halves.
    expect(ids).toEqual(kind === 'run' ? [] : Object.keys(values).toSorted());
    for (const [id, value] of Object.entries(values)) {
      const record = JSON.parse(value.slice(value.indexOf(' ') + 1)) as Records[typeof kind];
      const { epoch, index } = record.modificationTag;
      expect(value.slice(0, value.indexOf(' '))).toBe(`${epoch}:${index}`);
      content.records.set(`${kind} ${id}`, record);
      for (const entry of indexEntries(kind, record))
        expected.push(`${entry.index} ${entry.member} ${entry.score}`);
    }
  }
  const found: string[] = [];
  for (const index of INDEXES) {
    const flat = await redis.zrange(shardKey(shard, index), 0, '-1', 'WITHSCORES');
    for (let i = 0; i < flat.length; i += 2) found.push(`${index} ${flat[i]} ${flat[i + 1]}`);
  }
  expect(found.toSorted()).toEqual(expected.toSorted());

  const entries = await redis.xrange(shardKey(shard, 'events'), '-', '+');
  const events = entries.flatMap(([id, fields]) => {
    const list = JSON.parse(fields[fields.indexOf('events') + 1]!) as (RiveraEvent & {
      replacedRun?: object;
    })[];
    const end = Number(id.split('-')[0]);
    return list.map(({ replacedRun: _ofTheLog, ...event }, i) => ({
      sequence: end - list.length + 1 + i,
      event,
    }));
  });
  const last = Number(await redis.hget(shardKey(shard, 'meta'), 'seq'));
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, i) => last - events.length + 1 + i));
  if (events.length > 0) content.events.set(shard, events);
}
