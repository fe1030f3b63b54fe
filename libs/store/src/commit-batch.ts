import {
  indexEntries,
  type IndexEntry,
  type IndexName,
  recordId,
  type RecordChange,
  type RecordKind,
} from '#rivera/lifecycle';
import { shardKey } from './shards.js';
import { type JsonTexts, type Stored, versionOf } from './stored.js';
import { CALLBACK_CHANNEL, EVENTS_CHANNEL } from './wake-ups.js';

/** Where a writer that holds a lease, or a cell's agent, stands: shards refuse tokens lower than the highest they saw. */
export interface Fence {
  role: string;
  token: number;
}

type Check = 'versions' | 'count' | 'score';
type Write = 'HSET' | 'HDEL' | 'HINCRBY' | 'ZADD' | 'ZREM' | 'ZINCRBY';

/** Cell → how often something of it that is in the shard has changed. */
export const CELL_VERSIONS = 'cell-versions';
const BY_CELL: IndexName = 'by-cell';

/** A run half is found by its scheduling half, so nobody lists them. */
const UNLISTED: RecordKind = 'run';
/** Arguments of one command at most; Lua's stack holds some thousands. */
const GROUP_LIMIT = 1_000;
/**
 * Longest entry of the log that is published, in bytes: what one instance does is shorter. Redis hangs up on whoever lets
 * some megabytes of messages wait.
 */
const PUBLISHED_LIMIT = '8192';
/** Events of one entry of the log at most, so that no entry gets huge. */
const EVENTS_PER_ENTRY = 100;

/**
 * Collects the flat arguments of one run of the commit script. What concerns one key goes into one command, because it is
 * commands that cost, here as in the append-only file.
 */
export class CommitBatch {
  private readonly keys: string[];
  private readonly positions = new Map<string, string>();
  private readonly checks = new Groups<Check>();
  private readonly writes = new Groups<Write>();
  private isCallbackWanted = false;
  private readonly changedCells = new Set<string>();

  constructor(
    private readonly shard: number,
    private readonly texts: JsonTexts,
    /** Form of the records that are written. */
    private readonly schema: number,
  ) {
    this.keys = [shardKey(shard, 'meta'), shardKey(shard, 'events')];
  }

  addChange(change: RecordChange): void {
    const { kind, before, after } = change;
    const id = recordId(change);
    this.addVersionCheck(kind, id, before && versionOf(before.modificationTag));
    if (after === undefined) {
      this.write('HDEL', kind, id);
      if (kind !== UNLISTED) this.write('ZREM', `ids:${kind}`, id);
    } else {
      this.write('HSET', kind, id, this.texts.valueOf(after, this.schema));
      if (before === undefined && kind !== UNLISTED) this.write('ZADD', `ids:${kind}`, '0', id);
    }
    const [were, are] = [indexEntries(kind, before), indexEntries(kind, after)];
    for (const { index, member } of [...were, ...are]) this.noteCell(index, member);
    this.addIndexChanges(were, are);
  }

  /** @param version undefined: there must be no such record */
  addVersionCheck(kind: RecordKind, id: string, version: string | undefined): void {
    this.checks.add('versions', this.position(kind), id, version ?? '');
  }

  addCountCheck(kind: RecordKind, prefix: string, count: number): void {
    this.checks.add('count', this.position(`ids:${kind}`), prefix, String(count));
  }

  addScoreCheck(set: string, member: string, score: number): void {
    this.checks.add('score', this.position(set), member, String(score));
  }

  addSetWrite(set: string, member: string, score: number | undefined): void {
    this.noteCell(set, member);
    if (score === undefined) this.write('ZREM', set, member);
    else this.write('ZADD', set, String(score), member);
  }

  /** The same record in the form of this program: to everybody it is what it was, so nobody is told. */
  addRewrite(kind: RecordKind, stored: Stored): void {
    const { id, version, record } = stored;
    this.addVersionCheck(kind, id, version);
    this.write('HSET', kind, id, this.texts.valueOf(record, this.schema));
    const were = indexEntries(kind, stored.asWritten());
    const are = indexEntries(kind, record);
    if (JSON.stringify(were) !== JSON.stringify(are)) this.addIndexChanges(were, are);
  }

  /** Everything of the shard is known to be of this form. */
  setSchema(mark: string): void {
    this.write('HSET', 'meta', 'schema', mark);
  }

  skipEvents(count: number): void {
    this.write('HINCRBY', 'meta', 'seq', String(count));
  }

  /**
   * @param events JSON of each
   * @param traceId of the request that caused them
   */
  build(
    { fence, keptEvents, traceId }: { fence?: Fence; keptEvents: number; traceId?: string },
    events: string[],
  ): { keys: string[]; args: string[] } {
    for (const cellId of this.changedCells) this.write('ZINCRBY', CELL_VERSIONS, '1', cellId);
    const channels = [
      ...(events.length > 0 ? [EVENTS_CHANNEL] : []),
      ...(this.isCallbackWanted ? [CALLBACK_CHANNEL] : []),
    ];
    const trace = traceId === undefined ? [] : ['trace', traceId];
    const entries: string[] = [];
    for (let at = 0; at < events.length; at += EVENTS_PER_ENTRY) {
      const some = events.slice(at, at + EVENTS_PER_ENTRY);
      const fields = ['events', `[${some.join(',')}]`, ...trace];
      entries.push(String(some.length), String(fields.length), ...fields);
    }
    const args = [
      fence?.role ?? '',
      fence === undefined ? '' : String(fence.token),
      String(keptEvents),
      ...this.checks.flat(),
      ...this.writes.flat(),
      String(Math.ceil(events.length / EVENTS_PER_ENTRY)),
      ...entries,
      PUBLISHED_LIMIT,
      String(this.shard),
      ...channels,
    ];
    return { keys: this.keys, args };
  }

  private noteCell(set: string, member: string): void {
    if (set === BY_CELL) this.changedCells.add(member.slice(0, member.indexOf('/')));
  }

  private addIndexChanges(before: IndexEntry[], after: IndexEntry[]): void {
    const find = (entries: IndexEntry[], { index, member }: IndexEntry) =>
      entries.find((entry) => entry.index === index && entry.member === member);
    for (const entry of before) {
      if (find(after, entry) === undefined) this.write('ZREM', entry.index, entry.member);
    }
    for (const entry of after) {
      // Written even when the score is the same, because the converger may have put it off in between.
      if (entry.index !== 'due' && find(before, entry)?.score === entry.score) continue;
      this.write('ZADD', entry.index, String(entry.score), entry.member);
      if (entry.index === 'callback') this.isCallbackWanted = true;
    }
  }

  private write(command: Write, name: string, ...args: string[]): void {
    this.writes.add(command, this.position(name), ...args);
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

/** Arguments by what is done with them and to which key. */
class Groups<Kind extends string> {
  private readonly groups: { kind: Kind; key: string; args: string[] }[] = [];

  add(kind: Kind, key: string, ...args: string[]): void {
    const group = this.groups.findLast((each) => each.kind === kind && each.key === key);
    // ZINCRBY takes one member.
    if (group !== undefined && group.args.length < GROUP_LIMIT && kind !== 'ZINCRBY')
      group.args.push(...args);
    else this.groups.push({ kind, key, args });
  }

  /** The number of groups, then of each: kind, key position, number of arguments, arguments. */
  flat(): string[] {
    const flat = [String(this.groups.length)];
    for (const { kind, key, args } of this.groups) {
      flat.push(kind, key, String(args.length));
      for (const arg of args) flat.push(arg);
    }
    return flat;
  }
}
