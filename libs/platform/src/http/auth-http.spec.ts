import { generateKeyPairSync, type KeyObject } from 'node:crypto';

import { RiveraError } from '#rivera/models';
import { KeySetServer } from '#test/key-set-server.js';
import { Body, Controller, Delete, Get, Module, Param, Patch, Post, Put } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import request from 'supertest';

import { AuthModule } from '../auth/auth.module.js';
import { CurrentUser } from '../auth/current-user.decorator.js';
import { mintToken } from '../auth/mint-token.js';
import type { Principal } from '../auth/principal.js';
import { CellRoute, Scopes } from '../auth/scopes.decorator.js';
import { secretKey, type VerificationKey } from '../auth/verification-key.js';
import { HealthController } from '../health/health.controller.js';
import { RiveraLogger } from '../logging/rivera-logger.js';
import { Metrics } from '../metrics/metrics.js';
import { PlatformModule } from '../platform.module.js';
import { configureHttp } from './configure-http.js';
import { createFastifyAdapter } from './create-fastify-adapter.js';
import { traceIdOf } from './trace-context.js';

@Controller('v1')
class TestController {
  @Scopes('lrps:read')
  @Get('lrps')
  list(@CurrentUser() user: Principal): unknown {
    return user;
  }

  @Scopes('lrps:write')
  @Post('lrps')
  desire(@Body() body: unknown): unknown {
    return body;
  }

  @Scopes('lrps:write')
  @Patch('lrps/:processGuid')
  update(): never {
    throw new RiveraError('conflict', 'Somebody was faster.');
  }

  @Scopes('lrps:write')
  @Delete('lrps/:processGuid')
  remove(@Param('processGuid') processGuid: string): unknown {
    return { processGuid };
  }

  @CellRoute()
  @Put('cells/:cellId/presence')
  presence(): unknown {
    return {};
  }
}

const SECRET = secretKey('the-secret-of-this-test-is-32-bytes-long');
const PAIRS = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
};
type PublicAlgorithm = keyof typeof PAIRS;
const PUBLIC: readonly PublicAlgorithm[] = ['RS256', 'ES256', 'EdDSA'];
const own = (algorithm: PublicAlgorithm): VerificationKey => ({ algorithm, key: PAIRS[algorithm].publicKey });

interface AppOptions {
  keys?: VerificationKey[];
  jwksUrl?: string;
  now?: () => number;
  lines?: string[];
}

async function startApp({ keys = [], jwksUrl, now = Date.now, lines = [] }: AppOptions) {
  const logger = RiveraLogger.create({
    app: 'test',
    level: 'debug',
    destination: { write: (line) => lines.push(line) },
  });
  const metrics = new Metrics({ defaults: false });
  @Module({
    imports: [
      PlatformModule.forRoot({ logger, metrics, clock: { now } }),
      AuthModule.forRoot({ environment: 'production', issuer: 'rivera', audience: 'rivera', keys, jwksUrl }),
    ],
    controllers: [TestController, HealthController],
  })
  class AppModule {}
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule,
    await createFastifyAdapter({ bodyLimitBytes: 100_000 }),
    { logger: false, abortOnError: false },
  );
  configureHttp(app);
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return app;
}

interface Forgery {
  alg: string;
  key: KeyObject;
  kid?: string;
  claims?: JWTPayload;
  header?: Record<string, unknown>;
}

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;
const CLAIMS = { iss: 'rivera', aud: 'rivera', sub: 'bob', scope: 'lrps:read lrps:write' };

/** A token as an issuer signs it; a claim set to undefined is left out. */
async function sign({ alg, key, kid, claims, header }: Forgery): Promise<string> {
  const payload = { ...CLAIMS, exp: inSeconds(60), ...claims };
  return new SignJWT(payload)
    .setProtectedHeader({ alg, ...(kid === undefined ? {} : { kid }), ...header })
    .sign(key);
}

async function answerTo(app: NestFastifyApplication, token: string) {
  const { status, body } = await request(app.getHttpServer())
    .get('/v1/lrps')
    .set('authorization', `Bearer ${token}`);
  return { status, detail: (body as { detail?: string }).detail };
}

describe('tokens of public keys', () => {
  let app: NestFastifyApplication;
  const keys = PUBLIC.map(own);
  beforeAll(async () => {
    app = await startApp({ keys });
  });
  afterAll(() => app.close());

  describe.each(PUBLIC)('%s', (alg) => {
    const { privateKey: key, publicKey } = PAIRS[alg];

    it('accepts a good token, again and again', async () => {
      const token = await sign({ alg, key, kid: 'whatever', claims: { domains: ['cf'], cellId: 'cell-1' } });
      for (const _ of [1, 2]) {
        const response = await request(app.getHttpServer())
          .get('/v1/lrps')
          .set('authorization', `Bearer ${token}`);
        expect(response.body).toMatchObject({
          subject: 'bob',
          scopes: ['lrps:read', 'lrps:write'],
          domains: ['cf'],
          cellId: 'cell-1',
        });
      }
    });

    const spki = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const stranger = () =>
      alg === 'RS256'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : alg === 'ES256'
          ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
          : generateKeyPairSync('ed25519');

    it.each<[string, () => Promise<string> | string, string]>([
      ['alg none', () => new UnsecuredJWT({ ...CLAIMS, exp: inSeconds(60) }).encode(), 'algorithm'],
      ['the public key as HS256 secret', () => sign({ alg: 'HS256', key: secretKey(spki) }), 'algorithm'],
      ['another key', () => sign({ alg, key: stranger().privateKey }), 'signature does not match'],
      [
        'another key that it brings along',
        () => {
          const pair = stranger();
          return sign({
            alg,
            key: pair.privateKey,
            header: { jwk: pair.publicKey.export({ format: 'jwk' }) },
          });
        },
        'signature does not match',
      ],
      ['a demanded extension', () => rewrite({ crit: ['exp'] }), '"crit"'],
      [
        'an expired token',
        () => sign({ alg, key, claims: { exp: inSeconds(-10) } }),
        'The token expired at ',
      ],
      ['a token of tomorrow', () => sign({ alg, key, claims: { nbf: inSeconds(30) } }), 'not valid before '],
      ['another issuer', () => sign({ alg, key, claims: { iss: 'evil' } }), 'claim "iss"'],
      ['no issuer', () => sign({ alg, key, claims: { iss: undefined } }), 'claim "iss"'],
      ['another audience', () => sign({ alg, key, claims: { aud: ['x', 'y'] } }), 'claim "aud"'],
      ['no audience', () => sign({ alg, key, claims: { aud: undefined } }), 'claim "aud"'],
      ['no owner', () => sign({ alg, key, claims: { sub: undefined } }), 'claim "sub"'],
      ['an owner without a name', () => sign({ alg, key, claims: { sub: '' } }), 'claim "sub"'],
      ['no expiry', () => sign({ alg, key, claims: { exp: undefined } }), 'claim "exp"'],
      ['an expiry in words', () => sign({ alg, key, claims: { exp: 'never' as never } }), '"exp"'],
      ['domains as a text', () => sign({ alg, key, claims: { domains: 'cf' } }), 'claim "domains"'],
      ['a truncated signature', async () => (await sign({ alg, key })).slice(0, -4), 'The token'],
      ['no signature', async () => (await sign({ alg, key })).replace(/[^.]*$/, ''), 'sign'],
      ['claims that were changed', () => rewrite({}, { scope: 'cells:operate' }), 'signature does not match'],
      ['an oversized token', () => sign({ alg, key, claims: { pad: 'x'.repeat(8_000) } }), 'longer than'],
      ['a header that is no object', () => 'bnVsbA.e30.AAAA', 'malformed'],
      ['four parts', async () => `${await sign({ alg, key })}.AAAA`, 'malformed'],
    ])('refuses %s', async (_, forge, sentence) => {
      const { status, detail } = await answerTo(app, await forge());
      expect(status).toBe(401);
      expect(detail).toContain(sentence);
    });

    /** The signature of a good token over something else. */
    async function rewrite(header: object, claims: object = {}): Promise<string> {
      const [, , signature = ''] = (await sign({ alg, key })).split('.');
      const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
      return `${encode({ alg, ...header })}.${encode({ ...CLAIMS, exp: inSeconds(60), ...claims })}.${signature}`;
    }
  });

  it('refuses a token whose header names the algorithm of another key', async () => {
    const token = await sign({ alg: 'RS256', key: PAIRS.RS256.privateKey });
    const [, claims, signature] = token.split('.');
    for (const alg of ['ES256', 'EdDSA', 'PS256', 'RS512', 'rs256', 'none', '', null, 5]) {
      const header = Buffer.from(JSON.stringify({ alg })).toString('base64url');
      expect((await answerTo(app, `${header}.${claims}.${signature}`)).status).toBe(401);
    }
  });

  it('accepts any of several keys of one algorithm, and nothing else', async () => {
    const next = generateKeyPairSync('ed25519');
    const rotating = await startApp({ keys: [own('EdDSA'), { algorithm: 'EdDSA', key: next.publicKey }] });
    try {
      for (const { privateKey: key } of [PAIRS.EdDSA, next]) {
        expect((await answerTo(rotating, await sign({ alg: 'EdDSA', key }))).status).toBe(200);
      }
      const { privateKey: key } = generateKeyPairSync('ed25519');
      expect((await answerTo(rotating, await sign({ alg: 'EdDSA', key }))).detail).toContain(
        'does not match',
      );
    } finally {
      await rotating.close();
    }
  });

  it('never mixes up requests that come together', async () => {
    await app.listen(0, '127.0.0.1');
    const subjects = Array.from({ length: 24 }, (_, index) => `user-${index}`);
    const seen = await Promise.all(
      subjects.map(async (sub, index) => {
        const alg = PUBLIC[index % 3] ?? 'EdDSA';
        // Every fourth is refused: its refusal must not become another's either.
        const claims = index % 4 === 0 ? { sub, iss: 'evil' } : { sub };
        const token = await sign({ alg, key: PAIRS[alg].privateKey, claims });
        const { status, body } = await request(app.getHttpServer())
          .get('/v1/lrps')
          .set('authorization', `Bearer ${token}`);
        return status === 200 ? (body as Principal).subject : status;
      }),
    );
    expect(seen).toEqual(subjects.map((sub, index) => (index % 4 === 0 ? 401 : sub)));
  });

  it('says when it has no key at all', async () => {
    const keyless = await startApp({});
    try {
      const token = await sign({ alg: 'HS256', key: SECRET });
      expect((await answerTo(keyless, token)).detail).toContain('has no key to check tokens with');
    } finally {
      await keyless.close();
    }
  });
});

describe('remembered tokens', () => {
  it('are refused once they have expired', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const app = await startApp({ keys: [{ algorithm: 'HS256', key: SECRET }] });
    try {
      const token = mintToken({ subject: 'bob', scopes: ['lrps:read'], ttlSeconds: 60, key: SECRET });
      expect((await answerTo(app, token)).status).toBe(200);
      expect((await answerTo(app, token)).status).toBe(200);
      vi.setSystemTime(Date.now() + 66_000);
      expect(await answerTo(app, token)).toMatchObject({
        status: 401,
        detail: expect.stringContaining('expired'),
      });
    } finally {
      vi.useRealTimers();
      await app.close();
    }
  });
});

describe('keys of a URL', () => {
  let server: KeySetServer;
  let app: NestFastifyApplication;
  let offset = 0;
  const pairs = new Map(
    ['old', 'new'].map((kid) => [kid, generateKeyPairSync('ec', { namedCurve: 'P-256' })]),
  );

  const publish = (...kids: string[]) => {
    server.keys = kids.map((kid) => ({ ...pairs.get(kid)?.publicKey.export({ format: 'jwk' }), kid }));
  };
  const tokenOf = (kid: string, named = kid) =>
    sign({ alg: 'ES256', key: pairs.get(kid)?.privateKey as KeyObject, kid: named });
  const ready = () => request(app.getHttpServer()).get('/readyz');
  const start = async (keys?: VerificationKey[]) => {
    app = await startApp({ jwksUrl: server.url, keys, now: () => Date.now() + offset });
  };

  beforeEach(async () => {
    offset = 0;
    server = await KeySetServer.start();
    publish('old');
  });
  afterEach(async () => {
    await app.close();
    await server.stop();
  });

  it('rotate without a restart, and a key that has gone is refused though its token was remembered', async () => {
    await start();
    const [before, after] = [await tokenOf('old'), await tokenOf('new')];
    expect((await answerTo(app, before)).status).toBe(200);
    expect((await answerTo(app, after)).detail).toContain('key this server does not know (key id "new")');

    publish('old', 'new');
    offset += 10_000;
    expect((await answerTo(app, after)).status).toBe(200);
    expect((await answerTo(app, before)).status).toBe(200);

    publish('new');
    offset += 10_000;
    expect((await answerTo(app, await tokenOf('old', 'unheard-of'))).status).toBe(401);
    expect((await answerTo(app, before)).detail).toContain('does not know (key id "old")');
    expect((await answerTo(app, after)).status).toBe(200);
  });

  it('refuse a token that names another key, and accept one that names none', async () => {
    publish('old', 'new');
    await start();
    expect((await answerTo(app, await tokenOf('old', 'new'))).detail).toContain('signature does not match');
    const { privateKey: key } = pairs.get('new') as { privateKey: KeyObject };
    expect((await answerTo(app, await sign({ alg: 'ES256', key }))).status).toBe(200);
  });

  it('stay while the URL is away', async () => {
    await start();
    await server.stop();
    offset += 10_000;
    expect((await answerTo(app, await tokenOf('new'))).status).toBe(401);
    expect((await answerTo(app, await tokenOf('old'))).status).toBe(200);
    expect((await ready()).status).toBe(200);
    server = await KeySetServer.start();
  });

  it('are asked for once, however many strange tokens come', async () => {
    await start();
    await app.listen(0, '127.0.0.1');
    offset += 10_000;
    const tokens = await Promise.all(
      Array.from({ length: 20 }, (_, index) => tokenOf('old', `strange-${index}`)),
    );
    const answers = await Promise.all(tokens.map((token) => answerTo(app, token)));
    expect(answers.every(({ status }) => status === 401)).toBe(true);
    expect(server.requests).toBe(2);
  });

  it('are not asked for because of tokens signed with the secret', async () => {
    await start([{ algorithm: 'HS256', key: SECRET }]);
    offset += 10_000;
    expect((await answerTo(app, await sign({ alg: 'HS256', key: SECRET, kid: 'local' }))).status).toBe(200);
    expect(server.requests).toBe(1);
  });

  it('make the process unready until they are there for the first time', async () => {
    server.mode = 'broken';
    await start();
    expect((await ready()).status).toBe(503);
    expect((await answerTo(app, await tokenOf('old'))).detail).toContain('has not received any key yet');
    server.mode = 'good';
    offset += 10_000;
    expect((await answerTo(app, await tokenOf('old'))).status).toBe(200);
    expect((await ready()).status).toBe(200);
  });

  it('never make a published secret the key of HS256', async () => {
    const { publicKey } = PAIRS.RS256;
    server.keys = [{ ...SECRET.export({ format: 'jwk' }), kid: 's' }, publicKey.export({ format: 'jwk' })];
    await start();
    expect((await answerTo(app, await sign({ alg: 'HS256', key: SECRET, kid: 's' }))).detail).toContain(
      'algorithm',
    );
  });
});

describe('the audit log', () => {
  const lines: string[] = [];
  let app: NestFastifyApplication;
  beforeAll(async () => {
    app = await startApp({ keys: [{ algorithm: 'HS256', key: SECRET }], lines });
  });
  afterAll(() => app.close());
  beforeEach(() => {
    lines.length = 0;
  });

  const token = (more: { cellId?: string; scopes?: Principal['scopes']; domains?: string[] } = {}) =>
    mintToken({ subject: 'bob', scopes: ['lrps:read', 'lrps:write'], ttlSeconds: 60, key: SECRET, ...more });
  const audited = () =>
    lines
      .filter((line) => line.includes('audited-call'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  it('has who, what, the outcome and the trace of a change, and no body', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    await request(app.getHttpServer())
      .post('/v1/lrps?password=hunter2')
      .set('authorization', `Bearer ${token({ domains: ['cf'] })}`)
      .set('traceparent', `00-${traceId}-00f067aa0ba902b7-01`)
      .send({ processGuid: 'hunter2' });
    expect(audited()).toEqual([
      {
        time: expect.any(String) as unknown,
        level: 'info',
        app: 'test',
        session: 'audit',
        message: 'audited-call',
        subject: 'bob',
        scopes: ['lrps:read', 'lrps:write'],
        domains: ['cf'],
        method: 'POST',
        route: '/v1/lrps',
        params: {},
        status: 201,
        traceId,
        durationMs: expect.any(Number) as unknown,
      },
    ]);
    expect(lines.join('')).not.toContain('hunter2');
    expect(lines.join('')).not.toContain(token({ domains: ['cf'] }).split('.')[1]);
  });

  it('names the parameters of the route and the code of a refusal', async () => {
    const bearer = `Bearer ${token()}`;
    const server = app.getHttpServer();
    await request(server).delete('/v1/lrps/web').set('authorization', bearer);
    await request(server).patch('/v1/lrps/web').set('authorization', bearer);
    await request(server).post('/v1/lrps');
    await request(server)
      .post('/v1/lrps')
      .set('authorization', `Bearer ${token({ scopes: [] })}`);
    await request(server).post('/v1/nowhere').set('authorization', bearer);
    expect(audited()).toMatchObject([
      { method: 'DELETE', route: '/v1/lrps/:processGuid', params: { processGuid: 'web' }, status: 200 },
      { method: 'PATCH', params: { processGuid: 'web' }, status: 409, code: 'conflict' },
      { method: 'POST', status: 401, code: 'unauthenticated' },
      { subject: 'bob', status: 403, code: 'forbidden' },
      { status: 404, code: 'not-found' },
    ]);
    expect(audited()[2]).not.toHaveProperty('subject');
    expect(audited()[4]).not.toHaveProperty('params');
  });

  it('leaves out reads', async () => {
    await request(app.getHttpServer()).get('/v1/lrps').set('authorization', `Bearer ${token()}`);
    expect(audited()).toEqual([]);
  });

  it.each([
    ['cell-1', 200, 'debug'],
    ['cell-2', 403, 'info'],
  ])('has what a cell agent says of %s at level %3$s', async (cellId, status, level) => {
    const response = await request(app.getHttpServer())
      .put(`/v1/cells/${cellId}/presence`)
      .set('authorization', `Bearer ${token({ cellId: 'cell-1', scopes: ['cell'] })}`);
    expect(response.status).toBe(status);
    expect(audited()).toMatchObject([{ level, cellId: 'cell-1', params: { cellId }, status }]);
  });
});

describe('traceresponse', () => {
  it('continues the trace of the client under a span of our own', async () => {
    const app = await startApp({});
    try {
      const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
      const call = () =>
        request(app.getHttpServer()).get('/healthz').set('traceparent', `00-${traceId}-00f067aa0ba902b7-01`);
      const answers = [
        (await call()).headers['traceresponse'],
        (await call()).headers['traceresponse'],
      ] as string[];
      expect(answers.map((traceparent) => traceIdOf({ traceparent }))).toEqual([traceId, traceId]);
      expect(new Set(answers).size).toBe(2);
      expect(answers.join()).not.toContain('00f067aa0ba902b7');
      expect(answers[0]).toMatch(/-01$/);
    } finally {
      await app.close();
    }
  });
});
