import { grown } from './grow.js';

const NONE = -1;
/** Spread the two numbers of a pair over the table (Knuth's multiplicative hashing). */
const spread = (app: number, slot: number): number =>
  Math.imul(Math.imul(app, 0x9e3779b1) ^ (slot + 0x7f4a7c15), 0x85ebca6b) >>> 7;

/**
 * How many instances of which app are on which cell: 28 bytes for each pair, whatever the number of instances.
 * Finding a pair is a look into a hash table; the cells of one app hang together in a list.
 */
export class InstanceTable {
  private readonly ids = new Map<string, number>();
  private readonly guids: string[] = [];
  private readonly freeIds: number[] = [];
  /** First pair and number of pairs, by app. */
  private first = new Int32Array(64).fill(NONE);
  private pairs = new Int32Array(64);

  private app = new Int32Array(64);
  private slot = new Int32Array(64);
  private count = new Int32Array(64);
  private after = new Int32Array(64);
  private before = new Int32Array(64);
  private used = 0;
  /** Pairs given back, linked by `after`. */
  private free = NONE;

  /** Pair + 1 by hash, 0 = nobody; collisions go to the next place. */
  private places = new Int32Array(256);
  private occupied = 0;

  /** The number of an app that has instances; −1 for any other. */
  idOf(processGuid: string): number {
    return this.ids.get(processGuid) ?? NONE;
  }

  /** On how many cells the app has instances. */
  cellsOf(app: number): number {
    return app === NONE ? 0 : this.pairs[app]!;
  }

  instancesOn(app: number, slot: number): number {
    if (app === NONE) return 0;
    const pair = this.places[this.placeOf(app, slot)]! - 1;
    return pair === NONE ? 0 : this.count[pair]!;
  }

  /** The first of the app's pairs, to be followed by `next` until it is negative. */
  firstOf(app: number): number {
    return app === NONE ? NONE : this.first[app]!;
  }

  next(pair: number): number {
    return this.after[pair]!;
  }

  slotOf(pair: number): number {
    return this.slot[pair]!;
  }

  countOf(pair: number): number {
    return this.count[pair]!;
  }

  /** One more instance on the cell. Returns the app's number. */
  add(processGuid: string, slot: number): number {
    const app = this.ids.get(processGuid) ?? this.intern(processGuid);
    const place = this.placeOf(app, slot);
    const pair = this.places[place]! - 1;
    if (pair === NONE) this.link(app, slot, place);
    else this.count[pair]! += 1;
    return app;
  }

  /** One instance less; there must be one. An app without instances loses its number. */
  remove(app: number, slot: number): void {
    const place = this.placeOf(app, slot);
    const pair = this.places[place]! - 1;
    this.count[pair]! -= 1;
    if (this.count[pair] === 0) this.unlink(pair, place);
    if (this.first[app] === NONE) {
      this.ids.delete(this.guids[app]!);
      this.guids[app] = '';
      this.freeIds.push(app);
    }
  }

  private intern(processGuid: string): number {
    const app = this.freeIds.pop() ?? this.guids.length;
    if (app === this.first.length) {
      this.first = grown(this.first, app * 2);
      this.pairs = grown(this.pairs, app * 2);
    }
    this.guids[app] = processGuid;
    this.first[app] = NONE;
    this.ids.set(processGuid, app);
    return app;
  }

  private link(app: number, slot: number, place: number): void {
    const pair = this.newPair();
    const head = this.first[app]!;
    this.app[pair] = app;
    this.slot[pair] = slot;
    this.count[pair] = 1;
    this.before[pair] = NONE;
    this.after[pair] = head;
    if (head !== NONE) this.before[head] = pair;
    this.first[app] = pair;
    this.pairs[app]! += 1;
    this.places[place] = pair + 1;
    this.occupied += 1;
    if (this.occupied * 2 > this.places.length) this.rehash();
  }

  private unlink(pair: number, place: number): void {
    const previous = this.before[pair]!;
    const next = this.after[pair]!;
    if (previous === NONE) this.first[this.app[pair]!] = next;
    else this.after[previous] = next;
    if (next !== NONE) this.before[next] = previous;
    this.pairs[this.app[pair]!]! -= 1;
    this.after[pair] = this.free;
    this.free = pair;
    this.occupied -= 1;
    this.vacate(place);
  }

  private newPair(): number {
    const pair = this.free;
    if (pair !== NONE) {
      this.free = this.after[pair]!;
      return pair;
    }
    if (this.used === this.app.length) {
      for (const column of ['app', 'slot', 'count', 'after', 'before'] as const) {
        this[column] = grown(this[column], this.used * 2);
      }
    }
    this.used += 1;
    return this.used - 1;
  }

  /** Where the pair is, or the empty place where it belongs. */
  private placeOf(app: number, slot: number): number {
    const mask = this.places.length - 1;
    let place = spread(app, slot) & mask;
    for (;;) {
      const pair = this.places[place]! - 1;
      if (pair === NONE || (this.app[pair] === app && this.slot[pair] === slot)) return place;
      place = (place + 1) & mask;
    }
  }

  /** Empties a place and moves up those behind it that would no longer be found. */
  private vacate(place: number): void {
    const mask = this.places.length - 1;
    let hole = place;
    let at = place;
    for (;;) {
      at = (at + 1) & mask;
      const pair = this.places[at]! - 1;
      if (pair === NONE) break;
      const home = spread(this.app[pair]!, this.slot[pair]!) & mask;
      // The pair may move to the hole if its home is not between the hole and where it is now.
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        this.places[hole] = pair + 1;
        hole = at;
      }
    }
    this.places[hole] = 0;
  }

  private rehash(): void {
    const { places } = this;
    this.places = new Int32Array(places.length * 2);
    for (const entry of places) {
      if (entry !== 0) this.places[this.placeOf(this.app[entry - 1]!, this.slot[entry - 1]!)] = entry;
    }
  }
}
