import type { AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import request from 'supertest';
import { RiveraClient, type RiveraClientOptions } from '#rivera/client';
import { mintToken, RiveraLogger, type Scope, SCOPES, secretKey, type TokenRequest } from '#rivera/platform';
import { loadBbsConfig } from '../../apps/bbs/src/bbs.config.js';
import { createBbsApp } from '../../apps/bbs/src/create-bbs-app.js';
import type { RedisHarness } from './redis.js';
import { startRedisOf } from './redis-topologies.js';

const SECRET = 'the-secret-of-the-tests-of-bbs-is-long-enough';

export interface BbsHarnessOptions {
  /** One that is shared, e.g. with another `bbs`; it is then not stopped here. */
  redis?: RedisHarness;
  /** Survives `redis.kill9` and `redis.restart`. */
  appendonly?: boolean;
  /** A free one when absent. */
  port?: number;
  /** Beside what the harness sets, e.g. `{ EVENTS_KEPT: '100' }`. */
  env?: Record<string, string>;
}

/** A whole `bbs` in this process, on a free port, over a Redis of its own. */
export interface BbsHarness {
  readonly app: NestFastifyApplication;
  readonly redis: RedisHarness;
  readonly url: string;
  /** What it has logged, line by line. */
  readonly log: string[];
  /** A token with all scopes of clients and operators, unless said otherwise. */
  token(change?: Partial<TokenRequest>): string;
  /** supertest with a token for these scopes; all but `cell` when absent. */
  as(...scopes: Scope[]): ReturnType<typeof request.agent>;
  /** supertest with the token of a cell's agent. */
  asCell(cellId: string): ReturnType<typeof request.agent>;
  client(change?: Partial<RiveraClientOptions>): RiveraClient;
  cellClient(cellId: string): RiveraClient;
  stop(): Promise<void>;
}

/**
 * `const bbs = await startBbs(); await bbs.as().get('/v1/cells').expect(200); await bbs.stop();`
 */
export async function startBbs(options: BbsHarnessOptions = {}): Promise<BbsHarness> {
  const redis = options.redis ?? (await startRedisOf(undefined, { appendonly: options.appendonly }));
  const log: string[] = [];
  const logger = RiveraLogger.create({ app: 'bbs', destination: { write: (line) => log.push(line) } });
  const config = loadBbsConfig({
    REDIS_URL: redis.url,
    JWT_SECRET: SECRET,
    BBS_LISTEN: '127.0.0.1:0',
    // Most tests run no auctioneer.
    AUCTIONEER_ASK_TIMEOUT_MS: '500',
    SHUTDOWN_GRACE_MS: '0',
    ...options.env,
  });
  const app = await createBbsApp(config, logger);
  await app.listen(options.port ?? 0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;

  const token = (change: Partial<TokenRequest> = {}): string =>
    mintToken({
      subject: 'tester',
      scopes: SCOPES.filter((scope) => scope !== 'cell'),
      ttlSeconds: 3_600,
      key: secretKey(SECRET),
      ...change,
    });
  const cellToken = (cellId: string): string => token({ subject: cellId, scopes: ['cell'], cellId });
  const agent = (bearer: string): ReturnType<typeof request.agent> =>
    request.agent(url).auth(bearer, { type: 'bearer' });
  return {
    app,
    redis,
    url,
    log,
    token,
    as: (...scopes) => agent(token(scopes.length === 0 ? {} : { scopes })),
    asCell: (cellId) => agent(cellToken(cellId)),
    client: (change = {}) => new RiveraClient({ api: url, token: token(), ...change }),
    cellClient: (cellId) => new RiveraClient({ api: url, token: cellToken(cellId) }),
    stop: async () => {
      await app.close();
      if (options.redis === undefined) await redis.stop();
    },
  };
}
