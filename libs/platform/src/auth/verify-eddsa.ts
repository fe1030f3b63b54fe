import { errors, jwtVerify, type JWTVerifyOptions } from 'jose';
import jwt from 'jsonwebtoken';

import type { VerificationKey } from './verification-key.js';

/**
 * Verifies an Ed25519 token, which jsonwebtoken (under passport-jwt) cannot.
 *
 * @throws the errors jsonwebtoken throws, so that one place explains both
 */
export async function verifyEdDsa(
  token: string,
  { key }: VerificationKey,
  options: Pick<JWTVerifyOptions, 'issuer' | 'audience' | 'clockTolerance'>,
): Promise<jwt.JwtPayload> {
  try {
    const { payload } = await jwtVerify(token, key, { ...options, algorithms: ['EdDSA'] });
    return payload;
  } catch (error) {
    throw inWordsOfJsonwebtoken(error);
  }
}

function inWordsOfJsonwebtoken(error: unknown): Error {
  if (error instanceof errors.JWTExpired) {
    return new jwt.TokenExpiredError('jwt expired', new Date(Number(error.payload.exp) * 1000));
  }
  if (error instanceof errors.JWTClaimValidationFailed) return wrongClaim(error);
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return new jwt.JsonWebTokenError('invalid signature');
  return new jwt.JsonWebTokenError('jwt malformed');
}

function wrongClaim({ claim, reason, payload }: errors.JWTClaimValidationFailed): Error {
  if (claim === 'iss') return new jwt.JsonWebTokenError('jwt issuer invalid');
  if (claim === 'aud') return new jwt.JsonWebTokenError('jwt audience invalid');
  if (claim === 'nbf' && reason === 'check_failed') {
    return new jwt.NotBeforeError('jwt not active', new Date(Number(payload.nbf) * 1000));
  }
  return new jwt.JsonWebTokenError(`invalid ${claim} value`);
}
