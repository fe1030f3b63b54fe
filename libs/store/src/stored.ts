import type { RecordKind, Records } from '#rivera/lifecycle';
import type { ModificationTag } from '#rivera/models';

const SPACE = 32;

/**
 * A record as Redis holds it: `<epoch>:<index> <JSON>`. Most of what is read is only compared or passed on, so the JSON
 * is parsed when somebody looks at the record, and then once.
 */
export class Stored<R extends object = Records[RecordKind]> {
  constructor(
    readonly shard: number,
    readonly id: string,
    private readonly value: string,
    private parsed?: R,
  ) {}

  /** What a commit compares; two records with the same version are the same. */
  get version(): string {
    return this.value.slice(0, this.value.indexOf(' '));
  }

  hasVersion(version: string): boolean {
    return this.value.startsWith(version) && this.value.charCodeAt(version.length) === SPACE;
  }

  get json(): string {
    return this.value.slice(this.value.indexOf(' ') + 1);
  }

  get record(): R {
    this.parsed ??= JSON.parse(this.json) as R;
    return this.parsed;
  }

  /** Has somebody looked at the record? */
  get isParsed(): boolean {
    return this.parsed !== undefined;
  }
}

export function versionOf({ epoch, index }: ModificationTag): string {
  return `${epoch}:${index}`;
}

/** The JSON of the values of one commit: a record goes into its hash and into events, and is written out once. */
export class JsonTexts {
  private readonly known = new Map<unknown, string>();

  /** A record that was read has its text already. */
  remember({ record, json }: Stored): void {
    this.known.set(record, json);
  }

  of(value: unknown): string {
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    let text = this.known.get(value);
    if (text === undefined) {
      text = JSON.stringify(value);
      this.known.set(value, text);
    }
    return text;
  }

  /** A record as Redis holds it. */
  valueOf(record: Records[RecordKind]): string {
    return `${versionOf(record.modificationTag)} ${this.of(record)}`;
  }

  /** An object made of values whose texts may be known. */
  ofFields(fields: object): string {
    const members = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${JSON.stringify(name)}:${this.of(value)}`);
    return `{${members.join(',')}}`;
  }
}
