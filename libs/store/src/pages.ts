import type { RecordKind, Records } from '#rivera/lifecycle';
import { RiveraError } from '#rivera/models';
import { ALL_SHARDS, SHARD_COUNT } from './shards.js';
import type { Store } from './store.js';
import type { Stored } from './stored.js';

export interface PageRequest {
  /** Opaque position of the last item of the page before. */
  after?: string;
  limit: number;
}

export interface Page<T> {
  items: T[];
  /** Where the next page starts; absent on the last one. */
  next?: string;
}

/** Shards that are asked at the same time. */
const SHARDS_AT_ONCE = 8;

/**
 * Records of one kind in a fixed order (shard, then identity). A record that stays is on exactly one page, whatever is
 * written meanwhile; one that is created or removed meanwhile may be seen or not.
 */
export async function pageOfKind<K extends RecordKind>(
  store: Store,
  kind: K,
  { after, limit }: PageRequest,
): Promise<Page<Stored<Records[K]>>> {
  let { shard, id } = after === undefined ? { shard: 0, id: undefined } : decodePosition(after);
  const items: Stored<Records[K]>[] = [];
  while (shard < SHARD_COUNT) {
    const some = ALL_SHARDS.slice(shard, shard + SHARDS_AT_ONCE);
    const listed = await Promise.all(
      some.map((each) => store.ids(each, kind, { after: each === shard ? id : undefined, limit })),
    );
    let last: RecordPlace | undefined;
    let wanted = limit - items.length;
    const reads = listed.map((found, i) => {
      const ids = found.slice(0, wanted);
      wanted -= ids.length;
      if (ids.length > 0) last = { shard: some[i]!, id: ids.at(-1)! };
      return store.getStored(some[i]!, kind, ids);
    });
    for (const stored of await Promise.all(reads)) items.push(...stored);
    if (wanted === 0 && last !== undefined) return { items, next: positionAfter(last) };
    shard += some.length;
    id = undefined;
  }
  return { items };
}

/** The same page for those who look at every record. */
export function recordsOf<R extends object>({ items, ...rest }: Page<Stored<R>>): Page<R> {
  return { ...rest, items: items.map(({ record }) => record) };
}

type RecordPlace = Pick<Stored, 'shard' | 'id'>;

/** The `after` of a page that begins behind a record. */
export function positionAfter({ shard, id }: RecordPlace): string {
  return Buffer.from(`${shard} ${id}`).toString('base64url');
}

function decodePosition(position: string): { shard: number; id: string } {
  const [, shard, id] = /^(\d+) (.+)$/s.exec(Buffer.from(position, 'base64url').toString()) ?? [];
  if (shard === undefined || id === undefined || Number(shard) >= SHARD_COUNT) {
    throw new RiveraError(
      'invalid-request',
      'The page position in `after` is not one that a list gave as `next`.',
      {
        fields: [{ field: 'after', rule: 'cursor', message: 'must be the `next` of an earlier page' }],
      },
    );
  }
  return { shard: Number(shard), id };
}
