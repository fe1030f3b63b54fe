import type { KeyObject } from 'node:crypto';

import { RiveraError } from '#rivera/models';
import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import jwt from 'jsonwebtoken';
import { ExtractJwt, type SecretOrKeyProvider, Strategy } from 'passport-jwt';

import type { AuthConfig } from '../config/auth.config.js';
import type { Principal } from './principal.js';
import { isScope } from './scopes.js';

/** Clocks of hosts differ a little. */
const CLOCK_TOLERANCE_S = 5;

/**
 * Checks a bearer token: algorithm (of the keys configured, never of the token's choosing), signature, issuer,
 * audience, not-before and expiry, which must be present. Claims: `sub`, `scope` (separated by spaces, RFC 8693),
 * `cellId`, `domains`.
 */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy) {
  constructor(config: AuthConfig) {
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      secretOrKeyProvider: keyProvider(config),
      algorithms: config.keys.map((entry) => entry.algorithm),
      issuer: config.issuer,
      audience: config.audience,
      ignoreExpiration: false,
      jsonWebTokenOptions: { clockTolerance: CLOCK_TOLERANCE_S },
    });
  }

  /** @throws RiveraError `unauthenticated` when a claim is missing or has the wrong shape */
  validate(claims: jwt.JwtPayload): Principal {
    const { sub, exp, scope = '', cellId, domains } = claims as Record<string, unknown>;
    if (typeof exp !== 'number') throw badClaim('exp', 'the time it expires, in seconds');
    if (typeof sub !== 'string' || sub === '') throw badClaim('sub', 'the name of its owner');
    if (typeof scope !== 'string') throw badClaim('scope', 'a text of scopes separated by spaces');
    if (cellId !== undefined && typeof cellId !== 'string') throw badClaim('cellId', 'a text');
    if (domains !== undefined && !isTextList(domains)) throw badClaim('domains', 'a list of texts');
    return { subject: sub, scopes: scope.split(' ').filter(isScope), cellId, domains };
  }
}

function keyProvider({ keys }: AuthConfig): SecretOrKeyProvider {
  return (_request, token: string, done) => {
    if (keys.length === 0) {
      const message =
        'This server has no key to check tokens with; set JWT_SECRET_FILE or JWT_PUBLIC_KEY_FILE.';
      return done(new RiveraError('unauthenticated', message));
    }
    const algorithm = readAlgorithm(token);
    const entry = keys.find((candidate) => candidate.algorithm === algorithm) ?? keys[0];
    // The types know only texts and buffers; jsonwebtoken takes a KeyObject, and 60 times faster.
    done(null, entry?.key as KeyObject & string);
  };
}

/** Only chooses among our keys; the library then insists on the algorithm of the chosen key. */
function readAlgorithm(token: string): string | undefined {
  try {
    return jwt.decode(token, { complete: true })?.header.alg;
  } catch {
    return undefined;
  }
}

function badClaim(claim: string, expected: string): RiveraError {
  return new RiveraError('unauthenticated', `The token's claim "${claim}" must be ${expected}.`);
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
