import { PassThrough } from 'node:stream';
import type { RemoteProcess } from '#rivera/client';
import type { WindowSize } from '#rivera/models';
import type { CliContext } from '../cli-context.js';
import { runRemotely } from './run-remotely.js';

/** A terminal in memory. */
class Terminal extends PassThrough {
  isTTY = true;
  isRaw = false;
  columns = 100;
  rows = 40;
  isReferenced = true;

  setRawMode(isRaw: boolean): void {
    this.isRaw = isRaw;
  }

  unref(): void {
    this.isReferenced = false;
  }
}

/** A remote process that is told what to do. */
class Played {
  readonly input: string[] = [];
  readonly sizes: WindowSize[] = [];
  readonly signals: string[] = [];
  hasEnded = false;
  private end: (outcome: number | Error) => void;
  private readonly outcome = new Promise<number | Error>((resolve) => (this.end = resolve));
  private output?: Parameters<RemoteProcess['follow']>[0];

  write(chunk: Buffer): Promise<void> {
    this.input.push(chunk.toString());
    return Promise.resolve();
  }

  closeInput(): Promise<void> {
    this.hasEnded = true;
    return Promise.resolve();
  }

  resize(size: WindowSize): Promise<void> {
    this.sizes.push(size);
    return Promise.resolve();
  }

  signal(signal: string): Promise<void> {
    this.signals.push(signal);
    return Promise.resolve();
  }

  async follow(output: Parameters<RemoteProcess['follow']>[0]): Promise<number> {
    this.output = output;
    const outcome = await this.outcome;
    if (outcome instanceof Error) throw outcome;
    return outcome;
  }

  async say(text: string): Promise<void> {
    await this.output?.stdout(Buffer.from(text));
  }

  exit(outcome: number | Error): void {
    this.end(outcome);
  }
}

function start(options: { withInput: boolean; withTerminal: boolean }, interrupt = new AbortController()) {
  const [stdin, stdout] = [new Terminal(), new Terminal()];
  const process = new Played();
  const context = {
    stdin,
    stdout,
    stderr: new PassThrough(),
    signal: interrupt.signal,
  } as unknown as CliContext;
  const ended = runRemotely(process as unknown as RemoteProcess, { context, ...options });
  ended.catch(() => undefined);
  return { stdin, stdout, interrupt, process, ended };
}

describe('a remote process at our terminal', () => {
  it('gets each key and each size, and gives the terminal back as it was', async () => {
    const { stdin, stdout, process, ended } = start({ withInput: true, withTerminal: true });
    expect(stdin.isRaw).toBe(true);
    stdin.write('\x03');
    await vi.waitFor(() => expect(process.input).toEqual(['\x03']));
    Object.assign(stdout, { columns: 120, rows: 50 });
    stdout.emit('resize');
    await process.say('hello');
    expect(stdout.read()?.toString()).toBe('hello');
    process.exit(7);
    expect(await ended).toBe(7);
    expect([stdin.isRaw, stdin.isReferenced, stdout.listenerCount('resize')]).toEqual([false, false, 0]);
    expect(process.sizes).toEqual([{ columns: 120, rows: 50 }]);
  });

  it('gives the terminal back also when the connection is lost', async () => {
    const { stdin, process, ended } = start({ withInput: true, withTerminal: true });
    process.exit(new Error('lost'));
    await expect(ended).rejects.toThrow('lost');
    expect(stdin.isRaw).toBe(false);
  });

  it('reads the end of our input, without raw mode where there is no terminal for it', async () => {
    const { stdin, process, ended } = start({ withInput: true, withTerminal: false });
    expect(stdin.isRaw).toBe(false);
    stdin.end('all');
    await vi.waitFor(() => expect(process.hasEnded).toBe(true));
    expect(process.input.join('')).toBe('all');
    process.exit(0);
    expect(await ended).toBe(0);
  });

  it('leaves our input alone without -i, and is interrupted by Ctrl-C', async () => {
    const { stdin, process, interrupt, ended } = start({ withInput: false, withTerminal: true });
    expect(stdin.isRaw).toBe(false);
    stdin.write('for somebody else');
    interrupt.abort();
    process.exit(130);
    expect(await ended).toBe(130);
    expect([process.input, process.signals]).toEqual([[], ['SIGINT']]);
  });

  it('is interrupted by a Ctrl-C that came while it was being started', async () => {
    const interrupt = new AbortController();
    interrupt.abort();
    const { process, ended } = start({ withInput: false, withTerminal: false }, interrupt);
    process.exit(130);
    await ended;
    expect(process.signals).toEqual(['SIGINT']);
  });
});
