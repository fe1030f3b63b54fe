import { realpath } from 'node:fs/promises';
import { RiveraError } from '#rivera/models';

/**
 * Rejects with `unsupported` unless `source` is, with all its links followed, one of the allowed directories or below
 * one, and with `not-found` when it is not there.
 */
export async function requireAllowedSource(source: string, allowed: string[]): Promise<void> {
  const real = await realpath(source).catch(() => undefined);
  if (real === undefined) {
    throw new RiveraError('not-found', `bind source path does not exist: ${source}`);
  }
  for (const directory of allowed) {
    const place = await realpath(directory).catch(() => directory);
    if (real === place || real.startsWith(`${place}/`)) return;
  }
  throw new RiveraError('unsupported', `This cell does not mount ${source} into containers.`);
}
