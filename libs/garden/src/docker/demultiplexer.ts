import type { ProcessOutput } from '../container.js';

const HEADER_BYTES = 8;
const STDERR = 2;

/**
 * Splits the engine's multiplexed stream (8-byte header: stream, 0, 0, 0, length as 32-bit big-endian) into stdout and
 * stderr. Payload is handed on as it arrives, without collecting frames, in constant memory and without recursion: a
 * million one-byte frames cost a loop.
 *
 * With `raw` there are no headers and all is stdout. A stream that does not begin with a header is raw as well: that is
 * how the engine reports an exec it could not start.
 */
export class Demultiplexer {
  private readonly header = Buffer.alloc(HEADER_BYTES);
  private headerLength = 0;
  private payloadLeft = 0;
  private raw: boolean;
  private isFirstFrame = true;

  constructor(
    private readonly output: ProcessOutput,
    options: { raw?: boolean } = {},
  ) {
    this.raw = options.raw ?? false;
  }

  write(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.raw) {
        this.output.stdout(chunk.subarray(offset));
        return;
      }
      offset += this.payloadLeft > 0 ? this.takePayload(chunk, offset) : this.takeHeader(chunk, offset);
    }
  }

  /** To be called when the stream ended; hands on what looked like the beginning of a header but was all there was. */
  end(): void {
    if (this.isFirstFrame && this.headerLength > 0)
      this.output.stdout(this.header.subarray(0, this.headerLength));
    this.headerLength = 0;
  }

  private takePayload(chunk: Buffer, offset: number): number {
    const end = Math.min(chunk.length, offset + this.payloadLeft);
    const part = chunk.subarray(offset, end);
    this.payloadLeft -= part.length;
    if (this.header[0] === STDERR) this.output.stderr(part);
    else this.output.stdout(part);
    return part.length;
  }

  private takeHeader(chunk: Buffer, offset: number): number {
    const taken = chunk.copy(
      this.header,
      this.headerLength,
      offset,
      offset + HEADER_BYTES - this.headerLength,
    );
    this.headerLength += taken;
    if (this.headerLength < HEADER_BYTES) return taken;
    this.headerLength = 0;
    if (this.isFirstFrame && !isHeader(this.header)) {
      this.raw = true;
      this.output.stdout(Buffer.from(this.header));
    } else {
      this.payloadLeft = this.header.readUInt32BE(4);
    }
    this.isFirstFrame = false;
    return taken;
  }
}

/** Reads a stream to its end; the next chunk is asked for only when the sinks have taken the last one. */
export async function demultiplex(
  stream: AsyncIterable<Buffer>,
  output: ProcessOutput,
  options: { raw?: boolean } = {},
): Promise<void> {
  const demultiplexer = new Demultiplexer(output, options);
  for await (const chunk of stream) {
    demultiplexer.write(chunk);
    if (output.ready) await output.ready();
  }
  demultiplexer.end();
}

function isHeader(bytes: Buffer): boolean {
  return bytes[0]! <= STDERR && bytes[1] === 0 && bytes[2] === 0 && bytes[3] === 0;
}
