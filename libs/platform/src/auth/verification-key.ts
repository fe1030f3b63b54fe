import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';

import { RiveraError } from '#rivera/models';

/** RFC 7518 §3.2: a key for HS256 has at least the size of its hash. */
const MIN_SECRET_BYTES = 32;
const MIN_RSA_BITS = 2048;

/** The whole allow-list; a deployment accepts those of them it has keys for. */
export type TokenAlgorithm = 'HS256' | 'RS256' | 'ES256' | 'EdDSA';

/** A key tokens are checked with, and the only algorithm it is good for. */
export interface VerificationKey {
  algorithm: TokenAlgorithm;
  key: KeyObject;
  /** Name of the key in its set. A key without one is tried whatever key id a token names. */
  kid?: string;
}

/**
 * The key of a shared secret (HS256). A `KeyObject`, because a string is parsed again on every request, at 700 µs each.
 *
 * @throws RiveraError `invalid-request` when the secret is shorter than 32 bytes
 */
export function secretKey(secret: string): KeyObject {
  const bytes = Buffer.from(secret, 'utf8');
  if (bytes.length < MIN_SECRET_BYTES) {
    throw new RiveraError(
      'invalid-request',
      `The secret is ${bytes.length} bytes long; use at least ${MIN_SECRET_BYTES}, for example from "openssl rand -hex 32".`,
    );
  }
  return createSecretKey(bytes);
}

/**
 * The public key of a PEM text.
 *
 * @throws RiveraError `invalid-request` when it is no public key, or a private one
 */
export function publicKey(pem: string): KeyObject {
  if (pem.includes('PRIVATE KEY')) {
    throw new RiveraError('invalid-request', 'This is a private key; give the server only the public half.');
  }
  try {
    return createPublicKey(pem);
  } catch (error) {
    throw new RiveraError('invalid-request', 'This is not a public key in PEM form.', { cause: error });
  }
}

/**
 * The one algorithm a key signs or verifies with; it follows from the key, never from the token.
 *
 * @throws RiveraError `unsupported` for keys no supported algorithm can use
 */
export function algorithmOf(key: KeyObject): TokenAlgorithm {
  if (key.type === 'secret') return 'HS256';
  const details = key.asymmetricKeyDetails;
  if (key.asymmetricKeyType === 'rsa' && (details?.modulusLength ?? 0) >= MIN_RSA_BITS) return 'RS256';
  if (key.asymmetricKeyType === 'ec' && details?.namedCurve === 'prime256v1') return 'ES256';
  if (key.asymmetricKeyType === 'ed25519') return 'EdDSA';
  throw new RiveraError(
    'unsupported',
    `A key of type ${key.asymmetricKeyType} cannot be used here; use RSA of at least ${MIN_RSA_BITS} bits (RS256), EC P-256 (ES256) or Ed25519 (EdDSA).`,
  );
}
