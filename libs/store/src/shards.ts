/** Work shards; fixed for the life of a deployment and checked when a store is opened. */
export const WORK_SHARDS = 64;
/** Cells and domains live in a shard of their own. */
export const CELLS_SHARD = WORK_SHARDS;
/** All shards, the cells' included. */
export const SHARD_COUNT = WORK_SHARDS + 1;

export const ALL_SHARDS: readonly number[] = Array.from({ length: SHARD_COUNT }, (_, shard) => shard);
export const WORK_SHARD_IDS: readonly number[] = ALL_SHARDS.slice(0, WORK_SHARDS);

/** The shard of a process guid or task guid (FNV-1a, so that every component agrees without asking). */
export function shardOf(guid: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < guid.length; i++) {
    hash ^= guid.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return (hash >>> 0) % WORK_SHARDS;
}

/** A key of a shard. Everything of a shard carries one hash tag, so that a commit is atomic on a Redis Cluster too. */
export function shardKey(shard: number, name: string): string {
  const tag = shard === CELLS_SHARD ? 'cells' : `s${String(shard).padStart(2, '0')}`;
  return `rivera:{${tag}}:${name}`;
}
