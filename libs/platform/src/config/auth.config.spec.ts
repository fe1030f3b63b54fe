import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { RiveraError } from '#rivera/models';

import { type AuthConfig, authConfig } from './auth.config.js';
import { loadConfig } from './load-config.js';

const SECRET = 'a-secret-of-at-least-thirty-two-bytes';

const PAIRS = {
  ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ed25519: generateKeyPairSync('ed25519'),
  ed448: generateKeyPairSync('ed448'),
  smallRsa: generateKeyPairSync('rsa', { modulusLength: 1024 }),
};

const load = (env: Record<string, string>): AuthConfig => loadConfig({ auth: authConfig }, env).auth;

function refusal(env: Record<string, string>): RiveraError {
  try {
    load(env);
  } catch (error) {
    if (error instanceof RiveraError) return error;
    throw error;
  }
  throw new Error('The configuration was accepted.');
}

describe('authConfig', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rivera-auth-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  function file(name: string, content: string): string {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  }

  function pem(name: keyof typeof PAIRS): string {
    return file(`${name}.pem`, PAIRS[name].publicKey.export({ type: 'spki', format: 'pem' }).toString());
  }

  it('does not start without a key in production, which is the default', () => {
    expect(refusal({}).message).toContain('JWT_SECRET_FILE is not set');
    expect(load({ RIVERA_ENV: 'development' }).keys).toEqual([]);
  });

  it('reads a secret from a file and public keys from any number of PEM files', () => {
    const { keys } = load({
      JWT_SECRET_FILE: file('secret', `${SECRET}\n`),
      JWT_PUBLIC_KEY_FILE: `${pem('ec')}, ${pem('ed25519')}`,
    });
    expect(keys.map((entry) => entry.algorithm)).toEqual(['HS256', 'ES256', 'EdDSA']);
    expect(keys[0]?.key.export().toString()).toBe(SECRET);
  });

  it.each([
    'https://id.example.com/keys',
    'http://localhost:1/keys',
    'http://127.0.0.1:1/k',
    'http://[::1]:1/k',
  ])('starts in production with nothing but the key set at %s', (url) => {
    expect(load({ JWT_JWKS_URL: url })).toMatchObject({ jwksUrl: url, keys: [] });
  });

  it.each([
    'keys.json',
    'file:///keys.json',
    'http://id.example.com/keys',
    'http://127.0.0.1.example.com/keys',
    'http://localhost.example.com/keys',
    'https://bob:hunter2@id.example.com/keys',
  ])('refuses the key set at %s', (url) => {
    const { message } = refusal({ JWT_JWKS_URL: url });
    expect(message).toContain('expected an https URL');
    expect(message).not.toContain('hunter2');
  });

  it.each([
    ['a short secret', () => ({ JWT_SECRET: 'short' }), 'use at least 32'],
    ['a missing file', () => ({ JWT_SECRET_FILE: join(folder, 'none') }), 'ENOENT'],
    ['one missing file of two', () => ({ JWT_PUBLIC_KEY_FILE: `${pem('ec')},${folder}/none` }), 'ENOENT'],
    ['a comma too many', () => ({ JWT_PUBLIC_KEY_FILE: `${pem('ec')},` }), 'ENOENT'],
    ['two secrets', () => ({ JWT_SECRET: SECRET, JWT_SECRET_FILE: 'x' }), 'keep one of them'],
    ['a file that is no key', () => ({ JWT_PUBLIC_KEY_FILE: file('no.pem', 'no') }), 'not a public key'],
    ['a private key', () => ({ JWT_PUBLIC_KEY_FILE: privatePem() }), 'public half'],
    ['an Ed448 key', () => ({ JWT_PUBLIC_KEY_FILE: pem('ed448') }), 'type ed448 cannot be used'],
    ['a small RSA key', () => ({ JWT_PUBLIC_KEY_FILE: pem('smallRsa') }), 'at least 2048 bits'],
  ])('refuses %s', (_, env: () => Record<string, string>, sentence) => {
    const { message } = refusal(env());
    expect(message).toContain(sentence);
    expect(message).not.toContain('short"');
  });

  function privatePem(): string {
    return file('private.pem', PAIRS.ec.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  }
});
