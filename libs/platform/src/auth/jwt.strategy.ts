import type { KeyObject } from 'node:crypto';
import { callbackify } from 'node:util';

import { RiveraError } from '#rivera/models';
import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type jwt from 'jsonwebtoken';
import { ExtractJwt, type SecretOrKeyProvider, Strategy } from 'passport-jwt';

import type { Clock } from '../clock.js';
import type { AuthConfig } from '../config/auth.config.js';
import type { HttpRequest } from '../http/http-types.js';
import type { KeyRing } from './key-ring.js';
import type { Principal } from './principal.js';
import { isScope } from './scopes.js';
import { readTokenHeader } from './token-header.js';
import { VerifiedTokens } from './verified-tokens.js';

/** Clocks of hosts differ a little. */
const CLOCK_TOLERANCE_S = 5;

const bearerToken = ExtractJwt.fromAuthHeaderAsBearerToken();

export interface JwtStrategyOptions extends Pick<AuthConfig, 'issuer' | 'audience'> {
  keys: KeyRing;
  clock: Pick<Clock, 'now'>;
}

type Request = Parameters<Strategy['authenticate']>[0];

/**
 * Checks a bearer token: algorithm (of the keys there are, never of the token's choosing), signature, issuer, audience,
 * not-before and expiry, which must be present. Claims: `sub`, `scope` (separated by spaces, RFC 8693), `cellId`,
 * `domains`. passport-jwt does it for HS256, RS256 and ES256, jose for EdDSA; docs/decisions/0005-token-verification.md.
 */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy) {
  private readonly verified = new VerifiedTokens();

  constructor(private readonly options: JwtStrategyOptions) {
    super({
      jwtFromRequest: bearerToken,
      secretOrKeyProvider: keyProvider(options.keys),
      algorithms: ['HS256', 'RS256', 'ES256'],
      issuer: options.issuer,
      audience: options.audience,
      ignoreExpiration: false,
      jsonWebTokenOptions: { clockTolerance: CLOCK_TOLERANCE_S },
    });
  }

  /** Whose token this is, if it was verified lately; spares a request the whole of Passport. */
  known(request: Pick<HttpRequest, 'headers'>): Principal | undefined {
    const token = bearerToken(request as Request);
    const { keys, clock } = this.options;
    return token === null ? undefined : this.verified.find(token, keys.generation, clock.now());
  }

  override authenticate(request: Request, options?: unknown): void {
    const token = bearerToken(request);
    if (token === null) return super.authenticate(request, options);
    // Read before a key is chosen: when the keys change meanwhile, the outcome is not remembered.
    const { generation } = this.options.keys;

    // Passport puts the outcomes of a request on this very object, where those of the next request replace them. What
    // is decided later needs a copy, or it is decided for somebody else.
    const own = Object.assign(Object.create(this) as this, this);
    const succeed = this.success.bind(own);
    own.success = (principal: Principal) => {
      this.verified.remember(token, principal, generation);
      succeed(principal);
    };
    if (!isEdDsa(token)) return super.authenticate.call(own, request, options);
    own
      .checkEdDsa(token)
      .then((principal) => own.success(principal))
      .catch((reason: unknown) => own.fail(reason, 401));
  }

  /** @throws RiveraError `unauthenticated` when a claim is missing or has the wrong shape */
  validate(claims: jwt.JwtPayload): Principal {
    const { sub, exp, scope = '', cellId, domains } = claims as Record<string, unknown>;
    if (typeof exp !== 'number') throw badClaim('exp', 'the time it expires, in seconds');
    if (typeof sub !== 'string' || sub === '') throw badClaim('sub', 'the name of its owner');
    if (typeof scope !== 'string') throw badClaim('scope', 'a text of scopes separated by spaces');
    if (cellId !== undefined && typeof cellId !== 'string') throw badClaim('cellId', 'a text');
    if (domains !== undefined && !isTextList(domains)) throw badClaim('domains', 'a list of texts');
    // Frozen, because every request with this token gets the same one.
    const scopes = Object.freeze(scope.split(' ').filter(isScope));
    return Object.freeze({
      subject: sub,
      scopes,
      cellId,
      domains: Object.freeze(domains),
      expiresAt: exp * 1000,
    });
  }

  private async checkEdDsa(token: string): Promise<Principal> {
    const { keys, issuer, audience } = this.options;
    const key = await keys.find(token);
    // Its library is loaded for these tokens only.
    const { verifyEdDsa } = await import('./verify-eddsa.js');
    const claims = await verifyEdDsa(token, key, { issuer, audience, clockTolerance: CLOCK_TOLERANCE_S });
    return this.validate(claims);
  }
}

function keyProvider(keys: KeyRing): SecretOrKeyProvider {
  // The types know only texts and buffers; jsonwebtoken takes a KeyObject, and 60 times faster.
  const find = callbackify(async (token: string) => (await keys.find(token)).key as KeyObject & string);
  return (_request, token: string, done) => find(token, done);
}

/** What cannot be read is left to passport-jwt, which asks for a key and hears why there is none. */
function isEdDsa(token: string): boolean {
  try {
    return readTokenHeader(token).algorithm === 'EdDSA';
  } catch {
    return false;
  }
}

function badClaim(claim: string, expected: string): RiveraError {
  return new RiveraError('unauthenticated', `The token's claim "${claim}" must be ${expected}.`);
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
