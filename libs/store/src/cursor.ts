import { RiveraError } from '#rivera/models';
import { ALL_SHARDS, SHARD_COUNT } from './shards.js';

/**
 * How far someone has read the event log: the number of the last event of each shard. As text it is opaque, some 100 to
 * 250 characters; it is what `Last-Event-ID` carries.
 */
export class Cursor {
  private constructor(private readonly positions: number[]) {}

  /** Before the first event. */
  static start(): Cursor {
    return new Cursor(ALL_SHARDS.map(() => 0));
  }

  static from(positions: number[]): Cursor {
    return new Cursor([...positions]);
  }

  /** Errors: `invalid-request` when the text was not made by `toString`. */
  static parse(text: string): Cursor {
    const positions: number[] = [];
    let value = 0;
    let scale = 1;
    for (const byte of Buffer.from(text, 'base64url')) {
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        positions.push(value);
        value = 0;
        scale = 1;
      } else {
        scale *= 128;
      }
    }
    const cursor = new Cursor(positions);
    // Decoding passes over what it does not understand, so the way back must lead to the same text.
    if (
      positions.length !== SHARD_COUNT ||
      !positions.every(Number.isSafeInteger) ||
      cursor.toString() !== text
    ) {
      throw new RiveraError(
        'invalid-request',
        'Last-Event-ID is not an id that this event stream gave. Start without it and list again.',
      );
    }
    return cursor;
  }

  position(shard: number): number {
    return this.positions[shard] ?? 0;
  }

  /** The same cursor with one shard moved on. */
  advance(shard: number, sequence: number): void {
    this.positions[shard] = sequence;
  }

  copy(): Cursor {
    return new Cursor([...this.positions]);
  }

  toString(): string {
    const bytes: number[] = [];
    for (const position of this.positions) {
      let rest = position;
      while (rest >= 0x80) {
        bytes.push((rest % 128) | 0x80);
        rest = Math.floor(rest / 128);
      }
      bytes.push(rest);
    }
    return Buffer.from(bytes).toString('base64url');
  }
}
