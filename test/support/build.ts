import { execFile } from 'node:child_process';
import { readdir, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The directory of the project. */
export const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

const STAMP = join(PROJECT, 'dist/.tsbuildinfo');

/** Compiles apps and libs if a source is newer than the last build, because programs run what is in `dist`. */
export async function ensureBuilt(): Promise<void> {
  const built = await stat(STAMP).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  const newest = Math.max(...(await Promise.all(['apps', 'libs'].map(newestSource))));
  if (newest < built) return;
  const compiler = join(PROJECT, 'node_modules/typescript7/bin/tsc');
  const began = new Date();
  try {
    await promisify(execFile)(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: PROJECT });
  } catch (error) {
    throw new Error(`The build failed:\n${(error as { stdout?: string }).stdout ?? String(error)}`, {
      cause: error,
    });
  }
  // The compiler leaves the stamp alone when nothing has changed but times.
  await utimes(STAMP, began, began);
}

async function newestSource(folder: string): Promise<number> {
  const directory = join(PROJECT, folder);
  const files = (await readdir(directory, { recursive: true })).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('spec.ts'),
  );
  const times = await Promise.all(files.map(async (name) => (await stat(join(directory, name))).mtimeMs));
  return Math.max(0, ...times);
}
