import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { RiveraError } from '#rivera/models';
import { z } from 'zod';

import { authConfig } from './auth.config.js';
import { healthListen, listenConfig } from './listen.config.js';
import { type ConfigSections, loadConfig } from './load-config.js';
import { logConfig } from './log.config.js';
import { redisConfig } from './redis.config.js';

const SECRET = 'a-secret-of-at-least-thirty-two-bytes';

function refusal(sections: ConfigSections, env: Record<string, string>): RiveraError {
  try {
    loadConfig(sections, env);
  } catch (error) {
    if (error instanceof RiveraError) return error;
    throw error;
  }
  throw new Error('The configuration was accepted.');
}

describe('loadConfig', () => {
  it('parses every section and freezes the result', () => {
    const config = loadConfig(
      { redis: redisConfig, log: logConfig, cell: z.object({ CELL_MEMORY_MB: z.coerce.number() }) },
      { REDIS_URL: 'redis://one:6379', BUS_REDIS_URL: 'rediss://two', CELL_MEMORY_MB: '512', LOG_LEVEL: '' },
    );
    expect(config).toEqual({
      redis: { storeUrl: 'redis://one:6379', busUrl: 'rediss://two' },
      log: { level: 'info', format: 'json' },
      cell: { CELL_MEMORY_MB: 512 },
    });
    expect(Object.isFrozen(config.redis)).toBe(true);
  });

  it('lists every wrong variable at once, with what was given and what is expected', () => {
    const error = refusal(
      { redis: redisConfig, log: logConfig, listen: listenConfig('BBS_LISTEN', ':1') },
      { LOG_LEVEL: 'loud', BBS_LISTEN: 'nonsense' },
    );
    expect(error.details.fields?.map((field) => field.field)).toEqual([
      'REDIS_URL',
      'LOG_LEVEL',
      'BBS_LISTEN',
    ]);
    expect(error.message).toContain('REDIS_URL is not set, expected a URL such as redis://localhost:6379');
    expect(error.message).toContain('LOG_LEVEL is "loud", expected one of "fatal"|"error"');
    expect(error.message).toContain('BBS_LISTEN is "nonsense", expected host:port');
    expect(error.message).not.toContain('\n');
  });

  it('needs both Redis URLs when there is no common one', () => {
    expect(refusal({ redis: redisConfig }, { STORE_REDIS_URL: 'redis://one' }).message).toContain(
      'REDIS_URL is not set',
    );
  });

  it('repeats neither secrets nor passwords in URLs', () => {
    const shape = z.object({ API_TOKEN: z.string().max(3), STORE: z.string().startsWith('redis') });
    const { message } = refusal({ shape }, { API_TOKEN: 'hunter2', STORE: 'http://bob:hunter2@host' });
    expect(message).toContain('API_TOKEN is set to something else');
    expect(message).toContain('http://***@host');
    expect(message).not.toContain('hunter2');
  });
});

describe('listenConfig', () => {
  it.each([
    ['127.0.0.1:8889', { host: '127.0.0.1', port: 8889 }],
    [':0', { host: '0.0.0.0', port: 0 }],
    ['[::1]:80', { host: '::1', port: 80 }],
  ])('reads %s', (text, expected) => {
    expect(loadConfig({ listen: listenConfig('AT', 'unused:1') }, { AT: text }).listen).toEqual(expected);
    expect(loadConfig({ listen: listenConfig('AT', text) }, {}).listen).toEqual(expected);
  });

  it.each(['host', 'host:', 'host:99999', '::1:80', 'host:1x'])('refuses %s', (text) => {
    expect(refusal({ listen: listenConfig('AT', ':1') }, { AT: text }).code).toBe('invalid-request');
  });

  it('leaves health out when it is not asked for', () => {
    expect(loadConfig({ health: healthListen }, {}).health).toBeUndefined();
    expect(loadConfig({ health: healthListen }, { HEALTH_LISTEN: ':9' }).health).toEqual({
      host: '0.0.0.0',
      port: 9,
    });
  });
});

describe('authConfig', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rivera-auth-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  function file(name: string, content: string): string {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  }

  it('does not start without a key in production, which is the default', () => {
    expect(refusal({ auth: authConfig }, {}).message).toContain('JWT_SECRET_FILE is not set');
    expect(loadConfig({ auth: authConfig }, { RIVERA_ENV: 'development' }).auth.keys).toEqual([]);
  });

  it('reads a secret from a file and a public key from PEM', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { auth } = loadConfig(
      { auth: authConfig },
      {
        JWT_SECRET_FILE: file('secret', `${SECRET}\n`),
        JWT_PUBLIC_KEY_FILE: file('ec.pem', publicKey.export({ type: 'spki', format: 'pem' }).toString()),
      },
    );
    expect(auth.keys.map((entry) => entry.algorithm)).toEqual(['HS256', 'ES256']);
    expect(auth.keys[0]?.key.export().toString()).toBe(SECRET);
  });

  it.each([
    ['a short secret', () => ({ JWT_SECRET: 'short' }), 'use at least 32'],
    ['a missing file', () => ({ JWT_SECRET_FILE: join(folder, 'none') }), 'ENOENT'],
    ['two secrets', () => ({ JWT_SECRET: SECRET, JWT_SECRET_FILE: 'x' }), 'keep one of them'],
    ['a file that is no key', () => ({ JWT_PUBLIC_KEY_FILE: file('no.pem', 'no') }), 'not a public key'],
    ['a private key', () => ({ JWT_PUBLIC_KEY_FILE: pem('ec', 'privateKey') }), 'public half'],
    [
      'an Ed25519 key',
      () => ({ JWT_PUBLIC_KEY_FILE: pem('ed25519', 'publicKey') }),
      'type ed25519 cannot be used',
    ],
  ])('refuses %s', (_, env: () => Record<string, string>, sentence) => {
    const { message } = refusal({ auth: authConfig }, env());
    expect(message).toContain(sentence);
    expect(message).not.toContain('short"');
  });

  function pem(type: 'ec' | 'ed25519', half: 'publicKey' | 'privateKey'): string {
    const pair =
      type === 'ec' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
    const format = half === 'publicKey' ? 'spki' : 'pkcs8';
    return file(
      `${type}-${half}.pem`,
      pair[half].export({ type: format, format: 'pem' } as never).toString(),
    );
  }
});
