import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const BUILD = fileURLToPath(new URL('../../docker/rootfs/build.sh', import.meta.url));

export interface RootfsHarness {
  /** The tar of the `base` stack. */
  tar: string;
  /** The static busybox it was made of. */
  busybox: string;
  remove(): Promise<void>;
}

/** Builds the `base` root filesystem (needs a static busybox on PATH or in BUSYBOX). */
export async function buildRootfs(): Promise<RootfsHarness> {
  const directory = await mkdtemp(join(tmpdir(), 'rivera-rootfs-'));
  const tar = join(directory, 'base.tar');
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    await promisify(execFile)(BUILD, [tar]);
    await promisify(execFile)('tar', ['--extract', '--file', tar, '--directory', directory, './bin/busybox']);
  } catch (error) {
    await remove();
    throw error;
  }
  return { tar, busybox: join(directory, 'bin/busybox'), remove };
}
