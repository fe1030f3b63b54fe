import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { RiveraError } from '#rivera/models';

/** Root filesystems, unpacked once for each content to `<directory>/<stack>-<digest>`. */
export class StackDirectories {
  private readonly known = new Map<string, Promise<string>>();

  constructor(
    private readonly directory: string,
    private readonly stacks: Record<string, string>,
  ) {}

  get names(): string[] {
    return Object.keys(this.stacks);
  }

  /** The directory of `preloaded:<stack>`. Rejects with `not-found` or, for other schemes, `unsupported`. */
  provide(rootfs: string): Promise<string> {
    const known = this.known.get(rootfs);
    if (known) return known;
    const unpacking = this.unpack(rootfs).catch((error: unknown) => {
      this.known.delete(rootfs);
      throw error;
    });
    this.known.set(rootfs, unpacking);
    return unpacking;
  }

  private async unpack(rootfs: string): Promise<string> {
    if (!rootfs.startsWith('preloaded:')) {
      throw new RiveraError(
        'unsupported',
        `The root filesystem ${rootfs} needs a container engine: this cell runs plain processes from preloaded: stacks.`,
      );
    }
    const stack = rootfs.slice('preloaded:'.length);
    const tar = this.stacks[stack];
    if (tar === undefined) {
      const names = this.names.join(', ') || 'none';
      throw new RiveraError('not-found', `There is no stack ${stack} on this cell; it has: ${names}.`);
    }
    try {
      return await unpackOnce({ tar, directory: this.directory, stack });
    } catch (error) {
      throw new RiveraError(
        'internal',
        `The stack ${stack} could not be unpacked from ${tar}: ${String(error)}.`,
      );
    }
  }
}

async function unpackOnce(options: { tar: string; directory: string; stack: string }): Promise<string> {
  const { tar, directory, stack } = options;
  const hash = createHash('sha256');
  await pipeline(createReadStream(tar), hash);
  const target = join(directory, `${stack}-${hash.digest('hex').slice(0, 12)}`);
  if (await isThere(target)) return target;
  await mkdir(directory, { recursive: true });
  const unfinished = await mkdtemp(`${target}.`);
  await promisify(execFile)('tar', [
    '--extract',
    '--file',
    tar,
    '--directory',
    unfinished,
    '--exclude',
    './dev/*',
  ]);
  try {
    await rename(unfinished, target);
  } catch (error) {
    // Another agent of this host was faster.
    await rm(unfinished, { recursive: true, force: true });
    if (!(await isThere(target))) throw error;
  }
  return target;
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
