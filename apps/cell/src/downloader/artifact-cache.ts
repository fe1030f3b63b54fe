import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RiveraError } from '#rivera/models';
import { untilAborted } from '../executor/until-aborted.js';
import { openArchive } from './archive.js';
import { type Checksum, type Fetched, fetchFile, type Validators } from './fetch-file.js';
import { unpackInto } from './unpack.js';

export interface ArtifactRequest {
  url: string;
  /** Absent or empty: fetched each time. */
  cacheKey?: string;
  checksum?: Checksum;
}

/** A file or directory on this host, there until it is released. */
export interface Artifact {
  path: string;
  /** Bytes that were fetched; 0 when the copy of this cell was still good. */
  fetchedBytes: number;
  /** The entry of the cache; absent when it is not kept. */
  entryId?: string;
  release(): Promise<void>;
}

export interface ArtifactCacheOptions {
  directory: string;
  /** What the entries together should not exceed. What is in use is never removed for it. */
  maxBytes: number;
  /** Of one download, and of what it unpacks to. */
  maxDownloadBytes: number;
  /** Runs downloads, some at a time. */
  downloading: <T>(download: () => Promise<T>, signal: AbortSignal) => Promise<T>;
}

interface CacheEntry extends Validators {
  id: string;
  key: string;
  fileBytes: number;
  directoryBytes: number;
  usedAtMs: number;
}

/**
 * What was downloaded before (Diego cacheddownloader), by the md5 of its cache key. A copy is asked after at each use
 * (`If-None-Match`, `If-Modified-Since`). Beyond the limit, what was not used for longest goes first; what is in use, by
 * a container that has it mounted or a transfer under way, stays, also when there is a newer version.
 */
export class ArtifactCache {
  private readonly current = new Map<string, CacheEntry>();
  private readonly replaced = new Map<string, CacheEntry>();
  private readonly holders = new Map<string, Set<string>>();
  private readonly queues = new Map<string, Promise<unknown>>();
  private saving: Promise<void> = Promise.resolve();

  private constructor(private readonly options: ArtifactCacheOptions) {}

  /** Takes up what an earlier agent left; whatever the index does not know is removed. */
  static async open(options: ArtifactCacheOptions): Promise<ArtifactCache> {
    const cache = new ArtifactCache(options);
    await mkdir(options.directory, { recursive: true, mode: 0o711 });
    const entries = await readIndex(cache.indexFile);
    for (const entry of entries) {
      if (await isWhole(cache, entry)) cache.current.set(entry.key, entry);
    }
    const known = new Set(entries.flatMap(({ id }) => [id, `${id}.d`]));
    for (const name of await readdir(options.directory)) {
      if (!known.has(name) && name !== 'index.json') await remove(join(options.directory, name));
    }
    return cache;
  }

  /** The bytes as the server has them. */
  async fetchFile(request: ArtifactRequest, signal: AbortSignal): Promise<Artifact> {
    const { cacheKey = '' } = request;
    if (cacheKey === '') return this.fetchUncached(request, signal);
    return this.inTurn(cacheKey, signal, async () => {
      const known = this.current.get(cacheKey);
      const fetched = await this.fetch(request, known?.fileBytes ? known : undefined, signal);
      if (fetched.entry === undefined) return this.uncached(fetched.path, fetched.bytes);
      return this.held(fetched.entry, this.fileOf(fetched.entry), fetched.bytes, randomUUID());
    });
  }

  /**
   * The directory an archive unpacks to, for mounting; `holder` (a container) has it until `release(holder)`.
   * Errors beside those of fetching: `unsupported` when it cannot be recognised at its next use.
   */
  async fetchDirectory(request: ArtifactRequest, holder: string, signal: AbortSignal): Promise<Artifact> {
    const { cacheKey = '' } = request;
    if (cacheKey === '')
      throw new RiveraError('unsupported', 'Not cacheable directory: cache key is missing');
    return this.inTurn(cacheKey, signal, async () => {
      const { entry, path, bytes } = await this.fetch(request, this.current.get(cacheKey), signal);
      if (entry === undefined) {
        await remove(path);
        throw new RiveraError(
          'unsupported',
          'Not cacheable directory: ETag and Last-Modified were missing from response',
        );
      }
      await this.expand(entry, signal);
      return this.held(entry, this.directoryOf(entry), bytes, holder);
    });
  }

  /** A container of an earlier agent goes on using these entries. */
  hold(holder: string, entryIds: string[]): void {
    for (const id of entryIds) this.holdersOf(id).add(holder);
  }

  async release(holder: string): Promise<void> {
    for (const [id, holders] of this.holders) {
      holders.delete(holder);
      if (holders.size === 0) this.holders.delete(id);
    }
    await this.removeReplaced();
  }

  /** Bytes of all entries. */
  get bytes(): number {
    let total = 0;
    for (const entry of [...this.current.values(), ...this.replaced.values()]) total += bytesOf(entry);
    return total;
  }

  fileOf({ id }: { id: string }): string {
    return join(this.options.directory, id);
  }

  directoryOf({ id }: { id: string }): string {
    return join(this.options.directory, `${id}.d`);
  }

  private get indexFile(): string {
    return join(this.options.directory, 'index.json');
  }

  private async fetchUncached(request: ArtifactRequest, signal: AbortSignal): Promise<Artifact> {
    const { path, fetched } = await this.download(request, undefined, signal);
    return this.uncached(path, fetched.isModified ? fetched.bytes : 0);
  }

  private uncached(path: string, fetchedBytes: number): Artifact {
    return { path, fetchedBytes, release: () => remove(path) };
  }

  /** The entry that is good now; none (and the file itself) when the server says nothing to recognise it by. */
  private async fetch(
    request: ArtifactRequest,
    known: CacheEntry | undefined,
    signal: AbortSignal,
  ): Promise<{ entry?: CacheEntry; path: string; bytes: number }> {
    const { path, fetched } = await this.download(request, known, signal);
    if (!fetched.isModified) {
      known!.usedAtMs = Date.now();
      return { entry: known, path, bytes: 0 };
    }
    const { bytes, etag, lastModified } = fetched;
    if (etag === undefined && lastModified === undefined) return { path, bytes };
    const entry = await this.add(request.cacheKey!, path, fetched);
    return { entry, path, bytes };
  }

  private async download(
    { url, checksum }: ArtifactRequest,
    validators: Validators | undefined,
    signal: AbortSignal,
  ): Promise<{ path: string; fetched: Fetched }> {
    const { directory, maxDownloadBytes: maxBytes, downloading } = this.options;
    const path = join(directory, `.download-${randomUUID()}`);
    try {
      const fetched = await downloading(
        () => fetchFile({ url, checksum, validators, maxBytes }, path, signal),
        signal,
      );
      return { path, fetched };
    } catch (error) {
      await remove(path);
      throw error;
    }
  }

  private async add(
    key: string,
    path: string,
    { bytes, etag, lastModified }: Extract<Fetched, { isModified: true }>,
  ): Promise<CacheEntry> {
    await this.makeRoom(bytes);
    const id = `${createHash('md5').update(key).digest('hex')}-${randomUUID().slice(0, 8)}`;
    const entry: CacheEntry = {
      id,
      key,
      fileBytes: bytes,
      directoryBytes: 0,
      usedAtMs: Date.now(),
      ...(etag === undefined ? {} : { etag }),
      ...(lastModified === undefined ? {} : { lastModified }),
    };
    await rename(path, this.fileOf(entry));
    const former = this.current.get(key);
    if (former !== undefined) this.replaced.set(former.id, former);
    this.current.set(key, entry);
    await this.removeReplaced();
    await this.save();
    return entry;
  }

  private async expand(entry: CacheEntry, signal: AbortSignal): Promise<void> {
    if (entry.directoryBytes > 0) return;
    const { maxDownloadBytes: maxBytes } = this.options;
    const target = this.directoryOf(entry);
    const tar = await openArchive(this.fileOf(entry), { name: 'file', maxBytes });
    const bytes = await unpackInto(target, tar, signal);
    entry.directoryBytes = Math.max(1, bytes);
    // Mounted as a directory and not read as a file again: kept once, not twice.
    await remove(this.fileOf(entry));
    entry.fileBytes = 0;
    await this.makeRoom(0);
    await this.save();
  }

  private held(entry: CacheEntry, path: string, fetchedBytes: number, holder: string): Artifact {
    this.hold(holder, [entry.id]);
    return { path, fetchedBytes, entryId: entry.id, release: () => this.release(holder) };
  }

  private holdersOf(id: string): Set<string> {
    const holders = this.holders.get(id) ?? new Set<string>();
    this.holders.set(id, holders);
    return holders;
  }

  /** Removes what was not used for longest; if all is in use the limit gives way. */
  private async makeRoom(wanted: number): Promise<void> {
    const byAge = [...this.current.values()].toSorted((a, b) => a.usedAtMs - b.usedAtMs);
    for (const entry of byAge) {
      if (this.bytes + wanted <= this.options.maxBytes) return;
      if (this.holders.has(entry.id) || this.queues.has(entry.key)) continue;
      this.current.delete(entry.key);
      await this.removeFiles(entry);
    }
  }

  private async removeReplaced(): Promise<void> {
    for (const entry of this.replaced.values()) {
      if (this.holders.has(entry.id)) continue;
      this.replaced.delete(entry.id);
      await this.removeFiles(entry);
    }
  }

  private async removeFiles(entry: CacheEntry): Promise<void> {
    await remove(this.fileOf(entry));
    await remove(this.directoryOf(entry));
  }

  /** One at a time for each key; who waits may give up. */
  private async inTurn<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = this.queues.get(key) ?? Promise.resolve();
    const turn = before.then(
      () => work(),
      () => work(),
    );
    const settled = turn.catch(() => undefined);
    this.queues.set(key, settled);
    try {
      return await untilAborted(turn, signal);
    } finally {
      if (this.queues.get(key) === settled) this.queues.delete(key);
    }
  }

  /** Written whenever it changes, for an agent that is killed saves nothing. */
  private save(): Promise<void> {
    const content = JSON.stringify([...this.current.values(), ...this.replaced.values()]);
    this.saving = this.saving.then(async () => {
      await writeFile(`${this.indexFile}.new`, content);
      await rename(`${this.indexFile}.new`, this.indexFile);
    });
    return this.saving;
  }
}

function bytesOf({ fileBytes, directoryBytes }: CacheEntry): number {
  return fileBytes + directoryBytes;
}

async function isWhole(cache: ArtifactCache, entry: CacheEntry): Promise<boolean> {
  const paths = [
    ...(entry.fileBytes > 0 ? [cache.fileOf(entry)] : []),
    ...(entry.directoryBytes > 0 ? [cache.directoryOf(entry)] : []),
  ];
  const found = await Promise.allSettled(paths.map((path) => stat(path)));
  return paths.length > 0 && found.every(({ status }) => status === 'fulfilled');
}

async function readIndex(file: string): Promise<CacheEntry[]> {
  const text = await readFile(file, 'utf8').catch(() => '[]');
  try {
    return JSON.parse(text) as CacheEntry[];
  } catch {
    return [];
  }
}

async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
}
