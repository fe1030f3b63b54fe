import { RiveraError } from '#rivera/models';
import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';

import type { RemoteKeys } from './remote-keys.js';
import { readTokenHeader, type TokenHeader } from './token-header.js';
import type { VerificationKey } from './verification-key.js';

/**
 * All keys tokens are checked with: those of the configuration, and those of a key set that may change while we run.
 * The algorithm of a key is fixed; a token only chooses among keys, never how one is used.
 */
export class KeyRing implements OnModuleInit, OnModuleDestroy {
  constructor(
    private readonly own: readonly VerificationKey[],
    private readonly remote?: RemoteKeys,
  ) {}

  onModuleInit(): Promise<void> | undefined {
    return this.remote?.start();
  }

  onModuleDestroy(): void {
    this.remote?.stop();
  }

  /** Changes whenever a key may have gone. */
  get generation(): number {
    return this.remote?.generation ?? 0;
  }

  /**
   * The key that signed this token, or the likeliest one; whoever asks verifies the token with it.
   *
   * @throws RiveraError `unauthenticated` when there is none, or the token cannot be read
   */
  async find(token: string): Promise<VerificationKey> {
    const header = readTokenHeader(token);
    const { algorithm, kid } = header;
    // A shared secret is never published, so a token signed with one gives no reason to ask for the key set.
    const isUnknown =
      algorithm !== 'HS256' && !this.remote?.keys.some((key) => matches(key, header) && key.kid === kid);
    if (isUnknown) await this.remote?.refreshForUnknownKey();
    const all = [...this.own, ...(this.remote?.keys ?? [])];
    if (all.length === 0)
      throw refused(this.remote ? 'has not received any key yet; try again later' : NO_KEY);
    const sameAlgorithm = all.filter((key) => key.algorithm === algorithm);
    if (sameAlgorithm.length === 0) {
      throw new RiveraError(
        'unauthenticated',
        'The token is signed with an algorithm this server does not accept.',
      );
    }
    const candidates = sameAlgorithm.filter((key) => matches(key, header));
    if (candidates.length === 0) {
      const sentence = `The token is signed with a key this server does not know (key id ${JSON.stringify(kid)}).`;
      throw new RiveraError('unauthenticated', sentence);
    }
    return choose(token, candidates);
  }
}

const NO_KEY = 'has no key to check tokens with; set JWT_SECRET_FILE, JWT_PUBLIC_KEY_FILE or JWT_JWKS_URL';

function refused(reason: string): RiveraError {
  return new RiveraError('unauthenticated', `This server ${reason}.`);
}

function matches(key: VerificationKey, { algorithm, kid }: TokenHeader): boolean {
  return key.algorithm === algorithm && (key.kid === undefined || kid === undefined || key.kid === kid);
}

/** Keys without ids, as in PEM files, can only be told apart by trying. */
async function choose(token: string, candidates: readonly VerificationKey[]): Promise<VerificationKey> {
  const [first, ...others] = candidates as [VerificationKey, ...VerificationKey[]];
  if (others.length === 0) return first;
  for (const candidate of candidates) {
    if (await isSignedBy(token, candidate)) return candidate;
  }
  return first;
}

/** Loads its library when it is needed: most installations never have two keys that may have signed a token. */
async function isSignedBy(token: string, { key, algorithm }: VerificationKey): Promise<boolean> {
  const { compactVerify } = await import('jose');
  return compactVerify(token, key, { algorithms: [algorithm] }).then(
    () => true,
    () => false,
  );
}
