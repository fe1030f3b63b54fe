import { RiveraError } from '#rivera/models';
import jwt from 'jsonwebtoken';

/** Beginnings of jsonwebtoken's messages → what to tell the client. */
const SENTENCES: readonly (readonly [RegExp, string])[] = [
  [
    /^invalid signature/,
    "The token's signature does not match: it was signed with another key or was changed.",
  ],
  [/^jwt signature is required/, 'The token is not signed.'],
  [
    /^(invalid algorithm|secretOrPublicKey must be)/,
    'The token is signed with an algorithm this server does not accept.',
  ],
  [/^jwt issuer invalid/, 'The token comes from an issuer this server does not trust (claim "iss").'],
  [/^jwt audience invalid/, 'The token is meant for another audience (claim "aud").'],
  [/^invalid (exp|nbf) value/, 'The token\'s times ("exp", "nbf") must be numbers of seconds.'],
];

/** Turns why a token was refused into an `unauthenticated` error whose sentence says what is wrong with it. */
export function explainRefusedToken(reason: unknown, header: string | undefined): RiveraError {
  if (reason instanceof RiveraError) return reason;
  return new RiveraError('unauthenticated', sentenceFor(reason, header));
}

function sentenceFor(reason: unknown, header: string | undefined): string {
  if (header === undefined) {
    return 'The request has no token; send the header "Authorization: Bearer <token>".';
  }
  if (!/^bearer \S+$/i.test(header)) {
    return 'The Authorization header must read "Bearer <token>".';
  }
  if (reason instanceof jwt.TokenExpiredError) {
    return `The token expired at ${reason.expiredAt.toISOString()}; get a new one.`;
  }
  if (reason instanceof jwt.NotBeforeError) {
    return `The token is not valid before ${reason.date.toISOString()}.`;
  }
  const text = reason instanceof Error ? reason.message : '';
  const known = SENTENCES.find(([pattern]) => pattern.test(text));
  return known?.[1] ?? 'The token is malformed: it is not a JSON Web Token.';
}
