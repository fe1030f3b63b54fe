import type { ProcessOutput } from '../container.js';

/** The token line is the first of its stream; a terminal ends it with a carriage return as well. */
const LONGEST_LINE = 128;

/**
 * Stands between an exec and its sink until the start script has said `<token> <process id>`: what arrives before is
 * held back, because it may be the reason of a failed start instead of output. Stdout and stderr reach us in no
 * particular order, so stdout waits as well.
 */
export class StartGate implements ProcessOutput {
  /** Resolves with the process id inside the container. Never settles when the process does not begin. */
  readonly opened: Promise<number>;
  private open: (pid: number) => void;
  private isOpen = false;
  private heldStdout: Buffer[] = [];
  private heldStderr = Buffer.alloc(0);

  constructor(
    private readonly token: string,
    private readonly output: ProcessOutput,
    private readonly options: { tty: boolean },
  ) {
    this.opened = new Promise((resolve) => (this.open = resolve));
  }

  /** What a failed start left behind. */
  get held(): string {
    return Buffer.concat([...this.heldStdout, this.heldStderr])
      .toString()
      .trim();
  }

  get hasOpened(): boolean {
    return this.isOpen;
  }

  stdout(chunk: Buffer): void {
    if (this.isOpen) this.output.stdout(chunk);
    else if (this.options.tty) this.lookForToken(chunk);
    else this.heldStdout.push(chunk);
  }

  stderr(chunk: Buffer): void {
    if (this.isOpen) this.output.stderr(chunk);
    else this.lookForToken(chunk);
  }

  async ready(): Promise<void> {
    if (this.isOpen) await this.output.ready?.();
  }

  private lookForToken(chunk: Buffer): void {
    this.heldStderr = Buffer.concat([this.heldStderr, chunk]);
    const end = this.heldStderr.indexOf('\n');
    if (end < 0 || end > LONGEST_LINE) return;
    const [token, pid] = this.heldStderr.subarray(0, end).toString().trim().split(' ');
    if (token !== this.token) return;
    const rest = this.heldStderr.subarray(end + 1);
    this.isOpen = true;
    for (const held of this.heldStdout) this.output.stdout(held);
    if (rest.length > 0) this.output[this.options.tty ? 'stdout' : 'stderr'](rest);
    this.heldStdout = [];
    this.heldStderr = Buffer.alloc(0);
    this.open(Number(pid));
  }
}
