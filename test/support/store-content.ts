import { indexEntries, type RecordKind, type Records } from '#rivera/lifecycle';
import type { RiveraEvent } from '#rivera/models';
import type { RedisClient } from '#rivera/platform';
import { shardKey } from '#rivera/store';

const KINDS: RecordKind[] = ['desired', 'run', 'actual', 'task', 'cell', 'domain', 'deployment'];
const INDEXES = ['by-cell', 'unplaced', 'evacuating', 'due', 'callback'] as const;

/** What one moment left in a shard, read past the store. */
export interface ShardContent {
  /** By `<kind> <id>`. */
  records: Map<string, Records[RecordKind]>;
  /** Those that are still kept. */
  events: { sequence: number; event: RiveraEvent }[];
  /** Of the last event, as the shard remembers it. */
  sequence: number;
  /** What does not fit together, in words. */
  faults: string[];
}

/**
 * Reads a shard and says what does not fit together: versions are those of the records, every record is listed, the
 * indexes are exactly what the records say, sequences are consecutive up to the number the shard remembers.
 *
 * @param options.isLive a converger is at work, which puts off what stays due
 */
export async function readShard(
  redis: RedisClient,
  shard: number,
  { isLive = false }: { isLive?: boolean } = {},
): Promise<ShardContent> {
  const key = (name: string): string => shardKey(shard, name);
  const transaction = redis.multi();
  for (const kind of KINDS) transaction.hgetall(key(kind)).zrange(key(`ids:${kind}`), 0, '-1');
  for (const index of INDEXES) transaction.zrange(key(index), 0, '-1', 'WITHSCORES');
  transaction.xrange(key('events'), '-', '+').hget(key('meta'), 'seq');
  const answers = ((await transaction.exec()) ?? []).map(([error, answer]) => {
    if (error) throw error;
    return answer;
  });

  const content: ShardContent = { records: new Map(), events: [], sequence: 0, faults: [] };
  const expected = new Map<string, number>();
  for (const kind of KINDS) {
    const values = answers.shift() as Record<string, string>;
    const ids = answers.shift() as string[];
    // Run halves are found by their scheduling halves.
    const listed = kind === 'run' ? [] : Object.keys(values).toSorted();
    if (ids.join() !== listed.join())
      content.faults.push(`shard ${shard} lists ${kind} ${differ(ids, listed)}`);
    for (const [id, value] of Object.entries(values)) {
      const record = JSON.parse(value.slice(value.indexOf(' ') + 1)) as Records[typeof kind];
      const { epoch, index } = record.modificationTag;
      const version = value.slice(0, value.indexOf(' '));
      if (version !== `${epoch}:${index}`) {
        content.faults.push(`${kind} ${id} has version ${version} but tag ${epoch}:${index}`);
      }
      content.records.set(`${kind} ${id}`, record);
      for (const entry of indexEntries(kind, record))
        expected.set(`${entry.index} ${entry.member}`, entry.score);
    }
  }
  const found = new Map<string, number>();
  for (const index of INDEXES) {
    const flat = answers.shift() as string[];
    for (let i = 0; i < flat.length; i += 2) found.set(`${index} ${flat[i]}`, Number(flat[i + 1]));
  }
  content.faults.push(...indexFaults(shard, expected, found, isLive));

  const entries = answers.shift() as [id: string, fields: string[]][];
  content.sequence = Number(answers.shift());
  content.events = entries.flatMap((entry) => eventsOfEntry(entry).events);
  const first = content.sequence - content.events.length + 1;
  if (content.events.some(({ sequence }, i) => sequence !== first + i)) {
    const ends = entries.map(([id]) => id.split('-')[0]);
    content.faults.push(
      `the events of shard ${shard} are not numbered up to ${content.sequence}: ` +
        `${content.events.length} in entries that end with ${ends.slice(0, 3).join(', ')} … ${ends.slice(-5).join(', ')}`,
    );
  }
  return content;
}

/** One entry of a shard's log: the events of a commit, or some of them; `atMs` by Redis' clock. */
export function eventsOfEntry([id, fields]: [id: string, fields: string[]]): {
  atMs: number;
  events: { sequence: number; event: RiveraEvent }[];
} {
  const list = JSON.parse(fields[fields.indexOf('events') + 1]!) as (RiveraEvent & {
    replacedRun?: object;
  })[];
  const end = Number(id.split('-')[0]);
  return {
    atMs: Number(fields[fields.indexOf('at') + 1]),
    events: list.map(({ replacedRun: _ofTheLog, ...event }, i) => ({
      sequence: end - list.length + 1 + i,
      event,
    })),
  };
}

function indexFaults(
  shard: number,
  expected: ReadonlyMap<string, number>,
  found: ReadonlyMap<string, number>,
  isLive: boolean,
): string[] {
  const missing = [...expected].flatMap(([entry, score]) => {
    const there = found.get(entry);
    const mayBeLater = isLive && entry.startsWith('due ');
    if (there === undefined) return [`index entry ${entry} of shard ${shard} is missing`];
    if (there === score || (mayBeLater && there > score)) return [];
    return [`index entry ${entry} of shard ${shard} is ${there} instead of ${score}`];
  });
  const leaked = [...found.keys()].filter((entry) => !expected.has(entry));
  return [...missing, ...leaked.map((entry) => `index entry ${entry} of shard ${shard} has no record`)];
}

function differ(found: readonly string[], expected: readonly string[]): string {
  const there = new Set(found);
  const wanted = new Set(expected);
  const missing = expected.filter((id) => !there.has(id));
  const leaked = found.filter((id) => !wanted.has(id));
  return `without ${JSON.stringify(missing)} and with ${JSON.stringify(leaked)}`;
}
