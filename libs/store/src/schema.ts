import { type RecordKind, type Records } from '#rivera/lifecycle';

/** A step from one form of the records to the next, see docs/operations/upgrades.md for what it may do. */
export interface Migration {
  /**
   * The record in the new form; what is in it already is given back as it is. Run on what was read, so it may be run any
   * number of times.
   */
  upgrade: { [K in RecordKind]?: (record: Records[K]) => Records[K] };
}

/** Of records that say nothing of it. */
export const FIRST_SCHEMA = 2;

/** The steps since, oldest first. None yet. */
export const MIGRATIONS: readonly Migration[] = [];

/** The form of records that a program knows: the latest, and how to get there. */
export class Schema {
  /** Of what is written. */
  readonly version: number;

  constructor(private readonly migrations: readonly Migration[] = MIGRATIONS) {
    this.version = FIRST_SCHEMA + migrations.length;
  }

  /** A record of schema `from` as this program knows it. What a later one wrote is left as it is. */
  upgrade<K extends RecordKind>(kind: K, record: Records[K], from: number): Records[K] {
    let upgraded = record;
    for (let version = from; version < this.version; version++) {
      upgraded = this.migrations[version - FIRST_SCHEMA]?.upgrade[kind]?.(upgraded) ?? upgraded;
    }
    return upgraded;
  }

  /** The same for a line of an export; anything else is given back as it is. */
  upgradePortable(input: unknown, from: number): unknown {
    const line = input as { kind: RecordKind; record: Records[RecordKind]; run?: Records['run'] } | null;
    if (from >= this.version || typeof line !== 'object' || line === null) return input;
    if (typeof line.record !== 'object' || line.record === null) return input;
    const { kind, record, run } = line;
    const upgraded = { kind, record: this.upgrade(kind, record, from) };
    return run === undefined ? upgraded : { ...upgraded, run: this.upgrade('run', run, from) };
  }
}
