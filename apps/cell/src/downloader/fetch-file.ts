import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { RiveraError } from '#rivera/models';

/** Diego cacheddownloader. */
const ATTEMPTS = 4;
const FIRST_BACK_OFF_MS = 500;
const LONGEST_BACK_OFF_MS = 5_000;
const JITTER_MS = 200;
const IDLE_MS = 10_000;
const REQUEST_MS = 600_000;

export interface Checksum {
  /** `md5`, `sha1`, `sha256` or `sha512`. */
  algorithm: string;
  /** In hexadecimal digits. */
  value: string;
}

/** What a server says to recognise a version by. */
export interface Validators {
  etag?: string;
  lastModified?: string;
}

export interface FetchRequest {
  url: string;
  checksum?: Checksum;
  /** A larger body is not taken. */
  maxBytes: number;
  /** Of a copy that is there already. */
  validators?: Validators;
}

export type Fetched = { isModified: false } | ({ isModified: true; bytes: number } & Validators);

/**
 * Fetches a URL into a file. Tried four times, but not again after a wrong checksum, a body that is too large, or an
 * abort. Errors: `precondition-failed` (checksum), `payload-too-large`, `unavailable` (anything the server or the
 * network did). The URL is in none of them: it may hold a signature.
 */
export async function fetchFile(
  request: FetchRequest,
  target: string,
  signal: AbortSignal,
): Promise<Fetched> {
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await fetchOnce(request, target, signal);
    } catch (error) {
      signal.throwIfAborted();
      const isFinal = error instanceof RiveraError && !error.retryable;
      if (isFinal || attempt === ATTEMPTS) throw unavailable(error);
      const backOffMs = Math.min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** (attempt - 1));
      await sleep(backOffMs + Math.random() * JITTER_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

async function fetchOnce(
  { url, checksum, maxBytes, validators }: FetchRequest,
  target: string,
  signal: AbortSignal,
): Promise<Fetched> {
  const idle = new AbortController();
  const idling = setTimeout(() => idle.abort(new Error(`nothing came for ${IDLE_MS} ms`)), IDLE_MS);
  const ending = AbortSignal.any([signal, idle.signal, AbortSignal.timeout(REQUEST_MS)]);
  try {
    const response = await fetch(url, {
      // Identity: a compressed transfer of a .tgz would be unpacked on its way and fail its checksum.
      headers: { 'accept-encoding': 'identity', ...conditions(validators) },
      signal: ending,
    });
    if (response.status === 304 && validators !== undefined) {
      await response.body?.cancel();
      return { isModified: false };
    }
    if (response.status !== 200 || response.body === null) {
      await response.body?.cancel();
      throw new RiveraError('unavailable', `Download failed: Status code ${response.status}`);
    }
    const meter = new Meter(checksum, maxBytes, () => idling.refresh());
    await pipeline(Readable.fromWeb(response.body), meter, createWriteStream(target), { signal: ending });
    meter.verify();
    return { isModified: true, bytes: meter.bytes, ...validatorsOf(response.headers) };
  } finally {
    clearTimeout(idling);
  }
}

/** Counts and digests what flows through it. */
class Meter extends Transform {
  bytes = 0;
  private readonly hash: ReturnType<typeof createHash> | undefined;

  constructor(
    private readonly checksum: Checksum | undefined,
    private readonly maxBytes: number,
    private readonly onProgress: () => void,
  ) {
    super();
    this.hash = checksum && createHash(checksum.algorithm.toLowerCase());
  }

  override _transform(
    chunk: Buffer,
    _encoding: string,
    done: (error: Error | null, chunk?: Buffer) => void,
  ): void {
    this.bytes += chunk.length;
    this.onProgress();
    if (this.bytes > this.maxBytes) {
      done(new RiveraError('payload-too-large', `The download is larger than ${this.maxBytes} bytes.`));
      return;
    }
    this.hash?.update(chunk);
    done(null, chunk);
  }

  verify(): void {
    if (this.checksum === undefined || this.hash === undefined) return;
    const digest = this.hash.digest('hex');
    if (digest === this.checksum.value.toLowerCase()) return;
    throw new RiveraError(
      'precondition-failed',
      `The ${this.checksum.algorithm} checksum is ${digest}, not ${this.checksum.value}.`,
    );
  }
}

function conditions(validators: Validators | undefined): Record<string, string> {
  return {
    ...(validators?.etag === undefined ? {} : { 'if-none-match': validators.etag }),
    ...(validators?.lastModified === undefined ? {} : { 'if-modified-since': validators.lastModified }),
  };
}

function validatorsOf(headers: Headers): Validators {
  const [etag, lastModified] = [headers.get('etag'), headers.get('last-modified')];
  return {
    ...(etag === null ? {} : { etag }),
    ...(lastModified === null ? {} : { lastModified }),
  };
}

function unavailable(error: unknown): RiveraError {
  if (error instanceof RiveraError) return error;
  const { message, cause } = error as Error;
  return new RiveraError('unavailable', cause instanceof Error ? `${message}: ${cause.message}` : message);
}
