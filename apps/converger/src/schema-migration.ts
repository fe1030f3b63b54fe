import { RECORD_KINDS } from '#rivera/lifecycle';
import {
  ALL_SHARDS,
  type Fence,
  FIRST_SCHEMA,
  scanRecords,
  schemaMarkOf,
  type SchemaStanding,
  type Store,
} from '#rivera/store';

export interface SchemaMigrationOptions {
  /** Records that are written in the new form each second, at most (about: what is read at once is written at once). */
  recordsPerSecond: number;
}

/** Records that are read at once. */
const READ_AT_ONCE = 100;
/** Until it is looked again whether an older program runs, or has come back. */
const LOOK_AGAIN_MS = 5_000;

/** A place among the records of the store. */
interface Place {
  shard: number;
  kind: number;
  cursor: string;
  /** Somebody was quicker with a record of this shard: it is gone through once more. */
  isMissed: boolean;
}

/**
 * Brings all records to the form that this version writes, once no program runs that writes an older one. What programs
 * change meanwhile they write in the new form themselves, so this is for what nobody touches.
 *
 * A step is some records of one shard, written under the converger's fence. Records say themselves in which form they
 * are, and each shard remembers when all of it is done: whoever takes over goes on there.
 */
export class SchemaMigration {
  private standing: SchemaStanding | undefined;
  private place: Place = startOf(0);
  private isWaiting = false;

  constructor(
    private readonly options: SchemaMigrationOptions,
    private readonly store: Store,
    private readonly logger: { log(event: string, fields?: object): void },
  ) {}

  /** From the first shard on. */
  begin(): void {
    this.standing = undefined;
    this.place = startOf(0);
  }

  /** Does a little. Returns after how many ms there may be more to do, Infinity when there never is. */
  async step(fence: Fence): Promise<number> {
    const { schema, versions } = this.store;
    if (schema.version === FIRST_SCHEMA) return Infinity;
    if (this.standing === undefined) {
      const standing = await versions.announce();
      if (standing.stored >= schema.version || !this.mayBegin(standing)) return LOOK_AGAIN_MS;
      this.logger.log('began-migration', { from: standing.stored, to: schema.version });
      this.standing = standing;
      this.place = startOf(0);
    }
    const { shard, kind } = this.place;
    if (shard === ALL_SHARDS.length) return this.finish(this.standing);
    const mark = `${schema.version}:${this.standing.generation}`;
    if (kind === 0 && this.place.cursor === '0' && (await schemaMarkOf(this.store, shard)) === mark) {
      this.place = startOf(shard + 1);
      return 1;
    }
    const written = await this.rewriteSome(fence);
    if (this.place.kind === RECORD_KINDS.length) await this.leaveShard(mark, fence);
    return Math.max(1, (written * 1_000) / this.options.recordsPerSecond);
  }

  private mayBegin({ lowest }: SchemaStanding): boolean {
    const { version } = this.store.schema;
    const mustWait = lowest < version;
    if (mustWait && !this.isWaiting)
      this.logger.log('migration-waits', { oldestProgram: lowest, to: version });
    this.isWaiting = mustWait;
    return !mustWait;
  }

  private async rewriteSome(fence: Fence): Promise<number> {
    const { shard, kind: position, cursor } = this.place;
    const kind = RECORD_KINDS[position]!;
    const found = await scanRecords(this.store, shard, kind, { cursor, count: READ_AT_ONCE });
    const behind = found.records.filter(({ isBehind }) => isBehind);
    if (behind.length > 0) {
      const rewritten = behind.map((stored) => ({ kind, stored }));
      if (!(await this.store.commit(shard, [], { fence, rewritten }))) this.place.isMissed = true;
    }
    this.place.cursor = found.cursor;
    if (found.cursor === '0') this.place.kind += 1;
    return behind.length;
  }

  private async leaveShard(schemaMark: string, fence: Fence): Promise<void> {
    const { shard, isMissed } = this.place;
    if (isMissed) {
      this.place = startOf(shard);
      return;
    }
    await this.store.commit(shard, [], { fence, schemaMark });
    this.place = startOf(shard + 1);
  }

  /** Unless an older program has come meanwhile, in which case everything is looked at again. */
  private async finish({ generation }: SchemaStanding): Promise<number> {
    const isRaised = await this.store.versions.raise(generation);
    if (isRaised) this.logger.log('finished-migration', { to: this.store.schema.version });
    this.begin();
    return LOOK_AGAIN_MS;
  }
}

function startOf(shard: number): Place {
  return { shard, kind: 0, cursor: '0', isMissed: false };
}
