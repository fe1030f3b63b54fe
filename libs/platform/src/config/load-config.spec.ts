import { RiveraError } from '#rivera/models';
import { z } from 'zod';

import { healthListen, listenConfig } from './listen.config.js';
import { type ConfigSections, loadConfig } from './load-config.js';
import { logConfig } from './log.config.js';
import { redisConfig } from './redis.config.js';

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
      redis: {
        storeUrl: 'redis://one:6379',
        busUrl: 'rediss://two',
        replication: { replicas: 0, timeoutMs: 1_000 },
      },
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
