import { watch, writeFileSync } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessOutput } from '../container.js';

const STREAMS = ['stdout', 'stderr'] as const;
type Stream = (typeof STREAMS)[number];

const CHUNK_BYTES = 65_536;
/** The watch normally tells at once; this is for file systems without one. */
const POLL_MS = 250;
const CURSOR_INTERVAL_MS = 250;
/** A file that has grown beyond this and was read to its end is emptied. */
const LONGEST_FILE_BYTES = 8 * 1024 * 1024;

/**
 * Reads what a process writes to its files `stdout` and `stderr`, as it is written. How far it has read is kept in
 * `cursor` (at most 250 ms old), so that the next agent can go on from there. Files are kept short: what is written
 * between reading one to its end and emptying it, microseconds apart and once in 8 MB, is lost.
 */
export class OutputFollower {
  private readonly offsets: Record<Stream, number> = { stdout: 0, stderr: 0 };
  private readonly files: Partial<Record<Stream, FileHandle>> = {};
  private watcher?: FSWatcher;
  private timer?: NodeJS.Timeout;
  private cursorSavedAtMs = 0;
  private reading: Promise<void> = Promise.resolve();
  private isReadingQueued = false;

  private constructor(
    private readonly directory: string,
    private readonly output: ProcessOutput,
  ) {}

  /** `from`: the first byte, or where the last follower of these files has stopped. */
  static async start(options: {
    directory: string;
    output: ProcessOutput;
    from: 'beginning' | 'cursor';
  }): Promise<OutputFollower> {
    const { directory, output, from } = options;
    const follower = new OutputFollower(directory, output);
    if (from === 'cursor') Object.assign(follower.offsets, await readCursor(directory));
    for (const stream of STREAMS) follower.files[stream] = await open(join(directory, stream), 'r+');
    follower.watcher = watch(directory, () => follower.readSoon());
    follower.watcher.on('error', () => follower.watcher?.close());
    follower.timer = setInterval(() => follower.readSoon(), POLL_MS);
    follower.readSoon();
    return follower;
  }

  /** Reads what is left and lets go of the files. */
  async finish(): Promise<void> {
    this.watcher?.close();
    clearInterval(this.timer);
    await this.reading;
    await this.readAll();
    this.saveCursor();
    for (const stream of STREAMS) await this.files[stream]?.close();
  }

  private readSoon(): void {
    if (this.isReadingQueued) return;
    this.isReadingQueued = true;
    this.reading = this.reading.then(() => {
      this.isReadingQueued = false;
      return this.readAll();
    });
    // `finish` reports it.
    this.reading.catch(() => undefined);
  }

  private async readAll(): Promise<void> {
    let hasMoved = false;
    for (const stream of STREAMS) hasMoved = (await this.readStream(stream)) || hasMoved;
    if (hasMoved && Date.now() - this.cursorSavedAtMs >= CURSOR_INTERVAL_MS) this.saveCursor();
  }

  private async readStream(stream: Stream): Promise<boolean> {
    const file = this.files[stream]!;
    const begin = this.offsets[stream];
    // Emptied by another follower.
    if ((await file.stat()).size < begin) this.offsets[stream] = 0;
    for (;;) {
      const { bytesRead, buffer } = await file.read(
        Buffer.alloc(CHUNK_BYTES),
        0,
        CHUNK_BYTES,
        this.offsets[stream],
      );
      if (bytesRead === 0) break;
      this.offsets[stream] += bytesRead;
      this.output[stream](buffer.subarray(0, bytesRead));
    }
    const hasMoved = this.offsets[stream] !== begin;
    if (this.offsets[stream] > LONGEST_FILE_BYTES) {
      await file.truncate(0);
      this.offsets[stream] = 0;
    }
    return hasMoved;
  }

  private saveCursor(): void {
    this.cursorSavedAtMs = Date.now();
    try {
      writeFileSync(join(this.directory, 'cursor'), JSON.stringify(this.offsets));
    } catch (error) {
      // The container was destroyed while its last output was read.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

async function readCursor(directory: string): Promise<Partial<Record<Stream, number>>> {
  const text = await readFile(join(directory, 'cursor'), 'utf8').catch(() => '{}');
  try {
    return JSON.parse(text) as Partial<Record<Stream, number>>;
  } catch {
    // A write that was cut off: all output again is better than none.
    return {};
  }
}
