/** Diego executor: a longer line is cut. */
export const MAX_LINE_BYTES = 61_440;

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * Cuts a stream of bytes into lines (Diego executor, log streamer): at `\n` and at `\r`, without empty lines, and after
 * 61 440 bytes at the latest, but never within a character. A line that has not ended is kept until `flush`.
 */
export class LineSplitter {
  private pieces: Buffer[] = [];
  private pending = 0;

  /** `emit` answers false when it wants no more of this chunk. */
  constructor(private readonly emit: (line: Buffer) => boolean) {}

  write(chunk: Buffer): void {
    let begin = 0;
    for (let end = nextEnd(chunk, 0); end >= 0; end = nextEnd(chunk, begin)) {
      const goesOn = this.complete(chunk.subarray(begin, end));
      begin = end + 1;
      if (!goesOn) return this.skip(chunk, begin);
    }
    if (begin < chunk.length) this.keep(chunk.subarray(begin));
  }

  /** Emits what has no line end yet. */
  flush(): void {
    this.complete(Buffer.alloc(0));
  }

  /** Forgets what has no line end yet; the rest of that line, when it comes, is a line. */
  discard(): void {
    this.pieces = [];
    this.pending = 0;
  }

  private skip(chunk: Buffer, begin: number): void {
    const last = Math.max(chunk.lastIndexOf(NEWLINE), chunk.lastIndexOf(RETURN));
    if (last + 1 > begin) begin = last + 1;
    this.discard();
    if (begin < chunk.length) this.keep(chunk.subarray(begin));
  }

  private keep(part: Buffer): void {
    // The chunk may be a view of a buffer that its reader uses again.
    this.pieces.push(Buffer.from(part));
    this.pending += part.length;
    if (this.pending >= MAX_LINE_BYTES) this.cut();
  }

  private complete(end: Buffer): boolean {
    const line = this.pending === 0 ? end : Buffer.concat([...this.pieces, end]);
    this.discard();
    return line.length === 0 || this.emitCut(line, { keepRest: false });
  }

  private cut(): void {
    const line = Buffer.concat(this.pieces);
    this.discard();
    this.emitCut(line, { keepRest: true });
  }

  private emitCut(line: Buffer, { keepRest }: { keepRest: boolean }): boolean {
    let begin = 0;
    while (line.length - begin > MAX_LINE_BYTES || (keepRest && line.length - begin === MAX_LINE_BYTES)) {
      const end = characterBoundary(line, begin + MAX_LINE_BYTES);
      if (!this.emit(line.subarray(begin, end))) return false;
      begin = end;
    }
    if (begin === line.length) return true;
    if (!keepRest) return this.emit(line.subarray(begin));
    this.pieces.push(line.subarray(begin));
    this.pending += line.length - begin;
    return true;
  }
}

function nextEnd(chunk: Buffer, begin: number): number {
  for (let position = begin; position < chunk.length; position += 1) {
    if (chunk[position] === NEWLINE || chunk[position] === RETURN) return position;
  }
  return -1;
}

/** The last position up to `at` that does not split a character; `at` when the bytes are no UTF-8. */
function characterBoundary(bytes: Buffer, at: number): number {
  for (let position = at; position > at - 4; position -= 1) {
    if (position >= bytes.length || (bytes[position]! & 0xc0) !== 0x80) return position;
  }
  return at;
}
