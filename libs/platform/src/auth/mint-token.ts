import type { KeyObject } from 'node:crypto';

import { RiveraError } from '#rivera/models';
import jwt from 'jsonwebtoken';

import type { Principal } from './principal.js';
import { algorithmOf } from './verification-key.js';

export interface TokenRequest extends Omit<Principal, 'expiresAt'> {
  /** How long it is valid, in seconds. */
  ttlSeconds: number;
  /** A secret (HS256) or a private key (RSA: RS256, EC P-256: ES256); see `secretKey`. */
  key: KeyObject;
  /** Default `rivera`, as in `authConfig`. */
  issuer?: string;
  /** Default `rivera`, as in `authConfig`. */
  audience?: string;
  /** When it is issued, in milliseconds since the Unix epoch; now when absent. */
  now?: number;
}

/**
 * Makes a token that `JwtStrategy` accepts.
 *
 * @throws RiveraError `unsupported` when the key fits no supported algorithm
 */
export function mintToken(request: TokenRequest): string {
  const {
    subject,
    scopes,
    cellId,
    domains,
    ttlSeconds,
    key,
    issuer = 'rivera',
    audience = 'rivera',
  } = request;
  const issuedAt = Math.floor((request.now ?? Date.now()) / 1000);
  const claims = {
    iss: issuer,
    aud: audience,
    sub: subject,
    scope: scopes.join(' '),
    iat: issuedAt,
    exp: issuedAt + ttlSeconds,
    ...(cellId === undefined ? {} : { cellId }),
    ...(domains === undefined ? {} : { domains }),
  };
  const algorithm = algorithmOf(key);
  if (algorithm === 'EdDSA') {
    throw new RiveraError(
      'unsupported',
      'Tokens are made here with a secret, RSA or EC P-256 key, not with Ed25519.',
    );
  }
  return jwt.sign(claims, key, { algorithm });
}
