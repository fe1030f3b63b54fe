import {
  eventsOf,
  type IndexName,
  keepUnknownFields,
  RECORD_KINDS,
  recordId,
  type RecordKind,
  type Records,
  type Transition,
} from '#rivera/lifecycle';
import { RiveraError } from '#rivera/models';
import { type RedisClient, type ReplicationConfig } from '#rivera/platform';
import { CommitBatch, type Fence } from './commit-batch.js';
import { CommitGate } from './commit-gate.js';
import { loggedForm } from './log-entry.js';
import { orUnavailable } from './redis.js';
import { type CommitReply, ReplicatedCommits } from './replicated-commits.js';
import { FIRST_SCHEMA, type Migration, Schema } from './schema.js';
import { SchemaVersions } from './schema-versions.js';
import { ALL_SHARDS, shardKey } from './shards.js';
import { type Form, JsonTexts, Stored } from './stored.js';

/** A record by kind and identity. */
export interface RecordRef<K extends RecordKind = RecordKind> {
  kind: K;
  id: string;
}

export interface StoreOptions {
  redis: RedisClient;
  /** Events kept per shard (about); older ones can no longer be resumed from. @defaultValue 4000 */
  keptEvents?: number;
  /** On how many replicas a commit has to be before it is acknowledged. @defaultValue none */
  replication?: ReplicationConfig;
  /** Steps of the schema. @defaultValue those of this version */
  migrations?: readonly Migration[];
}

/** What a commit does beside the changes of its transition. */
export interface CommitOptions {
  fence?: Fence;
  /** Of the request that wants it, for the events; absent when nobody has asked. */
  traceId?: string;
  /** Records the decision rested on without changing them: they must still have this version, or be absent without one. */
  unchanged?: { kind: RecordKind; id: string; version?: string }[];
  /** How many records of a kind have an identity that begins like this: none may have come since they were listed. */
  counts?: { kind: RecordKind; prefix: string; count: number }[];
  /** Members of ordered sets that must still have this score. */
  scores?: { set: string; member: string; score: number }[];
  /** Ordered-set writes that no record implies; without a score the member goes. */
  sets?: { set: string; member: string; score?: number }[];
  /** So many numbers of events are given to none, so that whoever has read up to one of them is told to list again. */
  skippedEvents?: number;
  /** Records that are written in the form of this program and are otherwise as they were. */
  rewritten?: { kind: RecordKind; stored: Stored }[];
  /** What the shard remembers of the form of all its records, see `SchemaVersions`. */
  schemaMark?: string;
}

export interface TransactOptions extends CommitOptions {
  /** Beside the records asked for, all of this kind whose identity begins like this; when committed, none may have come. */
  allOf?: { kind: RecordKind; prefix: string };
  /** Given what is known of the JSON of the records, for those who need it as well. */
  texts?: JsonTexts;
  /** For a rule that creates: decided first as if nothing had been found, which the commit then finds true or not. */
  isNew?: boolean;
}

/** The records asked for, as far as they exist. */
export type Lookup = <K extends RecordKind>(kind: K, id: string) => Stored<Records[K]> | undefined;

/** Records by kind and identity. */
type Found = Map<string, Stored>;

/** What a decision rests on. */
interface Read {
  found: Found;
  /** Identities of those that nobody asked for by name. */
  listed: string[];
}

const NOTHING: Read = { found: new Map(), listed: [] };

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
  readonly redis: RedisClient;
  readonly schema: Schema;
  readonly versions: SchemaVersions;
  private readonly forms = new Map<RecordKind, Form>();
  private readonly keptEvents: number;
  private readonly gate = new CommitGate();
  /** Nobody knows yet whether what is in Redis can be read. */
  private isOpening = false;
  private readonly send: (shard: number, keys: string[], args: string[]) => Promise<CommitReply>;

  constructor({ redis, keptEvents = 4_000, replication, migrations }: StoreOptions) {
    this.schema = new Schema(migrations);
    this.versions = new SchemaVersions(redis, this.schema.version);
    // While there is one form only, nobody need look which one a record has.
    for (const kind of this.schema.version === FIRST_SCHEMA ? [] : RECORD_KINDS)
      this.forms.set(kind, { kind, schema: this.schema });
    this.redis = redis;
    const replicated = replication?.replicas ? new ReplicatedCommits(redis, replication) : undefined;
    this.send = (shard, keys, args) =>
      replicated?.commit(shard, keys, args) ?? redis.riveraCommit(keys.length, keys, args);
    this.keptEvents = keptEvents;
  }

  /**
   * Makes itself known to the store; until it has succeeded nothing is committed. Errors: `unavailable` (try again),
   * `unsupported` (laid out in another way, or of a schema more than one version away from that of this program or of
   * another one that runs).
   */
  async open(): Promise<void> {
    this.isOpening = true;
    await this.versions.announce();
    this.isOpening = false;
  }

  /** Writes a transition whose changes all belong to `shard`. False: a record has changed since it was read. */
  async commit(
    shard: number,
    transition: Transition,
    options: CommitOptions = {},
    texts = new JsonTexts(),
  ): Promise<boolean> {
    if (this.isOpening) {
      const sentence = 'The store has not answered since this process began. Try again in a moment.';
      throw new RiveraError('unavailable', sentence);
    }
    const batch = new CommitBatch(shard, texts, this.schema.version);
    const changes = transition.map(keepUnknownFields);
    for (const change of changes) batch.addChange(change);
    for (const { kind, stored } of options.rewritten ?? []) batch.addRewrite(kind, stored);
    if (options.schemaMark !== undefined) batch.setSchema(options.schemaMark);
    for (const { kind, id, version } of options.unchanged ?? []) batch.addVersionCheck(kind, id, version);
    for (const { kind, prefix, count } of options.counts ?? []) batch.addCountCheck(kind, prefix, count);
    for (const { set, member, score } of options.scores ?? []) batch.addScoreCheck(set, member, score);
    for (const { set, member, score } of options.sets ?? []) batch.addSetWrite(set, member, score);
    if (options.skippedEvents !== undefined) batch.skipEvents(options.skippedEvents);
    const events = eventsOf(changes).map((event) => texts.ofFields(loggedForm(event, changes)));
    const { fence, traceId } = options;
    const { keys, args } = batch.build({ fence, keptEvents: this.keptEvents, traceId }, events);

    const [ok, reason, detail] = await this.gate.pass(() =>
      orUnavailable(() => this.send(shard, keys, args)),
    );
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
   *
   * @param decide is given what was asked for and, with `allOf`, the identities that were found
   */
  async transact(
    shard: number,
    refs: RecordRef[],
    decide: (lookup: Lookup, listed: string[]) => Transition,
    { allOf, texts = new JsonTexts(), isNew = false, ...options }: TransactOptions = {},
  ): Promise<Transition> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const isGuess = isNew && attempt === 0;
      const { found, listed } = isGuess ? NOTHING : await this.read(shard, refs, allOf);
      const transition = decide(
        (kind, id) => found.get(`${kind} ${id}`) as Stored<Records[typeof kind]> | undefined,
        listed,
      );
      if (transition.length === 0 && options.sets === undefined) return [];
      const read = allOf === undefined ? refs : [...refs, ...refsOf(allOf.kind, listed)];
      const guards = {
        ...options,
        unchanged: unchangedOf(read, found, transition),
        counts: allOf && [{ ...allOf, count: listed.length }],
      };
      rememberSeen(texts, found);
      if (await this.commit(shard, transition, guards, texts)) return transition;
    }
    throw new RiveraError(
      'conflict',
      'Too many writers change this record at the same time. Try again in a moment.',
    );
  }

  /** One record. */
  async get<K extends RecordKind>(shard: number, kind: K, id: string): Promise<Records[K] | undefined> {
    const [stored] = await this.getStored(shard, kind, [id]);
    return stored?.record;
  }

  /** Several records of one kind, those that exist, in the order asked. */
  async getAll<K extends RecordKind>(shard: number, kind: K, ids: string[]): Promise<Records[K][]> {
    return (await this.getStored(shard, kind, ids)).map(({ record }) => record);
  }

  /** The same for those who may do without parsing them. */
  async getStored<K extends RecordKind>(
    shard: number,
    kind: K,
    ids: string[],
  ): Promise<Stored<Records[K]>[]> {
    const slices: string[][] = [];
    for (let at = 0; at < ids.length; at += READ_LIMIT) slices.push(ids.slice(at, at + READ_LIMIT));
    const key = shardKey(shard, kind);
    const found = await orUnavailable(() =>
      Promise.all(
        slices.map(async (slice) => {
          const values = await this.redis.hmget(key, ...slice);
          return values.flatMap((value, i) =>
            value === null ? [] : [this.stored(shard, kind, slice[i]!, value)],
          );
        }),
      ),
    );
    return found.length === 1 ? found[0]! : found.flat();
  }

  /** A record as this program sees it. */
  stored<K extends RecordKind>(shard: number, kind: K, id: string, value: string): Stored<Records[K]> {
    return new Stored<Records[K]>(shard, id, value, undefined, this.forms.get(kind));
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

  /** Several records of any kind, those that exist. */
  private async find(shard: number, refs: RecordRef[]): Promise<Found> {
    const idsByKind = new Map<RecordKind, string[]>();
    for (const { kind, id } of refs) {
      const ids = idsByKind.get(kind);
      if (ids === undefined) idsByKind.set(kind, [id]);
      else ids.push(id);
    }
    const found: Found = new Map();
    await Promise.all(
      [...idsByKind].map(async ([kind, ids]) => {
        for (const stored of await this.getStored(shard, kind, ids))
          found.set(`${kind} ${stored.id}`, stored);
      }),
    );
    return found;
  }

  private async read(shard: number, refs: RecordRef[], allOf: TransactOptions['allOf']): Promise<Read> {
    if (allOf === undefined) return { found: await this.find(shard, refs), listed: [] };
    const { kind, prefix } = allOf;
    const [asked, listed] = await Promise.all([
      this.find(shard, refs),
      this.ids(shard, kind, { prefix }).then((ids) => this.find(shard, refsOf(kind, ids))),
    ]);
    const found: Found = new Map([...asked, ...listed]);
    return { found, listed: [...listed.values()].map(({ id }) => id) };
  }
}

function refsOf(kind: RecordKind, ids: string[]): RecordRef[] {
  return ids.map((id) => ({ kind, id }));
}

/** What was read and is not written. */
function unchangedOf(read: RecordRef[], found: Found, transition: Transition): CommitOptions['unchanged'] {
  const written = new Set(transition.map((change) => `${change.kind} ${recordId(change)}`));
  return read
    .filter(({ kind, id }) => !written.has(`${kind} ${id}`))
    .map(({ kind, id }) => ({ kind, id, version: found.get(`${kind} ${id}`)?.version }));
}

/** The texts of those records that a rule has seen, which are what it can have put into a transition unchanged. */
function rememberSeen(texts: JsonTexts, found: Found): void {
  for (const stored of found.values()) if (stored.isParsed) texts.remember(stored);
}
