import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { FakeNote } from './fake-types.js';

/** One thing that happened to a container of a fake machine. `atMs` is milliseconds since the Unix epoch. */
export type FakeJournalEntry = { atMs: number; owner: string; handle: string } & FakeNote;

/**
 * What happened on a fake machine, in a file, so that its containers outlive the agent as those of an engine do. Whoever
 * wants to know what really ran reads it too. One line of JSON an entry, written before the call returns.
 */
export class FakeJournal {
  private constructor(
    private readonly descriptor: number,
    /** What earlier agents have written. */
    readonly entries: FakeJournalEntry[],
  ) {}

  static open(path: string): FakeJournal {
    const entries = existsSync(path) ? readFakeJournal(readFileSync(path, 'utf8')) : [];
    return new FakeJournal(openSync(path, 'a', 0o600), entries);
  }

  write(entry: FakeJournalEntry): void {
    // A line of its own whatever a writer that was killed has left.
    writeSync(this.descriptor, `\n${JSON.stringify(entry)}`);
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

/** The entries of a journal's text. A last line that is not complete yet, or never will be, is left out. */
export function readFakeJournal(text: string): FakeJournalEntry[] {
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as FakeJournalEntry];
    } catch {
      return [];
    }
  });
}
