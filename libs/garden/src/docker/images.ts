import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import { RiveraError } from '#rivera/models';
import type { ContainerSpec } from '../container.js';
import { asking, askingUnless, engineError, statusOf } from './engine-error.js';
import type { Engine } from './engine.js';
import type { ImageRecord } from './image-record.js';
import { type PullLine, PullProgress } from './pull-progress.js';

/** Silence beyond this ends a pull (Nomad's docker driver). */
const PULL_INACTIVITY_MS = 120_000;
const MISSING =
  /not found|manifest unknown|does not exist|access denied|no such image|unauthorized|authentication required|no basic auth/i;

export type RootfsRequest = Pick<ContainerSpec, 'rootfs' | 'imageUsername' | 'imagePassword'>;

/**
 * `missing`: a pull only when the engine does not have the image, which also means that an image once pulled with
 * credentials can be used without on this cell. `always`: the registry is asked each time.
 */
export type PullPolicy = 'missing' | 'always';

/**
 * The images containers are made of: `preloaded:<stack>` from a tar of the agent's host, imported once for each
 * content, and `docker://[registry/]repository[#tag]` from a registry. Concurrent requests for one image share one
 * import or pull.
 */
export class Images {
  private readonly underway = new Map<string, Promise<string>>();
  private readonly pulls = new Map<string, PullProgress>();
  /** Root filesystem → reference of what the engine was seen to have; one that was removed since is noticed when it is used. */
  private readonly present = new Map<string, string>();
  private readonly digests = new Map<string, Promise<string>>();

  constructor(
    private readonly engine: Engine,
    private readonly options: { stacks: Record<string, string>; pull: PullPolicy; record: ImageRecord },
  ) {}

  get stacks(): string[] {
    return Object.keys(this.options.stacks);
  }

  /**
   * The engine's reference for a root filesystem, present when this resolves. Rejects with `not-found` for an unknown
   * stack or image, `unsupported` for an unknown scheme, `unavailable` when the registry cannot be reached.
   */
  async provide(request: RootfsRequest, onProgress?: (text: string) => void): Promise<string> {
    const known = this.present.get(request.rootfs);
    const reference = known ?? (await this.look(request, onProgress));
    this.options.record.use(reference);
    if (this.options.pull === 'missing' || request.rootfs.startsWith('preloaded:')) {
      this.present.set(request.rootfs, reference);
    }
    return reference;
  }

  /**
   * Removes what this cell has pulled and no container needs, the least recently used first, until there is no more need.
   * Returns what was removed. What an engine of several cells still has a container of, it does not give up.
   */
  async collect(isNeeded: () => Promise<boolean>): Promise<string[]> {
    const { record } = this.options;
    const removed: string[] = [];
    for (const reference of record.leastRecentlyUsed) {
      if (!(await isNeeded())) break;
      if (await this.isInUse(reference)) continue;
      const gone = await askingUnless([409], `The image ${reference} could not be removed`, async () => {
        await this.removeImage(reference);
        return true;
      });
      if (!gone) continue;
      removed.push(reference);
      record.remove(reference);
      for (const [rootfs, found] of this.present) if (found === reference) this.present.delete(rootfs);
    }
    await record.save();
    return removed;
  }

  /** The engine itself would let go of a name of an image that has several. */
  private async isInUse(reference: string): Promise<boolean> {
    const containers = await asking(`The containers of image ${reference} could not be listed`, () =>
      this.engine.api.listContainers({ all: true, filters: { ancestor: [reference] } }),
    );
    return containers.length > 0;
  }

  /** One that is not there any more is success. */
  private async removeImage(reference: string): Promise<void> {
    try {
      await this.engine.api.getImage(reference).remove();
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
    }
  }

  /** The engine said that it does not have it. */
  forget({ rootfs }: RootfsRequest): void {
    this.present.delete(rootfs);
  }

  private look(request: RootfsRequest, onProgress?: (text: string) => void): Promise<string> {
    const { rootfs, imageUsername = '', imagePassword = '' } = request;
    const credentials = createHash('sha256').update(`${imageUsername}\0${imagePassword}`).digest('hex');
    const key = `${rootfs} ${credentials}`;
    if (rootfs.startsWith('docker://')) return this.shareRemote(key, request, onProgress);
    return shared(this.underway, key, () => {
      if (rootfs.startsWith('preloaded:')) return this.preloaded(rootfs.slice('preloaded:'.length));
      throw new RiveraError(
        'unsupported',
        `The root filesystem ${rootfs} is neither preloaded: nor docker://.`,
      );
    });
  }

  private async preloaded(stack: string): Promise<string> {
    const tar = this.options.stacks[stack];
    if (tar === undefined) {
      const known = this.stacks.join(', ') || 'none';
      throw new RiveraError('not-found', `There is no stack ${stack} on this cell; it has: ${known}.`);
    }
    const tag = (await this.digest(tar)).slice(0, 12);
    const what = `The stack ${stack} could not be imported from ${tar}`;
    return this.imported({ repo: `rivera/${stack}`, tag, what }, () => createReadStream(tar));
  }

  /** The reference of an image with nothing in it but this program, as `/<name>`. */
  ofProgram(name: string, program: Buffer): Promise<string> {
    return shared(this.underway, `program ${name}`, () => {
      const tag = createHash('sha256').update(program).digest('hex').slice(0, 12);
      const what = `An image with ${name} could not be imported`;
      return this.imported({ repo: `rivera/only-${name}`, tag, what }, () => {
        const tar = pack();
        tar.entry({ name, mode: 0o755 }, program);
        tar.finalize();
        return tar as unknown as NodeJS.ReadableStream;
      });
    });
  }

  /** Its name says what is in it, so that it is imported once. */
  private async imported(
    { repo, tag, what }: { repo: string; tag: string; what: string },
    tar: () => NodeJS.ReadableStream,
  ): Promise<string> {
    const reference = `${repo}:${tag}`;
    if (await this.isPresent(reference)) return reference;
    const progress = await asking(what, () => this.engine.streams.importImage(tar(), { repo, tag }));
    await followProgress(progress, what);
    return reference;
  }

  private digest(tar: string): Promise<string> {
    const known = this.digests.get(tar);
    if (known) return known;
    const digest = sha256Of(tar).catch((error: unknown) => {
      this.digests.delete(tar);
      throw new RiveraError('not-found', `The stack's tar ${tar} cannot be read: ${String(error)}.`);
    });
    this.digests.set(tar, digest);
    return digest;
  }

  private async shareRemote(
    key: string,
    request: RootfsRequest,
    onProgress: (text: string) => void = () => undefined,
  ): Promise<string> {
    const image = parseImageUrl(request.rootfs);
    const progress = this.pulls.get(key) ?? new PullProgress(image.reference);
    this.pulls.set(key, progress);
    progress.tell(onProgress);
    return shared(this.underway, key, () =>
      this.remote(request, image, progress).finally(() => this.pulls.delete(key)),
    );
  }

  private async remote(
    request: RootfsRequest,
    image: ReturnType<typeof parseImageUrl>,
    progress: PullProgress,
  ): Promise<string> {
    const { pull, record } = this.options;
    const isThere = await this.isPresent(image.reference);
    if (pull === 'missing' && isThere) return image.reference;
    progress.begin();
    await this.pull(request, image, progress);
    progress.done();
    // What was there before is somebody else's.
    if (isThere) record.use(image.reference);
    else await record.add(image.reference);
    return image.reference;
  }

  private async pull(
    { imageUsername, imagePassword }: RootfsRequest,
    { reference, registry }: { reference: string; registry: string },
    pulling: PullProgress,
  ): Promise<void> {
    const what = `The image ${reference} could not be pulled`;
    const auth = imageUsername
      ? { username: imageUsername, password: imagePassword ?? '', serveraddress: registry }
      : undefined;
    const silence = new AbortController();
    const progress = await asking(what, () =>
      this.engine.streams.createImage(auth, { fromImage: reference, abortSignal: silence.signal }),
    ).catch((error: unknown) => {
      throw refused(error, what);
    });
    await followProgress(progress, what, { silence, onLine: (line) => pulling.take(line) });
  }

  private async isPresent(reference: string): Promise<boolean> {
    const found = await askingUnless([404], `The image ${reference} could not be looked up`, () =>
      this.engine.api.getImage(reference).inspect(),
    );
    return found !== undefined;
  }
}

/** `docker://registry/repository#tag` in the engine's words; the tag is `latest` when none is named. */
export function parseImageUrl(url: string): { reference: string; registry: string } {
  const [name = '', tag] = url.slice('docker://'.length).replace(/^\/+/, '').split('#', 2);
  const first = name.split('/')[0]!;
  const isRegistry = name.includes('/') && (/[.:]/.test(first) || first === 'localhost');
  if (!name) throw new RiveraError('invalid-request', `The root filesystem ${url} names no image.`);
  const tagged = name.includes('@') || /:[^/]+$/.test(name);
  return {
    reference: tagged ? name : tag?.startsWith('sha256:') ? `${name}@${tag}` : `${name}:${tag || 'latest'}`,
    registry: isRegistry ? first : 'https://index.docker.io/v1/',
  };
}

/** Reads the progress of an import or pull. The engine reports a failure as a line of an answer with status 200. */
async function followProgress(
  progress: NodeJS.ReadableStream,
  what: string,
  { silence, onLine }: { silence?: AbortController; onLine?: (line: PullLine) => void } = {},
): Promise<void> {
  let failure: string | undefined;
  const impatience = setTimeout(() => {
    failure = `there was no progress for ${PULL_INACTIVITY_MS} ms`;
    silence?.abort();
  }, PULL_INACTIVITY_MS);
  try {
    for await (const line of createInterface({ input: progress })) {
      impatience.refresh();
      if (!line.trim()) continue;
      const said = JSON.parse(line) as PullLine;
      failure ??= said.error;
      onLine?.(said);
    }
  } catch (error) {
    throw new RiveraError('unavailable', `${what}: ${failure ?? String(error)}.`);
  } finally {
    clearTimeout(impatience);
  }
  if (failure !== undefined) throw refused(new Error(failure), what);
}

/** Whether a registry said no (`not-found`: trying again changes nothing) or could not be asked (`unavailable`). */
function refused(error: unknown, what: string): RiveraError {
  const known = engineError(error, what);
  if (MISSING.test(known.message)) return new RiveraError('not-found', known.message);
  return new RiveraError('unavailable', known.message);
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** One call for all who ask for the same while it is under way; nothing is kept of it afterwards. */
async function shared<T>(underway: Map<string, Promise<T>>, key: string, call: () => Promise<T>): Promise<T> {
  const running = underway.get(key);
  if (running) return running;
  const started = call().finally(() => underway.delete(key));
  underway.set(key, started);
  return started;
}
