import { createPublicKey, type JsonWebKey } from 'node:crypto';

import { RiveraError } from '#rivera/models';

import { algorithmOf, type VerificationKey } from './verification-key.js';

type Jwk = JsonWebKey & { alg?: unknown; use?: unknown; kid?: unknown };

/**
 * The keys of a JSON Web Key Set (RFC 7517) that tokens can be checked with. Others in the set (for encryption, of
 * other algorithms, secret or private ones) are left out, as §5 of the RFC has it.
 *
 * @throws RiveraError `invalid-request` when the text is no key set
 */
export function parseJwks(text: string): VerificationKey[] {
  let set: unknown;
  try {
    set = JSON.parse(text);
  } catch {
    throw new RiveraError('invalid-request', 'The key set is not valid JSON.');
  }
  const { keys } = (set ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys)) {
    throw new RiveraError(
      'invalid-request',
      'The key set has no list "keys"; it must be a JSON Web Key Set.',
    );
  }
  return keys.flatMap((jwk: unknown) => toKey(jwk) ?? []);
}

function toKey(jwk: unknown): VerificationKey | undefined {
  if (typeof jwk !== 'object' || jwk === null) return undefined;
  const { alg, use, kid, kty, d } = jwk as Jwk;
  // A secret that can be fetched is none, and neither is a private key.
  const isPublic = kty !== 'oct' && d === undefined;
  if (!isPublic || (use !== undefined && use !== 'sig')) return undefined;
  try {
    const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
    const algorithm = algorithmOf(key);
    if (alg !== undefined && alg !== algorithm) return undefined;
    return { algorithm, key, ...(typeof kid === 'string' ? { kid } : {}) };
  } catch {
    return undefined;
  }
}
