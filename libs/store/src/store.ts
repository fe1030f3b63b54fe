import type { Redis } from 'ioredis';
import {
  eventsOf,
  indexEntries,
  type IndexEntry,
  type IndexName,
  recordId,
  type RecordChange,
  type RecordKind,
  type Records,
  type Transition,
} from '#rivera/lifecycle';
import { type ModificationTag, RiveraError } from '#rivera/models';
import { orUnavailable } from './redis.js';
import { ALL_SHARDS, SHARD_COUNT, shardKey } from './shards.js';

/** Channel on which a commit says which shard has new events. The message is the shard's number. */
export const WAKE_CHANNEL = 'rivera:events';

/** Where a writer that holds a lease, or a cell's agent, stands: shards refuse tokens lower than the highest they saw. */
export interface Fence {
  role: string;
  token: number;
}

/** A record by kind and identity. */
export interface RecordRef<K extends RecordKind = RecordKind> {
  kind: K;
  id: string;
}

export interface StoreOptions {
  redis: Redis;
  /** Events kept per shard (about); older ones can no longer be resumed from. @defaultValue 4000 */
  keptEvents?: number;
}

/** What a commit does beside the changes of its transition. */
export interface CommitOptions {
  fence?: Fence;
  /** Records the decision rested on without changing them: they must still be as read. */
  unchanged?: { kind: RecordKind; id: string; tag?: ModificationTag }[];
  /** How many records of a kind have an identity that begins like this: none may have come since they were listed. */
  counts?: { kind: RecordKind; prefix: string; count: number }[];
  /** Members of ordered sets that must still have this score. */
  scores?: { set: string; member: string; score: number }[];
  /** Ordered-set writes that no record implies; without a score the member goes. */
  sets?: { set: string; member: string; score?: number }[];
}

export interface TransactOptions extends CommitOptions {
  /** The records asked for are all of this kind whose identity begins like this, and must still be. */
  allOf?: { kind: RecordKind; prefix: string };
}

/** Reads the records asked for. */
export type Lookup = <K extends RecordKind>(kind: K, id: string) => Records[K] | undefined;

const MAX_ATTEMPTS = 50;
/** Records asked of Redis in one command. */
const READ_LIMIT = 5_000;

/**
 * The store of record. Every shard holds hashes of records by kind, ordered sets (identities, indexes) and one event
 * stream. Everything is written by `commit`: all of a transition with its index entries and events, or nothing.
 *
 * Errors: `unavailable` (Redis does not answer; whether a commit was applied is then unknown: read again), `fenced`,
 * `conflict` (only when many writers fight over one record for long).
 */
export class Store {
  readonly redis: Redis;
  private readonly keptEvents: number;

  constructor({ redis, keptEvents = 4_000 }: StoreOptions) {
    this.redis = redis;
    this.keptEvents = keptEvents;
  }

  /** Checks that this deployment was made with the same number of shards; the first to open it decides. */
  async open(): Promise<void> {
    const wanted = JSON.stringify({ shards: SHARD_COUNT - 1, schema: 1 });
    const found = await orUnavailable(async () => {
      await this.redis.setnx('rivera:{deployment}:layout', wanted);
      return this.redis.get('rivera:{deployment}:layout');
    });
    if (found !== wanted) {
      throw new RiveraError(
        'unsupported',
        `This store was laid out as ${found}, but this version of Rivera needs ${wanted}. ` +
          `Use the version that made it, or an empty Redis.`,
      );
    }
  }

  /** Writes a transition whose changes all belong to `shard`. False: a record has changed since it was read. */
  async commit(shard: number, transition: Transition, options: CommitOptions = {}): Promise<boolean> {
    const batch = new CommitBatch(shard);
    for (const change of transition) batch.addChange(change);
    for (const { kind, id, tag } of options.unchanged ?? []) batch.addVersionCheck(kind, id, tag);
    for (const { kind, prefix, count } of options.counts ?? []) batch.addCountCheck(kind, prefix, count);
    for (const { set, member, score } of options.scores ?? []) batch.addScoreCheck(set, member, score);
    for (const { set, member, score } of options.sets ?? []) batch.addSetWrite(set, member, score);
    const events = eventsOf(transition).map((event) => JSON.stringify(event));
    const { keys, args } = batch.build(options.fence, this.keptEvents, events);

    const [ok, reason, detail] = await orUnavailable(() => this.redis.riveraCommit(keys.length, keys, args));
    if (ok === 1) return true;
    if (reason === 'fenced') {
      throw new RiveraError(
        'fenced',
        `${options.fence?.role} with token ${options.fence?.token} has been replaced by token ${detail}. Stop writing.`,
      );
    }
    return false;
  }

  /**
   * Read, decide, commit; again from the start when a record has changed in between. `decide` must be pure: it may run
   * several times. Every record read is guarded, so the decision holds at the moment it is committed.
   */
  async transact(
    shard: number,
    refs: RecordRef[] | (() => Promise<RecordRef[]>),
    decide: (lookup: Lookup) => Transition,
    { allOf, ...options }: TransactOptions = {},
  ): Promise<Transition> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const wanted = typeof refs === 'function' ? await refs() : refs;
      const found = await this.getMany(shard, wanted);
      const transition = decide((kind, id) => found.get(`${kind} ${id}`) as Records[typeof kind] | undefined);
      if (transition.length === 0 && options.sets === undefined) return [];
      const written = new Set(transition.map((change) => `${change.kind} ${recordId(change)}`));
      const unchanged = wanted
        .filter(({ kind, id }) => !written.has(`${kind} ${id}`))
        .map(({ kind, id }) => ({ kind, id, tag: tagOf(found.get(`${kind} ${id}`)) }));
      const counts = allOf && [{ ...allOf, count: countOf(found, allOf) }];
      if (await this.commit(shard, transition, { ...options, unchanged, counts })) return transition;
    }
    throw new RiveraError(
      'conflict',
      'Too many writers change this record at the same time. Try again in a moment.',
    );
  }

  /** One record. */
  async get<K extends RecordKind>(shard: number, kind: K, id: string): Promise<Records[K] | undefined> {
    const value = await orUnavailable(() => this.redis.hget(shardKey(shard, kind), id));
    return decode<Records[K]>(value);
  }

  /** Several records of one kind, those that exist, in the order asked. */
  async getAll<K extends RecordKind>(shard: number, kind: K, ids: string[]): Promise<Records[K][]> {
    const values = await orUnavailable(() => this.values(shard, kind, ids));
    return values.map((value) => decode<Records[K]>(value)).filter((record) => record !== undefined);
  }

  /** Identities of a kind in order: those that begin with `prefix`, after `after`, at most `limit`. */
  async ids(
    shard: number,
    kind: RecordKind,
    { prefix = '', after, limit = -1 }: { prefix?: string; after?: string; limit?: number } = {},
  ): Promise<string[]> {
    return this.membersByName(shard, `ids:${kind}`, { prefix, after, limit });
  }

  /** Members of an index in order of their names. */
  async membersByName(
    shard: number,
    set: string,
    { prefix = '', after, limit = -1 }: { prefix?: string; after?: string; limit?: number } = {},
  ): Promise<string[]> {
    const from = after === undefined ? (prefix === '' ? '-' : `[${prefix}`) : `(${after}`;
    const to = prefix === '' ? '+' : `[${prefix}\xff`;
    return orUnavailable(() => this.redis.zrangebylex(shardKey(shard, set), from, to, 'LIMIT', 0, limit));
  }

  /** Members of an index whose score is at most `upTo`, lowest first, at most `limit`, with their scores. */
  async membersByScore(
    shard: number,
    set: IndexName | 'presence',
    upTo: number,
    limit = 1_000,
  ): Promise<{ member: string; score: number }[]> {
    const flat = await orUnavailable(() =>
      this.redis.zrangebyscore(shardKey(shard, set), '-inf', upTo, 'WITHSCORES', 'LIMIT', 0, limit),
    );
    const members: { member: string; score: number }[] = [];
    for (let i = 0; i + 1 < flat.length; i += 2)
      members.push({ member: flat[i]!, score: Number(flat[i + 1]) });
    return members;
  }

  /** How many members an index has. */
  async count(shard: number, set: IndexName): Promise<number> {
    return orUnavailable(() => this.redis.zcard(shardKey(shard, set)));
  }

  /** Makes every shard refuse writers of this role with a lower token than this one. */
  async fence(fence: Fence): Promise<void> {
    await Promise.all(ALL_SHARDS.map((shard) => this.commit(shard, [], { fence })));
  }

  /** The highest token that any shard has seen of a role, 0 if none has. */
  async highestToken(role: string): Promise<number> {
    const tokens = await orUnavailable(() =>
      Promise.all(ALL_SHARDS.map((shard) => this.redis.hget(shardKey(shard, 'meta'), `fence:${role}`))),
    );
    return Math.max(...tokens.map(Number));
  }

  private async getMany(shard: number, refs: RecordRef[]): Promise<Map<string, Records[RecordKind]>> {
    const idsByKind = new Map<RecordKind, string[]>();
    for (const { kind, id } of refs) {
      const ids = idsByKind.get(kind) ?? [];
      ids.push(id);
      idsByKind.set(kind, ids);
    }
    const found = new Map<string, Records[RecordKind]>();
    await orUnavailable(() =>
      Promise.all(
        [...idsByKind].map(async ([kind, ids]) => {
          const values = await this.values(shard, kind, ids);
          values.forEach((value, i) => {
            const record = decode<Records[RecordKind]>(value);
            if (record !== undefined) found.set(`${kind} ${ids[i]}`, record);
          });
        }),
      ),
    );
    return found;
  }

  private async values(shard: number, kind: RecordKind, ids: string[]): Promise<(string | null)[]> {
    const slices: string[][] = [];
    for (let at = 0; at < ids.length; at += READ_LIMIT) slices.push(ids.slice(at, at + READ_LIMIT));
    const values = await Promise.all(
      slices.map((slice) => this.redis.hmget(shardKey(shard, kind), ...slice)),
    );
    return values.flat();
  }
}

/** Collects the flat arguments of one commit. */
class CommitBatch {
  private readonly keys: string[];
  private readonly positions = new Map<string, string>();
  private readonly checks: string[] = [];
  private readonly writes: string[] = [];

  constructor(private readonly shard: number) {
    this.keys = [shardKey(shard, 'meta'), shardKey(shard, 'events')];
  }

  addChange(change: RecordChange): void {
    const { kind, before, after } = change;
    const id = recordId(change);
    this.addVersionCheck(kind, id, tagOf(before));
    if (after === undefined) {
      this.write('del', kind, id, '');
      this.write('zrem', `ids:${kind}`, id, '');
    } else {
      this.write('set', kind, id, encode(after));
      if (before === undefined) this.write('zadd', `ids:${kind}`, id, '0');
    }
    this.addIndexChanges(indexEntries(kind, before), indexEntries(kind, after));
  }

  addVersionCheck(kind: RecordKind, id: string, tag: ModificationTag | undefined): void {
    this.checks.push('version', this.position(kind), id, tag === undefined ? '' : versionOf(tag));
  }

  addCountCheck(kind: RecordKind, prefix: string, count: number): void {
    this.checks.push('count', this.position(`ids:${kind}`), prefix, String(count));
  }

  addScoreCheck(set: string, member: string, score: number): void {
    this.checks.push('score', this.position(set), member, String(score));
  }

  addSetWrite(set: string, member: string, score: number | undefined): void {
    this.write(score === undefined ? 'zrem' : 'zadd', set, member, score === undefined ? '' : String(score));
  }

  build(fence: Fence | undefined, keptEvents: number, events: string[]): { keys: string[]; args: string[] } {
    const args = [
      fence?.role ?? '',
      fence === undefined ? '' : String(fence.token),
      WAKE_CHANNEL,
      String(this.shard),
      String(keptEvents),
      String(this.checks.length / 4),
      ...this.checks,
      String(this.writes.length / 4),
      ...this.writes,
      String(events.length),
      ...events,
    ];
    return { keys: this.keys, args };
  }

  private addIndexChanges(before: IndexEntry[], after: IndexEntry[]): void {
    const kept = new Map(after.map((entry) => [`${entry.index} ${entry.member}`, entry.score]));
    const known = new Map(before.map((entry) => [`${entry.index} ${entry.member}`, entry.score]));
    for (const { index, member } of before) {
      if (!kept.has(`${index} ${member}`)) this.write('zrem', index, member, '');
    }
    for (const { index, member, score } of after) {
      // Written even when the score is the same, because the converger may have put it off in between.
      if (index === 'due' || known.get(`${index} ${member}`) !== score)
        this.write('zadd', index, member, String(score));
    }
  }

  private write(type: 'set' | 'del' | 'zadd' | 'zrem', name: string, field: string, value: string): void {
    this.writes.push(type, this.position(name), field, value);
  }

  private position(name: string): string {
    let position = this.positions.get(name);
    if (position === undefined) {
      position = String(this.keys.push(shardKey(this.shard, name)));
      this.positions.set(name, position);
    }
    return position;
  }
}

function countOf(
  found: Map<string, unknown>,
  { kind, prefix }: { kind: RecordKind; prefix: string },
): number {
  return [...found.keys()].filter((key) => key.startsWith(`${kind} ${prefix}`)).length;
}

function versionOf(tag: ModificationTag): string {
  return `${tag.epoch}:${tag.index}`;
}

function tagOf(record: Records[RecordKind] | undefined): ModificationTag | undefined {
  return record?.modificationTag;
}

function encode(record: Records[RecordKind]): string {
  return `${versionOf(record.modificationTag)} ${JSON.stringify(record)}`;
}

function decode<R>(value: string | null | undefined): R | undefined {
  return value === null || value === undefined
    ? undefined
    : (JSON.parse(value.slice(value.indexOf(' ') + 1)) as R);
}
