import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { RiveraError } from '#rivera/models';

/**
 * Unpacks a tar stream into a new directory, which appears at once and complete or not at all. Returns the length of the
 * stream. The host's tar does it, because it has the answers to links that lead elsewhere.
 */
export async function unpackInto(target: string, tar: Readable, signal: AbortSignal): Promise<number> {
  const unfinished = `${target}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  try {
    const bytes = await extractInto(unfinished, tar, signal);
    // Containers of any user read it.
    await chmod(unfinished, 0o755);
    await rename(unfinished, target);
    return bytes;
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
}

async function extractInto(directory: string, tar: Readable, signal: AbortSignal): Promise<number> {
  const child = spawn(
    'tar',
    ['--extract', '--file', '-', '--directory', directory, '--no-same-owner', '--no-overwrite-dir'],
    { stdio: ['pipe', 'ignore', 'pipe'], signal },
  );
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(0, 1_000)));
  let bytes = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  const ended = once(child, 'close') as Promise<[number | null]>;
  const [written, closed] = await Promise.allSettled([
    pipeline(tar, counter, child.stdin, { signal }),
    ended,
  ]);
  signal.throwIfAborted();
  if (written.status === 'rejected' && written.reason instanceof RiveraError) throw written.reason;
  if (closed.status === 'fulfilled' && closed.value[0] === 0 && written.status === 'fulfilled') return bytes;
  throw new RiveraError(
    'invalid-request',
    `the archive could not be unpacked: ${complaint.trim() || 'tar failed'}`,
  );
}
