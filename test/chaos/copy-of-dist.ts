import { cp, mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureBuilt, PROJECT } from '../support/build.js';

/** A copy of the compiled programs that runs by itself: it may be changed, and later builds do not change it. */
export async function copyOfDist(name: string): Promise<{ dist: string; remove(): Promise<void> }> {
  await ensureBuilt();
  const directory = join(PROJECT, '.rivera/chaos', name);
  const dist = join(directory, 'dist');
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  await Promise.all([
    ...['apps', 'libs'].map((part) => cp(join(PROJECT, 'dist', part), join(dist, part), { recursive: true })),
    cp(join(PROJECT, 'package.json'), join(directory, 'package.json')),
    symlink(join(PROJECT, 'node_modules'), join(directory, 'node_modules')),
  ]);
  return { dist, remove: () => rm(directory, { recursive: true, force: true }) };
}
