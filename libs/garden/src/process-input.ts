import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { RiveraError } from '#rivera/models';

/** The input of a process, or the lack of one. */
export class ProcessInput {
  private hasEnded = false;

  constructor(private readonly stream: Writable | undefined) {
    // Input to a process that is gone is nobody's.
    stream?.on('error', () => (this.hasEnded = true));
    stream?.once('close', () => (this.hasEnded = true));
  }

  async write(chunk: Buffer): Promise<void> {
    if (this.stream === undefined) {
      throw new RiveraError('unsupported', 'This process has no input: start it with `stdin`.');
    }
    if (this.hasEnded || this.stream.writableEnded || this.stream.write(chunk)) return;
    const done = new AbortController();
    const { signal } = done;
    const ends = ['drain', 'close'].map((event) =>
      once(this.stream!, event, { signal }).catch(() => undefined),
    );
    await Promise.race(ends);
    // Takes the other listener away, or each wait would leave one.
    done.abort();
  }

  close(): void {
    this.stream?.end();
  }
}

/** Of a process that has no terminal. */
export function refuseResize(): Promise<never> {
  return Promise.reject(new RiveraError('unsupported', 'This process has no terminal: start it with `tty`.'));
}
