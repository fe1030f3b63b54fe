import { readFileSync } from 'node:fs';

import { z } from 'zod';

import { algorithmOf, publicKey, secretKey, type VerificationKey } from '../auth/verification-key.js';

/** Whose tokens are accepted. */
export interface AuthConfig {
  environment: 'production' | 'development';
  issuer: string;
  audience: string;
  /** Empty only in development; then no token is accepted. */
  keys: readonly VerificationKey[];
  /** Where more public keys are published, as a JSON Web Key Set. */
  jwksUrl?: string;
}

type Refuse = (variable: string, expected: string) => void;

/**
 * `JWT_SECRET_FILE` or `JWT_SECRET` (HS256), `JWT_PUBLIC_KEY_FILE` (PEM files separated by commas; RS256, ES256 or
 * EdDSA), `JWT_JWKS_URL`, `JWT_ISSUER`, `JWT_AUDIENCE` and `RIVERA_ENV`. There is no default secret; in production (the
 * default) an app without a key does not start.
 */
export const authConfig = z
  .object({
    RIVERA_ENV: z.enum(['production', 'development']).default('production'),
    JWT_ISSUER: z.string().default('rivera'),
    JWT_AUDIENCE: z.string().default('rivera'),
    JWT_SECRET: z.string().optional(),
    JWT_SECRET_FILE: z.string().optional(),
    JWT_PUBLIC_KEY_FILE: z.string().optional(),
    JWT_JWKS_URL: z
      .string()
      .refine(isSafeUrl, 'an https URL without a password (http only for this machine)')
      .optional(),
  })
  .transform((env, context): AuthConfig => {
    const refuse: Refuse = (variable, message) =>
      context.addIssue({ code: 'custom', path: [variable], message });
    const keys: VerificationKey[] = [];
    const add = (variable: string, read: () => VerificationKey['key']) => {
      try {
        const key = read();
        keys.push({ algorithm: algorithmOf(key), key });
      } catch (error) {
        refuse(variable, `a usable key: ${messageOf(error)}`);
      }
    };
    const { JWT_SECRET: secret, JWT_SECRET_FILE: secretFile, JWT_PUBLIC_KEY_FILE: publicKeyFiles } = env;
    const jwksUrl = env.JWT_JWKS_URL;
    if (secret !== undefined && secretFile !== undefined) {
      refuse('JWT_SECRET', 'nothing, because JWT_SECRET_FILE is set too; keep one of them');
    } else if (secretFile !== undefined) {
      add('JWT_SECRET_FILE', () => secretKey(readFileSync(secretFile, 'utf8').trim()));
    } else if (secret !== undefined) {
      add('JWT_SECRET', () => secretKey(secret));
    }
    for (const file of publicKeyFiles?.split(',') ?? []) {
      add('JWT_PUBLIC_KEY_FILE', () => publicKey(readFileSync(file.trim(), 'utf8')));
    }
    const isAnyGiven = (secret ?? secretFile ?? publicKeyFiles ?? jwksUrl) !== undefined;
    if (!isAnyGiven && env.RIVERA_ENV === 'production') {
      refuse(
        'JWT_SECRET_FILE',
        'a file with the secret that signs tokens (or JWT_PUBLIC_KEY_FILE or JWT_JWKS_URL for RS256, ES256 or EdDSA)',
      );
    }
    return { environment: env.RIVERA_ENV, issuer: env.JWT_ISSUER, audience: env.JWT_AUDIENCE, keys, jwksUrl };
  });

function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\.$/, '');
}

/** Keys that come over a network anybody could have changed are worth nothing. */
function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== '' || password !== '') return false;
  const isLoopback =
    hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback);
}
