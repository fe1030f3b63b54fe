import { indexEntries, INDEXES, ownerOf, type RecordKind, type Records, restsUntil } from '#rivera/lifecycle';
import {
  type Fence,
  idsOfRecords,
  LISTED_KINDS,
  outlineOf,
  type ShardOutline,
  type Store,
} from '#rivera/store';

type Kind = (typeof LISTED_KINDS)[number];

/** A member that an index lacks, or has in vain. */
interface Damage {
  set: string;
  member: string;
  /** Absent: it does not belong there. */
  score?: number;
  owner: { kind: RecordKind; id: string };
}

/** Everything that is listed in a shard. */
export type ListedRecords = { [K in Kind]: Records[K][] };

/** Versions of the records that damage was found by. */
const versionOf = ({ modificationTag: { epoch, index } }: Records[Kind]) => `${epoch}:${index}`;
const idOf: { [K in Kind]: (record: Records[K]) => string } = {
  desired: ({ processGuid }) => processGuid,
  deployment: ({ processGuid }) => processGuid,
  task: ({ taskGuid }) => taskGuid,
  actual: ({ processGuid, index, presence }) => `${processGuid}/${index}/${presence}`,
};

/** From when on the mere passing of time may matter to something of the shard. */
export function shardRestsUntil({ actual, task, deployment }: ListedRecords): number {
  // What a deployment waits for is elsewhere.
  if (deployment.length > 0) return 0;
  let until = Infinity;
  for (const record of actual) until = Math.min(until, restsUntil('actual', record));
  for (const record of task) until = Math.min(until, restsUntil('task', record));
  return until;
}

/**
 * Compares the indexes of a shard with its records and mends what is wrong. Commits keep them together; this is for what
 * happened to the store behind their back. Nothing is done while the shard is being written to: the two have to be of one
 * moment to be compared, and there is another time. Returns how many members were mended.
 */
export async function mendIndexes(
  store: Store,
  shard: number,
  { records, before, fence }: { records: ListedRecords; before: ShardOutline; fence: Fence },
): Promise<number> {
  const found = await Promise.all(INDEXES.map((index) => store.membersByName(shard, index)));
  const lists = await listingsOf(store, shard, before);
  const after = await outlineOf(store, shard);
  if (after.sequence !== before.sequence) return 0;

  const versions = new Map<string, string>();
  const expected = new Map<string, Map<string, number>>(INDEXES.map((index) => [index, new Map()]));
  for (const kind of LISTED_KINDS) {
    for (const record of records[kind]) {
      versions.set(`${kind} ${(idOf[kind] as (record: Records[Kind]) => string)(record)}`, versionOf(record));
      for (const { index, member, score } of indexEntries(kind, record))
        expected.get(index)!.set(member, score);
    }
  }
  // What is not listed was not read either: what its members should be is for the next time.
  const unread = new Set<string>();
  for (const { owner, version } of lists) {
    if (version === undefined) continue;
    versions.set(`${owner.kind} ${owner.id}`, version);
    unread.add(`${owner.kind} ${owner.id}`);
  }
  const damages: Damage[] = [...lists];
  for (const [i, index] of INDEXES.entries()) {
    const wanted = expected.get(index)!;
    const there = new Set(found[i]);
    for (const [member, score] of wanted) {
      if (!there.has(member)) damages.push({ set: index, member, score, owner: ownerOf(index, member) });
    }
    for (const member of there) {
      const owner = ownerOf(index, member);
      const isInVain = !wanted.has(member) && !unread.has(`${owner.kind} ${owner.id}`);
      if (isInVain) damages.push({ set: index, member, owner });
    }
  }
  let mended = 0;
  for (const { set, member, score, owner } of damages) {
    // Whoever has changed the record since has put its members right.
    const version = versions.get(`${owner.kind} ${owner.id}`);
    const options = { fence, unchanged: [{ ...owner, version }], sets: [{ set, member, score }] };
    if (await store.commit(shard, [], options)) mended += 1;
  }
  return mended;
}

/** Records that are not listed, with their versions, and identities without a record. */
async function listingsOf(
  store: Store,
  shard: number,
  { sizes }: ShardOutline,
): Promise<(Damage & { version?: string })[]> {
  const damages: (Damage & { version?: string })[] = [];
  for (const kind of LISTED_KINDS) {
    const set = `ids:${kind}`;
    if (sizes[kind] === sizes[set]) continue;
    const [ids, listed] = await Promise.all([idsOfRecords(store, shard, kind), store.ids(shard, kind)]);
    const [there, known] = [new Set(ids), new Set(listed)];
    const unlisted = ids.filter((id) => !known.has(id));
    for (const { id, version } of await store.getStored(shard, kind, unlisted))
      damages.push({ set, member: id, score: 0, owner: { kind, id }, version });
    for (const id of listed) if (!there.has(id)) damages.push({ set, member: id, owner: { kind, id } });
  }
  return damages;
}
