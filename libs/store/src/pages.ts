import type { RecordKind, Records } from '#rivera/lifecycle';
import { RiveraError } from '#rivera/models';
import { SHARD_COUNT } from './shards.js';
import type { Store } from './store.js';

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

/**
 * Records of one kind in a fixed order (shard, then identity). A record that stays is on exactly one page, whatever is
 * written meanwhile; one that is created or removed meanwhile may be seen or not.
 */
export async function pageOfKind<K extends RecordKind>(
  store: Store,
  kind: K,
  { after, limit }: PageRequest,
): Promise<Page<Records[K]>> {
  let { shard, id } = after === undefined ? { shard: 0, id: undefined } : decodePosition(after);
  const items: Records[K][] = [];
  while (shard < SHARD_COUNT) {
    const wanted = limit - items.length;
    const ids = await store.ids(shard, kind, { after: id, limit: wanted });
    items.push(...(await store.getAll(shard, kind, ids)));
    const last = ids.at(-1);
    if (ids.length === wanted && last !== undefined) return { items, next: encodePosition(shard, last) };
    shard += 1;
    id = undefined;
  }
  return { items };
}

function encodePosition(shard: number, id: string): string {
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
