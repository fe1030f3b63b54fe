import { createHash } from 'node:crypto';
import { RiveraError } from './errors.js';
import { PORTABLE_KINDS, type PortableKind } from './stored-records.js';

/** Of the file; what a record looks like is said by `schema`. */
export const EXPORT_VERSION = 1;

/** First line of an export. */
export interface ExportHeader {
  format: 'rivera-export';
  version: number;
  /** Version of the records, see docs/operations/upgrades.md. */
  schema: number;
  /** Milliseconds since the Unix epoch. */
  exportedAt: number;
  /** Names this export. */
  epoch: string;
  /** Number of the last event of the shard that had most when it began. */
  lastEvent: number;
}

export type RecordCounts = Record<PortableKind, number>;

/** Last line of an export; without it the file is cut off. */
export interface ExportEnd {
  end: true;
  counts: RecordCounts;
  /** SHA-256 of everything before this line, in hexadecimal. */
  sha256: string;
}

export const noRecords = (): RecordCounts =>
  Object.fromEntries(PORTABLE_KINDS.map((kind) => [kind, 0])) as RecordCounts;

/** Counts and sums up what goes by, on either side. */
export class ExportSum {
  private readonly hash = createHash('sha256');
  readonly counts = noRecords();

  /** @param line without its line feed */
  add(line: string, kind?: PortableKind): void {
    this.hash.update(line).update('\n');
    if (kind !== undefined) this.counts[kind] += 1;
  }

  end(): ExportEnd {
    return { end: true, counts: this.counts, sha256: this.hash.copy().digest('hex') };
  }
}

/** A record of an export, not looked into yet. */
export interface ExportedLine {
  /** From 1, as editors count. */
  line: number;
  text: string;
  /** Absent: of none that is known. */
  kind?: PortableKind;
  record: unknown;
}

/**
 * Reads an export line by line: first `header`, then `records`, which end when the closing line agrees with all that went
 * by.
 *
 * Errors: `invalid-request` (not an export, of a later version, damaged, or cut off).
 */
export class ExportReader {
  private readonly sum = new ExportSum();
  private readonly lines: AsyncIterator<string>;
  private line = 0;

  constructor(lines: AsyncIterable<string>) {
    this.lines = lines[Symbol.asyncIterator]();
  }

  async header(): Promise<ExportHeader> {
    const text = await this.next();
    const header = text === undefined ? undefined : (jsonOf(text) as Partial<ExportHeader> | undefined);
    if (header?.format !== 'rivera-export' || text === undefined) {
      throw refusal('This is no export of Rivera: its first line does not say {"format":"rivera-export"}.');
    }
    if (header.version !== EXPORT_VERSION) {
      throw refusal(
        `This export has the format version ${String(header.version)}; this program knows ${EXPORT_VERSION}. ` +
          'Use the version of Rivera that made it, or a later one.',
      );
    }
    this.sum.add(text);
    return header as ExportHeader;
  }

  async *records(): AsyncGenerator<ExportedLine> {
    for (;;) {
      const text = await this.next();
      if (text === undefined) {
        throw refusal(
          `The export is cut off: it ends after line ${this.line} without its closing line. Use a whole one.`,
        );
      }
      const value = jsonOf(text);
      if (isEnd(value)) return this.close(value);
      const kind = PORTABLE_KINDS.find((each) => each === (value as { kind?: unknown } | undefined)?.kind);
      this.sum.add(text, kind);
      yield { line: this.line, text, record: value, ...(kind && { kind }) };
    }
  }

  private async close(end: ExportEnd): Promise<void> {
    const { counts, sha256 } = this.sum.end();
    const isWhole =
      PORTABLE_KINDS.every((kind) => counts[kind] === end.counts[kind]) && sha256 === end.sha256;
    if (!isWhole) {
      throw refusal(
        `The export is damaged: its closing line (line ${this.line}) does not agree with the ${this.line - 1} lines before it.`,
      );
    }
    if ((await this.next()) !== undefined)
      throw refusal(`There is more after the closing line of the export, line ${this.line - 1}.`);
  }

  /** Undefined: there is no more. */
  private async next(): Promise<string | undefined> {
    const { value, done } = await this.lines.next();
    if (done) return undefined;
    this.line += 1;
    return value;
  }
}

function isEnd(value: unknown): value is ExportEnd {
  const end = value as Partial<ExportEnd> | undefined;
  return (
    typeof end === 'object' &&
    end !== null &&
    end.end === true &&
    typeof end.counts === 'object' &&
    end.counts !== null
  );
}

/** Undefined: it is none. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(sentence: string): RiveraError {
  return new RiveraError('invalid-request', sentence);
}
