import { actualId, restoreRecords } from '#rivera/lifecycle';
import type { PortableKind, PortableRecord } from '#rivera/models';
import type { CellRepository } from './cell-repository.js';
import type { WriteOptions } from './process-repository.js';
import { orUnavailable } from './redis.js';
import { outlineOf } from './shard-outline.js';
import { ALL_SHARDS, CELLS_SHARD, shardKey, shardOf, WORK_SHARD_IDS } from './shards.js';
import type { Store } from './store.js';
import type { Stored } from './stored.js';

/** A record as one line of an export. */
export interface PortableLine {
  kind: PortableKind;
  text: string;
}

/** More than any shard may see between an export and the loss of its store. */
const SKIPPED_EVENTS = 1_000_000;
const KINDS = ['domain', 'cell', 'desired', 'run', 'actual', 'task', 'deployment'] as const;

/** Everything that is worth keeping, out of a store and into one. */
export class Backup {
  constructor(
    private readonly store: Store,
    private readonly cells: CellRepository,
  ) {}

  /** Number of the last event of the shard that has most. */
  async lastEvent(): Promise<number> {
    const { redis } = this.store;
    const sequences = await orUnavailable(() =>
      Promise.all(ALL_SHARDS.map((shard) => redis.hget(shardKey(shard, 'meta'), 'seq'))),
    );
    return Math.max(...sequences.map(Number));
  }

  /** All records, each shard as one moment left it: cells and domains first, each LRP with its instances, deployments last. */
  async *lines(): AsyncGenerator<PortableLine> {
    const deployments: PortableLine[] = [];
    for (const shard of [CELLS_SHARD, ...WORK_SHARD_IDS]) {
      const records = await this.shardAtOnce(shard);
      const some = (kind: (typeof KINDS)[number]) => [...records[kind]!.values()];
      for (const kind of ['domain', 'cell'] as const)
        for (const stored of some(kind)) yield lineOf(kind, stored);
      const instances = groupBy(some('actual'), ({ id }) => id.split('/', 1)[0]!);
      for (const desired of some('desired')) {
        yield lineOf('desired', desired, records.run!.get(desired.id));
        for (const actual of instances.get(desired.id) ?? []) yield lineOf('actual', actual);
        instances.delete(desired.id);
      }
      for (const left of instances.values()) for (const actual of left) yield lineOf('actual', actual);
      for (const task of some('task')) yield lineOf('task', task);
      // Those of whom they tell are in other shards.
      for (const deployment of some('deployment')) deployments.push(lineOf('deployment', deployment));
    }
    yield* deployments;
  }

  /** How many records there are that an import would have to leave as they are. Cells come by themselves. */
  async countRecords(): Promise<number> {
    const outlines = await Promise.all(WORK_SHARD_IDS.map((shard) => outlineOf(this.store, shard)));
    const kinds = ['desired', 'actual', 'task', 'deployment'] as const;
    return outlines.reduce((sum, { sizes }) => kinds.reduce((total, kind) => total + sizes[kind]!, sum), 0);
  }

  /** Sees to it that whoever has followed the store that was exported is told to list again. */
  async skipEvents(lastEvent: number): Promise<void> {
    const skippedEvents = lastEvent + SKIPPED_EVENTS;
    await Promise.all(ALL_SHARDS.map((shard) => this.store.commit(shard, [], { skippedEvents })));
  }

  /**
   * Writes what is not there yet, with its events; all of one shard in one commit.
   *
   * @param presenceUntil cells that were present have until then to say that they still are
   * @returns how many were written; the others were there
   */
  async restore(
    records: readonly PortableRecord[],
    presenceUntil: number,
    options: WriteOptions = {},
  ): Promise<number> {
    const cells = records.flatMap((each) => (each.kind === 'cell' ? [each.record] : []));
    const rest = records.filter((each) => each.kind !== 'cell');
    const byShard = groupBy(unique(rest), shardOfRecord);
    const written = await Promise.all([
      ...cells.map(async (cell) => (await this.cells.restore(cell, presenceUntil, options)).length),
      ...[...byShard].map(([shard, some]) => this.restoreShard(shard, some, options)),
    ]);
    return written.reduce((sum, count) => sum + count, 0);
  }

  private async restoreShard(
    shard: number,
    records: Exclude<PortableRecord, { kind: 'cell' }>[],
    options: WriteOptions,
  ): Promise<number> {
    const refs = records.flatMap((each) => {
      const ref = { kind: each.kind, id: idOf(each) };
      return each.kind === 'desired' ? [ref, { ...ref, kind: 'run' as const }] : [ref];
    });
    const transition = await this.store.transact(
      shard,
      refs,
      (lookup) =>
        restoreRecords(records, (each) => {
          const isThere = lookup(each.kind, idOf(each)) !== undefined;
          return isThere || (each.kind === 'desired' && lookup('run', idOf(each)) !== undefined);
        }),
      options,
    );
    return transition.filter(({ kind }) => kind !== 'run').length;
  }

  /** Everything of a shard as one moment left it, in order of name. */
  private async shardAtOnce(shard: number): Promise<Record<string, Map<string, Stored>>> {
    const found = await orUnavailable(async () => {
      const transaction = this.store.redis.multi();
      for (const kind of KINDS) transaction.hgetall(shardKey(shard, kind));
      const answers = (await transaction.exec()) ?? [];
      return answers.map(([error, answer]) => {
        if (error !== null) throw error;
        return answer as Record<string, string>;
      });
    });
    return Object.fromEntries(
      KINDS.map((kind, i) => {
        const names = Object.keys(found[i]!).toSorted();
        return [kind, new Map(names.map((id) => [id, this.store.stored(shard, kind, id, found[i]![id]!)]))];
      }),
    );
  }
}

function lineOf(kind: PortableKind, { json }: Stored, run?: Stored): PortableLine {
  const half = run === undefined ? '' : `,"run":${run.json}`;
  return { kind, text: `{"kind":"${kind}","record":${json}${half}}` };
}

function idOf(portable: PortableRecord): string {
  switch (portable.kind) {
    case 'desired':
    case 'deployment':
      return portable.record.processGuid;
    case 'actual':
      return actualId(portable.record);
    case 'task':
      return portable.record.taskGuid;
    case 'cell':
      return portable.record.cellId;
    case 'domain':
      return portable.record.domain;
  }
}

function shardOfRecord(portable: PortableRecord): number {
  switch (portable.kind) {
    case 'domain':
    case 'cell':
      return CELLS_SHARD;
    case 'actual':
      return shardOf(portable.record.processGuid);
    default:
      return shardOf(idOf(portable));
  }
}

/** The first under each name. */
function unique<P extends PortableRecord>(records: readonly P[]): P[] {
  const known = new Set<string>();
  return records.filter((each) => {
    const name = `${each.kind} ${idOf(each)}`;
    return !known.has(name) && known.add(name);
  });
}

function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
