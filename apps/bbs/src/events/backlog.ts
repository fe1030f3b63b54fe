import type { Writable } from 'node:stream';

/** Bytes kept for a client that has not read them yet; the rest waits in the log. */
const MAX_BACKLOG_BYTES = 1024 * 1024;
/** A client that has not read its backlog after this long is disconnected; it may begin again. */
const PATIENCE_MS = 30_000;

/** What a client of an event stream has not read yet, and for how long that is put up with. */
export class Backlog {
  private wake = () => {};

  constructor(
    private readonly out: Writable,
    private readonly onSlow: () => void,
    private readonly patienceMs = PATIENCE_MS,
  ) {
    out.on('drain', () => this.wake());
    out.on('close', () => this.wake());
  }

  get hasRoom(): boolean {
    return this.out.writableLength < MAX_BACKLOG_BYTES;
  }

  /** Resolves when the client has read what it was sent, or is gone. */
  async ready(): Promise<void> {
    const { out } = this;
    if (!out.writableNeedDrain) return;
    const timer = setTimeout(() => {
      this.onSlow();
      out.destroy();
    }, this.patienceMs);
    await new Promise<void>((resolve) => (this.wake = resolve));
    clearTimeout(timer);
  }
}
