import type { RecordKind, Records } from '#rivera/lifecycle';
import type { ModificationTag } from '#rivera/models';
import { FIRST_SCHEMA, type Schema } from './schema.js';

const SPACE = 32;
const BRACE = 123;

/** How records of a kind are brought to the form that this program knows. */
export interface Form {
  kind: RecordKind;
  schema: Schema;
}

/**
 * A record as Redis holds it: `<epoch>:<index> <JSON>`, or `<epoch>:<index> <schema> <JSON>` when it has been written in
 * another form than the first. Most of what is read is only compared or passed on, so the JSON is parsed when somebody looks
 * at the record, and then once; what is of an older form is seen in the newer one.
 */
export class Stored<R extends object = Records[RecordKind]> {
  constructor(
    readonly shard: number,
    readonly id: string,
    private readonly value: string,
    private parsed?: R,
    private readonly form?: Form,
  ) {}

  /** What a commit compares; two records with the same version are the same. */
  get version(): string {
    return this.value.slice(0, this.value.indexOf(' '));
  }

  hasVersion(version: string): boolean {
    return this.value.startsWith(version) && this.value.charCodeAt(version.length) === SPACE;
  }

  /** The form that it was written in. */
  get schema(): number {
    const at = this.value.indexOf(' ') + 1;
    if (this.value.charCodeAt(at) === BRACE) return FIRST_SCHEMA;
    return Number(this.value.slice(at, this.value.indexOf(' ', at)));
  }

  /** Was it written in an older form than this program writes? */
  get isBehind(): boolean {
    return this.form !== undefined && this.schema < this.form.schema.version;
  }

  get json(): string {
    return this.isBehind ? JSON.stringify(this.record) : this.text;
  }

  get record(): R {
    if (this.parsed === undefined) {
      const read = this.asWritten();
      const { form } = this;
      this.parsed =
        form === undefined || !this.isBehind
          ? read
          : (form.schema.upgrade(form.kind, read as Records[typeof form.kind], this.schema) as R);
    }
    return this.parsed;
  }

  /** The record in the form that it was written in. */
  asWritten(): R {
    return JSON.parse(this.text) as R;
  }

  private get text(): string {
    const at = this.value.indexOf(' ') + 1;
    return this.value.slice(this.value.charCodeAt(at) === BRACE ? at : this.value.indexOf(' ', at) + 1);
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
  valueOf(record: Records[RecordKind], schema = FIRST_SCHEMA): string {
    const mark = schema === FIRST_SCHEMA ? '' : `${schema} `;
    return `${versionOf(record.modificationTag)} ${mark}${this.of(record)}`;
  }

  /** An object made of values whose texts may be known. */
  ofFields(fields: object): string {
    const members = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${JSON.stringify(name)}:${this.of(value)}`);
    return `{${members.join(',')}}`;
  }
}
