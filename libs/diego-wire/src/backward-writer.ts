const INITIAL_BYTES = 16 * 1024;
/** A varint of 64 bits. */
const MAX_VARINT_BYTES = 10;
/** Above this, bitwise operators no longer see the whole number. */
const UINT32 = 2 ** 32;
/** Texts up to this length are written faster by hand: a call into Node's own code costs more than a loop of this length. */
const SHORT_TEXT = 256;

/**
 * Writes a message from its end to its beginning, so that the length of what is within is known when its head is written,
 * and nothing has to be put together first. Whoever uses it writes the fields in the reverse order of their numbers.
 *
 * One message at a time: `finish` gives a copy and begins anew.
 */
export class BackwardWriter {
  private buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  private start = INITIAL_BYTES;

  /** How many bytes there are. What is written between two looks is `length` bytes longer. */
  get length(): number {
    return this.buffer.length - this.start;
  }

  varint(value: number): void {
    this.reserve(MAX_VARINT_BYTES);
    if (value >= 0 && value < 128) this.buffer[--this.start] = value;
    else if (value >= 0 && value < UINT32) this.varint32(value);
    else this.varint64(value);
  }

  bytes(value: Uint8Array): void {
    this.reserve(value.length);
    this.start -= value.length;
    this.buffer.set(value, this.start);
  }

  text(value: string): void {
    const { length } = value;
    if (length <= SHORT_TEXT && this.ascii(value)) return;
    const size = Buffer.byteLength(value);
    this.reserve(size);
    this.start -= size;
    this.buffer.write(value, this.start, size === length ? 'latin1' : 'utf8');
  }

  /** What was written, from the first byte to the last. */
  finish(): Buffer {
    const message = Buffer.from(this.buffer.subarray(this.start));
    this.start = this.buffer.length;
    return message;
  }

  /** What was written is forgotten. */
  reset(): void {
    this.start = this.buffer.length;
  }

  /** False, and nothing is written: it is not ASCII. */
  private ascii(value: string): boolean {
    const { length } = value;
    this.reserve(length);
    const { buffer } = this;
    const start = this.start - length;
    for (let i = 0; i < length; i += 1) {
      const code = value.charCodeAt(i);
      if (code > 127) return false;
      buffer[start + i] = code;
    }
    this.start = start;
    return true;
  }

  private varint32(value: number): void {
    let size = 1;
    for (let rest = value >>> 7; rest > 0; rest >>>= 7) size += 1;
    this.start -= size;
    let at = this.start;
    let rest = value;
    for (; rest > 127; rest >>>= 7) this.buffer[at++] = (rest & 127) | 128;
    this.buffer[at] = rest;
  }

  /** Negative ones are written as 64 bits, whatever their type (as Go does). */
  private varint64(value: number): void {
    const written: number[] = [];
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 127n; rest >>= 7n) written.push(Number(rest & 127n) | 128);
    written.push(Number(rest));
    this.start -= written.length;
    this.buffer.set(written, this.start);
  }

  private reserve(size: number): void {
    if (this.start >= size) return;
    const { buffer, start } = this;
    const used = buffer.length - start;
    const larger = Buffer.allocUnsafeSlow(2 * Math.max(buffer.length, used + size));
    buffer.copy(larger, larger.length - used, start);
    this.buffer = larger;
    this.start = larger.length - used;
  }
}
