import { access } from 'node:fs/promises';
import { isAbsolute, join, posix } from 'node:path';
import type { PortMapping } from '#rivera/models';
import { notFound } from '#rivera/models';
import type { ContainerSpec, ProcessSpec } from '../container.js';
import { mergeEnvironment, withUser } from '../environment.js';

/** What is kept of a container in its `container.json`. */
export interface ContainerRecord {
  handle: string;
  /** The directory of the unpacked stack. */
  stack: string;
  env: string[];
  ports: PortMapping[];
  properties: Record<string, string>;
  main?: ProcessSpec;
}

export function recordOf(
  spec: ContainerSpec,
  more: { stack: string; ports: PortMapping[] },
): ContainerRecord {
  const { handle, env, properties, main } = spec;
  return { handle, env, properties, main, ...more };
}

/** Names the processes of a container, wherever they go. */
const MARKER = 'RIVERA_CONTAINER';

const BIN_DIRECTORIES = ['usr/local/bin', 'usr/bin', 'bin', 'usr/sbin', 'sbin'];
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

/**
 * The paths of one container. A container has no root filesystem of its own: what is streamed into it is kept below
 * `files`, and what it names is looked for there, then in the unpacked stack, then on the host.
 */
export class ContainerDirectory {
  readonly files: string;
  readonly main: string;
  readonly processes: string;
  readonly recordFile: string;
  readonly startedFile: string;
  /** In the environment of all its processes. */
  readonly marker: string;

  constructor(readonly path: string) {
    this.files = join(path, 'files');
    this.main = join(path, 'main');
    this.processes = join(path, 'processes');
    this.recordFile = join(path, 'container.json');
    this.startedFile = join(path, 'started');
    this.marker = `${MARKER}=${path}`;
  }

  /** Where a path of the container is among its own files. */
  own(path: string): string {
    return join(this.files, posix.resolve('/', path));
  }

  /** The user's home among the container's own files. */
  home(user: string): string {
    return this.own(user === 'root' || user === '' ? '/root' : `/home/${user.split(':')[0]}`);
  }

  /** An existing file or directory of the container, or undefined. */
  async find(path: string, stack: string): Promise<string | undefined> {
    for (const candidate of [this.own(path), join(stack, posix.resolve('/', path))]) {
      if (await isThere(candidate)) return candidate;
    }
    return undefined;
  }

  workingDirectory(spec: ProcessSpec): string {
    return spec.dir ? this.own(spec.dir) : this.home(spec.user);
  }

  /** The file to run. Rejects with `not-found`. */
  async program(
    spec: ProcessSpec,
    options: { record: ContainerRecord; cwd: string; env: string[] },
  ): Promise<string> {
    const { record, cwd, env } = options;
    const candidates = spec.path.includes('/')
      ? isAbsolute(spec.path)
        ? [await this.find(spec.path, record.stack), spec.path]
        : [join(cwd, spec.path)]
      : valueOf(env, 'PATH')!
          .split(':')
          .map((directory) => join(directory, spec.path));
    for (const candidate of candidates) if (candidate && (await isThere(candidate))) return candidate;
    throw notFound(`program for the container ${record.handle}`, spec.path);
  }

  /**
   * Nothing is inherited from the agent but its PATH, behind the stack's and the process's own. HOME and TMPDIR are
   * among the container's own files, because the host's belong to somebody else. PORT is the host port of the first
   * mapping, because there is one network for all.
   */
  environment(spec: ProcessSpec, record: ContainerRecord): string[] {
    const wanted = withUser(mergeEnvironment(record.env, spec.env), spec.user || 'root');
    const stackPath = BIN_DIRECTORIES.map((directory) => join(record.stack, directory));
    const path = [...stackPath, valueOf(wanted, 'PATH') ?? process.env.PATH ?? DEFAULT_PATH].join(':');
    return mergeEnvironment([`HOME=${this.home(spec.user)}`, `TMPDIR=${this.own('/tmp')}`], wanted, [
      `PATH=${path}`,
      ...record.ports.slice(0, 1).map(({ hostPort }) => `PORT=${hostPort}`),
      this.marker,
    ]);
  }
}

function valueOf(env: string[], name: string): string | undefined {
  return env.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
