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
  let headLength = 2;
  for (let length = message.length; length > 127; length >>>= 7) headLength += 1;
  const field = Buffer.allocUnsafe(headLength + message.length);
  field[0] = (number << 3) | 2;
  let length = message.length;
  let at = 1;
  for (; length > 127; length >>>= 7) field[at++] = (length & 127) | 128;
  field[at] = length;
  message.copy(field, headLength);
  return field;
}

/** A record with an identity and a version, which is looked at only when it has to be. */
export type Listable<R extends object> = Pick<Stored<R>, 'id' | 'version' | 'hasVersion' | 'record'>;

/** A record as an item of a list, and what lists are filtered by. */
export interface EncodedItem<F> {
  readonly version: string;
  readonly item: Buffer;
  readonly facets: F;
}

/** Of one kind of list, by identity of the record. */
interface View {
  young: Map<string, EncodedItem<unknown>>;
  old: Map<string, EncodedItem<unknown>>;
}

/**
 * Records as items of a list, encoded when they are first listed and kept while their version is the same: whole lists are
 * asked for all the time (by Diego's clients every 30 s) and hardly change in between. There are two generations: what is
 * asked for is in the younger one, and when that is full the older one goes.
 */
export class EncodedRecords {
  private readonly views: View[] = [];
  private youngBytes = 0;

  constructor(private readonly maxBytes = MAX_BYTES) {}

  /**
   * A kind of list.
   *
   * @param facetsOf what of a record the list is filtered by, without looking at the record again
   */
  view<R extends object, F = undefined>(
    encode: (record: R) => Buffer,
    facetsOf: (record: R) => F,
  ): (stored: Listable<R>) => EncodedItem<F> {
    const view: View = { young: new Map(), old: new Map() };
    this.views.push(view);
    return (stored) => {
      const found = view.young.get(stored.id);
      if (found !== undefined && stored.hasVersion(found.version)) return found as EncodedItem<F>;
      const older = found === undefined ? view.old.get(stored.id) : undefined;
      const entry =
        older !== undefined && stored.hasVersion(older.version)
          ? (older as EncodedItem<F>)
          : {
              version: stored.version,
              item: inField(2, encode(stored.record)),
              facets: facetsOf(stored.record),
            };
      this.keep(view, stored.id, entry);
      return entry;
    };
  }

  private keep(view: View, id: string, entry: EncodedItem<unknown>): void {
    const replaced = view.young.get(id);
    if (replaced !== undefined) this.youngBytes -= replaced.item.length + ENTRY_BYTES;
    view.young.set(id, entry);
    this.youngBytes += entry.item.length + ENTRY_BYTES;
    if (this.youngBytes <= this.maxBytes / 2) return;
    for (const each of this.views) {
      each.old = each.young;
      each.young = new Map();
    }
    this.youngBytes = 0;
  }
}
