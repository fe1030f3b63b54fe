import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import type { BindMount } from '#rivera/garden';
import { type File, RiveraError, type VolumeMount } from '#rivera/models';

/** Where the files of a definition are seen (Diego executor). */
const FILES_TARGET = '/etc/cf-service-bindings';

export interface MountOptions {
  /** Driver → the directory whose subdirectories are its volumes. */
  volumes: Record<string, string>;
  /** Files of definitions are written below it. */
  filesDirectory: string;
}

/** What containers see of this host, beside cached dependencies. */
export class Mounts {
  constructor(private readonly options: MountOptions) {}

  /** Names of the drivers that volumes can be asked of. */
  get drivers(): string[] {
    return Object.keys(this.options.volumes);
  }

  /** The directories of volumes. Rejects with `unsupported` or `not-found`, in words that are safe to show. */
  async volumes(mounts: VolumeMount[] = []): Promise<BindMount[]> {
    return Promise.all(mounts.map((mount) => this.volume(mount)));
  }

  /** Writes the files of a definition for one container to see. */
  async files(guid: string, files: File[] = []): Promise<BindMount[]> {
    if (files.length === 0) return [];
    const directory = this.directoryOf(guid);
    await rm(directory, { recursive: true, force: true });
    for (const { path, content } of files) {
      const place = join(directory, posix.resolve('/', path));
      await mkdir(dirname(place), { recursive: true, mode: 0o755 });
      await writeFile(place, content, { mode: 0o644 });
    }
    return [{ source: directory, target: FILES_TARGET, readOnly: true }];
  }

  /** Removes the files of a container that is gone. */
  async release(guid: string): Promise<void> {
    await rm(this.directoryOf(guid), { recursive: true, force: true });
  }

  private directoryOf(guid: string): string {
    return join(this.options.filesDirectory, encodeURIComponent(guid).replaceAll('.', '%2E'));
  }

  private async volume({ driver, containerDir, mode, shared }: VolumeMount): Promise<BindMount> {
    const root = this.options.volumes[driver];
    if (root === undefined) throw new RiveraError('unsupported', `this cell has no volume driver ${driver}`);
    if (shared === undefined) {
      throw new RiveraError('unsupported', `the volume driver ${driver} has shared devices only`);
    }
    if (!containerDir?.startsWith('/')) {
      throw new RiveraError('invalid-request', 'a volume mount needs an absolute containerDir');
    }
    const { volumeId } = shared;
    if (volumeId.includes('/') || volumeId.startsWith('.')) {
      throw new RiveraError('invalid-request', `the volume id ${volumeId} is no name of a directory`);
    }
    const source = join(root, volumeId);
    const found = await stat(source).catch(() => undefined);
    if (!found?.isDirectory()) throw new RiveraError('not-found', `volume ${volumeId} does not exist`);
    return { source, target: containerDir, readOnly: mode === 'r' };
  }
}
