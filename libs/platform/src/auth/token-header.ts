import { RiveraError } from '#rivera/models';

/** A token of ours has a few hundred characters; nobody gets to make us parse more than this. */
const MAX_TOKEN_LENGTH = 8_192;

/** What an unverified token says about how it is signed. Only ever used to choose among our own keys. */
export interface TokenHeader {
  algorithm: unknown;
  kid?: string;
}

/**
 * Reads the header of a compact JWS (RFC 7515).
 *
 * @throws RiveraError `unauthenticated` when it is oversized, malformed, or demands extensions (`crit`, RFC 7515 §4.1.11)
 */
export function readTokenHeader(token: string): TokenHeader {
  if (token.length > MAX_TOKEN_LENGTH) {
    throw refused(`The token is longer than ${MAX_TOKEN_LENGTH} characters.`);
  }
  const { alg, kid, crit } = parseHeader(token);
  if (crit !== undefined) throw refused('The token demands an extension this server does not know ("crit").');
  return { algorithm: alg, kid: typeof kid === 'string' ? kid : undefined };
}

function parseHeader(token: string): Record<string, unknown> {
  const malformed = 'The token is malformed: it is not a JSON Web Token.';
  const parts = token.split('.');
  if (parts.length !== 3) throw refused(malformed);
  let header: unknown;
  try {
    header = JSON.parse(Buffer.from(parts[0] ?? '', 'base64url').toString());
  } catch {
    throw refused(malformed);
  }
  if (typeof header !== 'object' || header === null) throw refused(malformed);
  return header as Record<string, unknown>;
}

function refused(sentence: string): RiveraError {
  return new RiveraError('unauthenticated', sentence);
}
