import { RiveraError } from '#rivera/models';
import { z } from 'zod';
import { loadConfig } from '../config/load-config.js';
import { redisUrl } from '../config/redis.config.js';
import { parseRedisUrl } from './redis-url.js';

describe('parseRedisUrl', () => {
  it.each([
    ['redis://one', { kind: 'single', url: 'redis://one', isEncrypted: false }],
    [
      'rediss://bob:a%40b@one:1/2',
      {
        kind: 'single',
        url: 'rediss://bob:a%40b@one:1/2',
        isEncrypted: true,
        username: 'bob',
        password: 'a@b',
      },
    ],
    [
      'redis+cluster://one:7000,two,[::1]:7002',
      {
        kind: 'cluster',
        isEncrypted: false,
        nodes: [
          { host: 'one', port: 7000 },
          { host: 'two', port: 6379 },
          { host: '::1', port: 7002 },
        ],
      },
    ],
    [
      'rediss+cluster://bob:p%3Aw@one',
      {
        kind: 'cluster',
        isEncrypted: true,
        username: 'bob',
        password: 'p:w',
        nodes: [{ host: 'one', port: 6379 }],
      },
    ],
    [
      'redis+sentinel://:pw@one,two:1/main',
      {
        kind: 'sentinel',
        isEncrypted: false,
        password: 'pw',
        master: 'main',
        database: 0,
        sentinels: [
          { host: 'one', port: 26_379 },
          { host: 'two', port: 1 },
        ],
      },
    ],
    [
      'redis+sentinel://one/main/3?sentinelUsername=eve&sentinelPassword=a%26b',
      {
        kind: 'sentinel',
        isEncrypted: false,
        master: 'main',
        database: 3,
        sentinels: [{ host: 'one', port: 26_379 }],
        sentinelUsername: 'eve',
        sentinelPassword: 'a&b',
      },
    ],
  ])('reads %s', (text, expected) => {
    expect(JSON.parse(JSON.stringify(parseRedisUrl(text)))).toEqual(expected);
  });

  it.each([
    ['localhost:6379', 'redis://host:6379, redis+cluster://'],
    ['http://localhost', 'redis://host:6379, redis+cluster://'],
    ['redis+cluster://', 'host:port, separated by commas, but there is ""'],
    ['redis+cluster://one,,two', 'host:port, separated by commas, but there is ""'],
    ['redis+cluster://one:99999', 'but there is "one:99999"'],
    ['redis+cluster://one:0', 'but there is "one:0"'],
    ['redis+cluster://one/1', 'it has one database only'],
    ['redis+cluster://one?x=1', 'a cluster without a query'],
    ['redis+sentinel://one,two', 'the name of the master after the sentinels'],
    ['redis+sentinel://one/main/x', '/master-name/database-number'],
    ['redis+sentinel://one/main/1/2', '/master-name/database-number'],
    ['redis+sentinel://one/main?timeout=1', 'no other parameters than sentinelUsername and sentinelPassword'],
    ['redis+cluster://bob:50%@one', 'special characters are written as %xx'],
  ])('refuses %s and says what is expected', (text, sentence) => {
    expect(() => parseRedisUrl(text)).toThrow(RiveraError);
    expect(() => parseRedisUrl(text)).toThrow(sentence);
  });

  it('no password is repeated when a program refuses to start', () => {
    const sections = { redis: z.object({ REDIS_URL: redisUrl }) };
    for (const url of [
      'redis+cluster://bob:hunter2@one,,two',
      'redis+sentinel://one/main?sentinelPassword=hunter2&x=1',
    ]) {
      expect(() => loadConfig(sections, { REDIS_URL: url })).toThrow(/REDIS_URL is .*\*\*\*/);
      expect(() => loadConfig(sections, { REDIS_URL: url })).not.toThrow(/hunter2/);
    }
  });
});
