import { INDEXES, type RecordKind, type Records } from '#rivera/lifecycle';
import { orUnavailable } from './redis.js';
import { shardKey } from './shards.js';
import type { Store } from './store.js';
import type { Stored } from './stored.js';

/** Kinds of records of work, and whether they are listed. */
export const WORK_KINDS = ['desired', 'run', 'actual', 'task', 'deployment'] as const satisfies RecordKind[];
/** Kinds whose identities are in a set beside the records. */
export const LISTED_KINDS = ['desired', 'actual', 'task', 'deployment'] as const satisfies RecordKind[];

/** A work shard from outside. */
export interface ShardOutline {
  /** Number of its last event: as long as it is the same, no commit has changed a record that anybody is told of. */
  sequence: number;
  /** How many records, identities and members of indexes there are, by key. */
  sizes: Record<string, number>;
}

/** At the price of some numbers, however much is in the shard. */
export async function outlineOf({ redis }: Store, shard: number): Promise<ShardOutline> {
  const key = (name: string) => shardKey(shard, name);
  const sets = [...LISTED_KINDS.map((kind) => `ids:${kind}`), ...INDEXES];
  return orUnavailable(async () => {
    const [sequence, ofRecords, ofSets] = await Promise.all([
      redis.hget(key('meta'), 'seq'),
      Promise.all(WORK_KINDS.map((kind) => redis.hlen(key(kind)))),
      Promise.all(sets.map((set) => redis.zcard(key(set)))),
    ]);
    return {
      sequence: Number(sequence),
      sizes: Object.fromEntries([
        ...WORK_KINDS.map((kind, i) => [kind, ofRecords[i]!] as const),
        ...sets.map((set, i) => [set, ofSets[i]!] as const),
      ]),
    };
  });
}

/** The identities of all records of a kind, whether or not they are listed. */
export async function idsOfRecords({ redis }: Store, shard: number, kind: RecordKind): Promise<string[]> {
  return orUnavailable(() => redis.hkeys(shardKey(shard, kind)));
}

/** Some records of a kind, by a cursor that begins and ends as '0'; all that stay are seen at least once. */
export async function scanRecords<K extends RecordKind>(
  store: Store,
  shard: number,
  kind: K,
  { cursor, count }: { cursor: string; count: number },
): Promise<{ cursor: string; records: Stored<Records[K]>[] }> {
  const [next, flat] = await orUnavailable(() =>
    store.redis.hscan(shardKey(shard, kind), cursor, 'COUNT', count),
  );
  const records: Stored<Records[K]>[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2)
    records.push(store.stored(shard, kind, flat[i]!, flat[i + 1]!));
  return { cursor: next, records };
}

/** What a shard remembers of the form of all its records. */
export async function schemaMarkOf({ redis }: Store, shard: number): Promise<string | undefined> {
  return (await orUnavailable(() => redis.hget(shardKey(shard, 'meta'), 'schema'))) ?? undefined;
}
