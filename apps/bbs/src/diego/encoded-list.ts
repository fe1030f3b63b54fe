import { Error as WireErrorMessage, type Error as WireError } from '#rivera/diego-wire';
import type { Stored } from '#rivera/store';

/** Bytes of messages that are kept, of all lists together. */
const MAX_BYTES = 64 * 1024 * 1024;
/** What an entry takes beside its bytes, about. */
const ENTRY_BYTES = 200;

/** The answer of a list: an error in field 1, or messages that are encoded already in field 2. */
export interface EncodedList {
  error?: WireError;
  items?: Buffer[];
}

export const EncodedListAnswer = {
  encode({ error, items = [] }: EncodedList): Buffer {
    return error === undefined ? Buffer.concat(items) : inField(1, WireErrorMessage.encode(error));
  },
};

/** A message as a field of another. */
export function inField(number: number, message: Buffer): Buffer {
  const head = [(number << 3) | 2];
  let length = message.length;
  for (; length > 127; length >>>= 7) head.push((length & 127) | 128);
  head.push(length);
  return Buffer.concat([Buffer.from(head), message]);
}

/**
 * Records as items of a list, encoded when they are first listed and kept while their version is the same: whole lists are
 * asked for all the time (by Diego's clients every 30 s) and hardly change in between. Those that nobody has asked for
 * longest go first.
 */
export class EncodedRecords {
  private readonly kept = new Map<string, { version: string; item: Buffer }>();
  private bytes = 0;

  constructor(private readonly maxBytes = MAX_BYTES) {}

  /** @param view what `encode` makes of a record; the same record may be listed in several */
  itemOf<R extends object>(view: string, stored: Stored<R>, encode: (record: R) => Buffer): Buffer {
    const key = `${view} ${stored.id}`;
    const { version } = stored;
    const found = this.kept.get(key);
    if (found?.version === version) {
      this.kept.delete(key);
      this.kept.set(key, found);
      return found.item;
    }
    const item = inField(2, encode(stored.record));
    this.forget(key);
    this.kept.set(key, { version, item });
    this.bytes += item.length + ENTRY_BYTES;
    for (const oldest of this.kept.keys()) {
      if (this.bytes <= this.maxBytes) break;
      this.forget(oldest);
    }
    return item;
  }

  private forget(key: string): void {
    const entry = this.kept.get(key);
    if (entry === undefined) return;
    this.kept.delete(key);
    this.bytes -= entry.item.length + ENTRY_BYTES;
  }
}
