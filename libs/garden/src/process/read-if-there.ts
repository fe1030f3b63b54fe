import { readFile } from 'node:fs/promises';

/** Of /proc/<pid>: the process has ended, while its file was open too, or is none of our business. */
const NOT_THERE = new Set(['ENOENT', 'ESRCH', 'ENOTDIR', 'EACCES', 'EPERM']);

/**
 * The text of a file, or undefined when there is none. Everything else is an error: who has no file descriptors left must
 * not take processes and containers for gone.
 */
export async function readIfThere(
  path: string,
  encoding: BufferEncoding = 'utf8',
): Promise<string | undefined> {
  try {
    return await readFile(path, encoding);
  } catch (error) {
    if (NOT_THERE.has((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
