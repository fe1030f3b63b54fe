import { closeSync, openSync, readSync } from 'node:fs';

/** Longer than any file that is read here. */
const buffer = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * A file that the kernel writes while it is read (`/proc`, cgroups); undefined when it cannot be read. Such files have no
 * size, for which `fs.readFile` allocates 64 kB each, and reading one waits for nothing: with hundreds of containers that
 * is most of what an idle agent costs.
 */
export function readKernelFile(path: string): string | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = readSync(file, buffer, length, buffer.length - length, null);
    }
    return buffer.toString('latin1', 0, length);
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
