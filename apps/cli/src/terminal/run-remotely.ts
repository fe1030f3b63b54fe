import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { RemoteProcess } from '#rivera/client';
import type { CliContext } from '../cli-context.js';
import { enterRawMode, onResize } from './terminal.js';

export interface RemoteOptions {
  context: CliContext;
  withInput: boolean;
  withTerminal: boolean;
}

/** Connects a remote process with our own input, outputs and terminal; resolves with its exit status. */
export async function runRemotely(
  process: RemoteProcess,
  { context, withInput, withTerminal }: RemoteOptions,
): Promise<number> {
  const { stdin, stdout, stderr, signal } = context;
  const interrupt = (): void => void process.signal('SIGINT');
  signal.addEventListener('abort', interrupt);
  // While the process was being started.
  if (signal.aborted) interrupt();
  const undo = [() => signal.removeEventListener('abort', interrupt)];
  if (withTerminal) {
    undo.push(onResize(stdout, (size) => void process.resize(size)));
    if (withInput) undo.push(enterRawMode(stdin));
  }
  if (withInput) undo.push(forward(stdin, process));
  try {
    return await process.follow({
      stdout: (chunk) => put(stdout, chunk),
      stderr: (chunk) => put(stderr, chunk),
    });
  } finally {
    for (const each of undo.toReversed()) each();
  }
}

/** Hands the process our input as it takes it; the answer ends that and lets go of the input. */
function forward(stdin: Readable, process: RemoteProcess): () => void {
  const give = (chunk: Buffer | string): void => {
    stdin.pause();
    void process.write(Buffer.from(chunk)).then(() => isOpen && stdin.resume());
  };
  const end = (): void => void process.closeInput();
  let isOpen = true;
  stdin.on('data', give).on('end', end);
  return () => {
    isOpen = false;
    stdin.off('data', give).off('end', end);
    stdin.pause();
    // A terminal that somebody could still type on would keep us here.
    (stdin as Readable & { unref?: () => void }).unref?.();
  };
}

async function put(stream: Writable, chunk: Buffer): Promise<void> {
  if (!stream.write(chunk)) await once(stream, 'drain');
}
