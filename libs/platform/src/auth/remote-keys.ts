import { RiveraError } from '#rivera/models';

import type { Clock } from '../clock.js';
import type { RiveraLogger } from '../logging/rivera-logger.js';
import { parseJwks } from './parse-jwks.js';
import type { VerificationKey } from './verification-key.js';

export interface RemoteKeysOptions {
  /** Of a JSON Web Key Set. */
  url: string;
  clock: Pick<Clock, 'now'>;
  logger: RiveraLogger;
  /** Between refreshes that nobody asks for. */
  refreshMs?: number;
  /** Between attempts while the URL fails, and the least time between two refreshes for unknown key ids. */
  retryMs?: number;
  /** For one answer, from asking to its last byte. */
  timeoutMs?: number;
}

const REFRESH_MS = 600_000;
const RETRY_MS = 10_000;
const TIMEOUT_MS = 3_000;
/** A set of a hundred RSA keys has a tenth of this. */
const MAX_SET_BYTES = 512 * 1024;

/** The public keys published at a URL. The last good set stays in use while the URL fails. */
export class RemoteKeys {
  private current: readonly VerificationKey[] = [];
  private changes = 0;
  private text?: string;
  private attemptedAt = Number.NEGATIVE_INFINITY;
  private isFailing = false;
  private pending?: Promise<void>;
  private timer?: NodeJS.Timeout;
  private readonly closing = new AbortController();
  private readonly logger: RiveraLogger;

  constructor(private readonly options: RemoteKeysOptions) {
    this.logger = options.logger.session('token-keys', { url: options.url });
  }

  get keys(): readonly VerificationKey[] {
    return this.current;
  }

  /** How often the set has changed: what was verified under another generation must be verified again. */
  get generation(): number {
    return this.changes;
  }

  /** False until the URL has answered once. */
  get isKnown(): boolean {
    return this.text !== undefined;
  }

  /** Asks for the first set, and from here on regularly. Resolves after one attempt, good or bad. */
  async start(): Promise<void> {
    await this.refresh();
  }

  stop(): void {
    this.closing.abort();
    clearTimeout(this.timer);
  }

  /** For a key id nobody knows: perhaps the issuer has rotated its keys. Never rejects, and asks only so often. */
  async refreshForUnknownKey(): Promise<void> {
    const { clock, retryMs = RETRY_MS } = this.options;
    const isTooSoon = Math.abs(clock.now() - this.attemptedAt) < retryMs;
    if (this.pending === undefined && isTooSoon) return;
    await this.refresh();
  }

  private async refresh(): Promise<void> {
    this.pending ??= this.attempt().finally(() => {
      this.pending = undefined;
      this.schedule();
    });
    await this.pending;
  }

  private schedule(): void {
    clearTimeout(this.timer);
    if (this.closing.signal.aborted) return;
    const { refreshMs = REFRESH_MS, retryMs = RETRY_MS } = this.options;
    this.timer = setTimeout(() => void this.refresh(), this.isFailing ? retryMs : refreshMs).unref();
  }

  private async attempt(): Promise<void> {
    this.attemptedAt = this.options.clock.now();
    try {
      this.replace(await this.fetchText());
      if (this.isFailing) this.logger.log('recovered-token-keys');
      this.isFailing = false;
    } catch (error) {
      if (this.closing.signal.aborted) return;
      // Once for each outage; it is tried again every few seconds.
      if (!this.isFailing)
        this.logger.warn('failed-to-fetch-token-keys', { keysKept: this.current.length, error });
      this.isFailing = true;
    }
  }

  private replace(text: string): void {
    if (text === this.text) return;
    const keys = parseJwks(text);
    this.text = text;
    this.current = keys;
    this.changes += 1;
    const names = keys.map(({ kid, algorithm }) => `${algorithm} ${kid ?? '(no key id)'}`);
    if (keys.length === 0) this.logger.warn('token-keys-are-empty');
    else this.logger.log('changed-token-keys', { keys: names });
  }

  private async fetchText(): Promise<string> {
    const { url, timeoutMs = TIMEOUT_MS } = this.options;
    const response = await fetch(url, {
      redirect: 'error',
      headers: { accept: 'application/jwk-set+json, application/json' },
      signal: AbortSignal.any([this.closing.signal, AbortSignal.timeout(timeoutMs)]),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new RiveraError('unavailable', `The key set's URL answered ${response.status} instead of 200.`);
    }
    return readBounded(response);
  }
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_SET_BYTES) {
      throw new RiveraError('payload-too-large', `The key set is larger than ${MAX_SET_BYTES} bytes.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
