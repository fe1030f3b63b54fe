import type { LogLine } from '../executor/log-sink.js';

/** What a line takes beside its text. */
const OVERHEAD_BYTES = 64;

/** A line with its number: the first of a run is 1. */
export interface NumberedLine extends LogLine {
  number: number;
}

/** A part of a log. */
export interface Excerpt {
  lines: NumberedLine[];
  /** Lines before the first of these that are not kept any more. */
  dropped: number;
  /** Where to read on. */
  next: number;
}

/**
 * The newest lines of one run, up to a size: a new line pushes out the oldest. Readers keep a place of their own and are
 * told what they were too slow for, so none of them can hold up the program, or each other.
 */
export class LogRing {
  /** No line will be added. */
  isClosed = false;
  private lines: NumberedLine[] = [];
  /** Position in `lines` of the oldest line that is kept; what is before it goes now and then. */
  private head = 0;
  private bytes = 0;
  private count = 0;
  private readonly waiting = new Set<() => void>();

  constructor(private readonly maxBytes: number) {}

  append(line: LogLine): void {
    this.count += 1;
    this.lines.push({ ...line, number: this.count });
    this.bytes += sizeOf(line);
    while (this.bytes > this.maxBytes && this.lines.length - this.head > 1) {
      this.bytes -= sizeOf(this.lines[this.head]!);
      this.head += 1;
    }
    if (this.head > 1_024 && this.head * 2 > this.lines.length) {
      this.lines = this.lines.slice(this.head);
      this.head = 0;
    }
    this.wake();
  }

  close(): void {
    this.isClosed = true;
    this.wake();
  }

  /** What the lines that are kept take. */
  get size(): number {
    return this.bytes;
  }

  /** The number that the next line will have. */
  get end(): number {
    return this.count + 1;
  }

  /** Where to begin for the last `tail` lines, of those since a moment. */
  startOf({ tail, since }: { tail?: number; since?: number }): number {
    let start = this.oldest;
    if (since !== undefined) {
      while (start < this.end && this.line(start).timestampMs < since) start += 1;
    }
    return tail === undefined ? start : Math.max(start, this.end - tail);
  }

  /** Lines from number `from` on, about `maxBytes` of them, one at least if there is one. */
  read(from: number, maxBytes: number): Excerpt {
    const start = Math.max(from, this.oldest);
    const lines: NumberedLine[] = [];
    let bytes = 0;
    for (let number = start; number < this.end && bytes < maxBytes; number += 1) {
      const line = this.line(number);
      lines.push(line);
      bytes += sizeOf(line);
    }
    return { lines, dropped: start - from, next: start + lines.length };
  }

  /** Resolves when there is a line with this number, or will never be, or the signal aborts. */
  async reached(number: number, signal: AbortSignal): Promise<void> {
    while (number >= this.end && !this.isClosed && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.waiting.add(wake);
        signal.addEventListener('abort', wake);
      });
    }
  }

  private get oldest(): number {
    return this.end - (this.lines.length - this.head);
  }

  private line(number: number): NumberedLine {
    return this.lines[this.head + number - this.oldest]!;
  }

  private wake(): void {
    for (const wake of this.waiting) wake();
  }
}

/** Two bytes a character is what V8 takes at worst. */
function sizeOf({ text, source }: LogLine): number {
  return 2 * (text.length + source.length) + OVERHEAD_BYTES;
}
