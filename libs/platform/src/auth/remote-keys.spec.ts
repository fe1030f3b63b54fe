import { generateKeyPairSync } from 'node:crypto';

import { KeySetServer } from '#test/key-set-server.js';

import { RiveraLogger } from '../logging/rivera-logger.js';
import { RemoteKeys, type RemoteKeysOptions } from './remote-keys.js';

const jwk = (kid: string) => ({ ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid });
const NEVER_MS = 3_600_000;

describe('RemoteKeys', () => {
  let server: KeySetServer;
  let remote: RemoteKeys;
  let now: number;
  let lines: string[];

  beforeEach(async () => {
    server = await KeySetServer.start();
    server.keys = [jwk('one')];
    now = 1_000_000;
    lines = [];
  });
  afterEach(async () => {
    remote.stop();
    await server.stop();
  });

  async function start(options: Partial<RemoteKeysOptions> = {}): Promise<void> {
    const logger = RiveraLogger.create({ app: 'test', destination: { write: (line) => lines.push(line) } });
    const common = { url: server.url, clock: { now: () => now }, logger };
    // Getters stay getters.
    remote = new RemoteKeys(Object.defineProperties(common, Object.getOwnPropertyDescriptors(options)));
    await remote.start();
  }

  const names = () => remote.keys.map(({ kid }) => kid);
  const logged = (event: string) => lines.filter((line) => line.includes(`"${event}"`)).length;

  it('has the keys once it has started, and a new generation only when they change', async () => {
    await start();
    expect(names()).toEqual(['one']);
    const { generation } = remote;
    now += 10_000;
    await remote.refreshForUnknownKey();
    expect(server.requests).toBe(2);
    expect(remote.generation).toBe(generation);

    server.keys = [jwk('two')];
    now += 10_000;
    await remote.refreshForUnknownKey();
    expect(names()).toEqual(['two']);
    expect(remote.generation).not.toBe(generation);
  });

  it('asks for unknown keys at most once per 10 s, and once for all who ask at the same time', async () => {
    await start();
    server.keys = [jwk('two')];
    now += 9_999;
    await remote.refreshForUnknownKey();
    expect(names()).toEqual(['one']);
    expect(server.requests).toBe(1);
    now += 1;
    await Promise.all([remote.refreshForUnknownKey(), remote.refreshForUnknownKey()]);
    expect(names()).toEqual(['two']);
    expect(server.requests).toBe(2);
  });

  it.each(['broken', 'silent', 'endless'] as const)(
    'keeps the last good set while the URL is %s',
    async (mode) => {
      await start({
        get timeoutMs() {
          return server.mode === 'silent' ? 30 : 30_000;
        },
      });
      server.mode = mode;
      now += 10_000;
      await remote.refreshForUnknownKey();
      now += 10_000;
      await remote.refreshForUnknownKey();
      expect(names()).toEqual(['one']);
      expect(logged('failed-to-fetch-token-keys')).toBe(1);

      server.mode = 'good';
      server.keys = [jwk('two')];
      now += 10_000;
      await remote.refreshForUnknownKey();
      expect(names()).toEqual(['two']);
      expect(logged('recovered-token-keys')).toBe(1);
    },
  );

  it('refreshes by itself, and believes a set that has become empty', async () => {
    await start({ refreshMs: 5, retryMs: NEVER_MS });
    server.keys = [];
    await vi.waitFor(() => expect(names()).toEqual([]));
    expect(logged('token-keys-are-empty')).toBe(1);
  });

  it('starts without an answer and tries again soon', async () => {
    server.mode = 'broken';
    await start({ refreshMs: NEVER_MS, retryMs: 5 });
    expect(remote.isKnown).toBe(false);
    expect(remote.keys).toEqual([]);
    server.mode = 'good';
    await vi.waitFor(() => expect(remote.isKnown).toBe(true));
    expect(names()).toEqual(['one']);
  });

  it('gives up a pending question when it is stopped', async () => {
    await start({ timeoutMs: NEVER_MS });
    server.mode = 'silent';
    now += 10_000;
    const pending = remote.refreshForUnknownKey();
    await vi.waitFor(() => expect(server.requests).toBe(2));
    remote.stop();
    await pending;
    expect(logged('failed-to-fetch-token-keys')).toBe(0);
  });
});
