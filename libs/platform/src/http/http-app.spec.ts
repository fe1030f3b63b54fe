import { generateKeyPairSync } from 'node:crypto';
import { request as httpRequest, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { ERROR_CODES, type ErrorCode, RiveraError } from '#rivera/models';
import {
  BadRequestException,
  Body,
  Controller,
  Delete,
  Get,
  Module,
  Param,
  Post,
  Put,
  Query,
  Res,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Type } from 'class-transformer';
import { ArrayMaxSize, IsIn, IsInt, IsOptional, IsString, Max, Min, ValidateNested } from 'class-validator';
import jwt from 'jsonwebtoken';
import request from 'supertest';

import { AuthModule } from '../auth/auth.module.js';
import { CurrentUser } from '../auth/current-user.decorator.js';
import { mintToken, type TokenRequest } from '../auth/mint-token.js';
import type { Principal } from '../auth/principal.js';
import { Public } from '../auth/public.decorator.js';
import { CellRoute, Scopes } from '../auth/scopes.decorator.js';
import { secretKey } from '../auth/verification-key.js';
import { HealthController } from '../health/health.controller.js';
import { Readiness } from '../health/readiness.js';
import { RiveraLogger } from '../logging/rivera-logger.js';
import { Metrics } from '../metrics/metrics.js';
import { PlatformModule } from '../platform.module.js';
import { configureHttp } from './configure-http.js';
import { createFastifyAdapter } from './create-fastify-adapter.js';
import { PROBLEM_TABLE } from './problem.js';

class PartDto {
  @IsString()
  name: string;

  @IsInt()
  @Min(1)
  memoryMb: number;
}

class LrpDto {
  @IsString()
  processGuid: string;

  @IsOptional()
  @ArrayMaxSize(3)
  @ValidateNested({ each: true })
  @Type(() => PartDto)
  parts?: PartDto[];

  @IsOptional()
  @ValidateNested()
  @Type(() => LrpDto)
  inner?: LrpDto;

  @IsOptional()
  @IsIn(['ROLLING'])
  updateStrategy?: string;
}

class PageDto {
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Max(100)
  limit?: number;
}

@Controller('v1')
class TestController {
  @Scopes('lrps:read')
  @Get('lrps')
  list(@Query() page: PageDto, @CurrentUser() user: Principal): unknown {
    return { page, user };
  }

  @Scopes('lrps:write')
  @Post('lrps')
  desire(@Body() body: LrpDto): unknown {
    return body;
  }

  @Public()
  @Post('anything')
  anything(@Body() body: unknown): unknown {
    return { body: body ?? null };
  }

  @Public()
  @Delete('things/:id')
  remove(@Param('id') id: string): unknown {
    return { length: id.length };
  }

  @CellRoute()
  @Put('cells/:cellId')
  report(@Param('cellId') cellId: string): unknown {
    return { cellId };
  }

  @Get('forgotten')
  forgotten(): string {
    return 'closed';
  }

  @Public()
  @Get('stream')
  stream(@Res() reply: { raw: ServerResponse }): never {
    reply.raw.writeHead(200, { 'content-type': 'text/plain' });
    reply.raw.write('half an answer');
    throw new Error('the store went away');
  }

  @Public()
  @Get('fail/:how')
  fail(@Param('how') how: string): never {
    if (how === 'unknown') throw new TypeError('password is hunter2');
    if (how === 'engine') throw Object.assign(new Error('no such container'), { statusCode: 404 });
    if (how === 'nest') throw new BadRequestException('Bad, says Nest.');
    if (how === 'busy') throw new RiveraError('too-many-requests', 'Slow down.', { retryAfterMs: 1500 });
    throw new RiveraError(how as ErrorCode, `It is ${how}.`, {
      fields: [{ field: 'a', rule: 'b', message: 'c' }],
    });
  }
}

const KEY = secretKey('the-secret-of-this-test-is-32-bytes-long');
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const lines: string[] = [];
const metrics = new Metrics({ defaults: false });

async function startApp(key = KEY): Promise<NestFastifyApplication> {
  @Module({
    imports: [
      PlatformModule.forRoot({
        logger: RiveraLogger.create({ app: 'test', destination: { write: (line) => lines.push(line) } }),
        metrics,
      }),
      AuthModule.forRoot({
        environment: 'production',
        issuer: 'rivera',
        audience: 'rivera',
        keys: [
          { algorithm: 'HS256', key },
          { algorithm: 'RS256', key: RSA.publicKey },
        ],
      }),
    ],
    controllers: [TestController, HealthController],
  })
  class AppModule {}
  const adapter = await createFastifyAdapter({ bodyLimitBytes: 1_000_000 });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, adapter, {
    logger: false,
    abortOnError: false,
  });
  configureHttp(app);
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return app;
}

let app: NestFastifyApplication;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const http = () => request(app.getHttpServer());
const token = (change: Partial<TokenRequest> = {}): string =>
  mintToken({ subject: 'bob', scopes: ['lrps:read', 'lrps:write'], ttlSeconds: 60, key: KEY, ...change });
const list = (bearer: string) => http().get('/v1/lrps').set('authorization', bearer);
const desire = (body: string | object) =>
  http()
    .post('/v1/lrps')
    .set('authorization', `Bearer ${token()}`)
    .set('content-type', 'application/json')
    .send(body);

function expectProblem(response: request.Response, status: number, code: ErrorCode): Record<string, unknown> {
  expect({ status: response.status, code: (response.body as { code?: string }).code }).toEqual({
    status,
    code,
  });
  expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(response.body).toMatchObject({
    type: `urn:rivera:problem:${code}`,
    status,
    title: PROBLEM_TABLE[code].title,
  });
  return response.body as Record<string, unknown>;
}

const sign = (claims: object, options: jwt.SignOptions = {}): string =>
  jwt.sign({ iss: 'rivera', aud: 'rivera', sub: 'bob', scope: 'lrps:read', ...claims }, KEY, options);

describe('authentication', () => {
  it('hands the principal of a good token to the handler', async () => {
    const response = await list(`Bearer ${token({ domains: ['cf'] })}`);
    expect(response.status).toBe(200);
    expect(response.body).toMatchObject({
      user: { subject: 'bob', scopes: ['lrps:read', 'lrps:write'], domains: ['cf'] },
    });
  });

  it('accepts a token signed with the private half of the public key', async () => {
    expect((await list(`Bearer ${token({ key: RSA.privateKey })}`)).status).toBe(200);
  });

  const inOneMinute = Math.floor(Date.now() / 1000) + 60;
  const rsaPem = RSA.publicKey.export({ type: 'spki', format: 'pem' }).toString();

  it.each([
    ['no token', () => '', 'has no token'],
    ['another scheme', () => 'Basic abc', 'must read "Bearer <token>"'],
    ['no token after Bearer', () => 'Bearer ', 'must read "Bearer <token>"'],
    ['rubbish', () => 'Bearer rubbish', 'malformed'],
    ['three parts of rubbish', () => 'Bearer a.b.c', 'malformed'],
    ['an expired token', () => `Bearer ${token({ ttlSeconds: -10 })}`, 'The token expired at '],
    [
      'a token of another issuer',
      () => `Bearer ${token({ issuer: 'evil' })}`,
      'an issuer this server does not trust',
    ],
    [
      'a token for another audience',
      () => `Bearer ${token({ audience: 'x' })}`,
      'meant for another audience',
    ],
    [
      'another secret',
      () => `Bearer ${token({ key: secretKey('x'.repeat(32)) })}`,
      'signature does not match',
    ],
    [
      'another algorithm',
      () => `Bearer ${sign({ exp: inOneMinute }, { algorithm: 'HS512' })}`,
      'an algorithm',
    ],
    ['no signature', () => `Bearer ${sign({ exp: inOneMinute }).replace(/[^.]*$/, '')}`, 'not signed'],
    [
      'a token from the future',
      () => `Bearer ${sign({ exp: inOneMinute, nbf: inOneMinute })}`,
      'not valid before',
    ],
    ['a token that never expires', () => `Bearer ${sign({})}`, 'claim "exp"'],
    ['a token without an owner', () => `Bearer ${sign({ exp: inOneMinute, sub: '' })}`, 'claim "sub"'],
    ['scopes as a list', () => `Bearer ${sign({ exp: inOneMinute, scope: ['lrps:read'] })}`, 'claim "scope"'],
    [
      'a public key used as a secret',
      () => `Bearer ${token({ key: secretKey(rsaPem) })}`,
      'signature does not match',
    ],
  ])('refuses %s', async (_, bearer, sentence) => {
    const response = bearer() === '' ? await http().get('/v1/lrps') : await list(bearer());
    expect(expectProblem(response, 401, 'unauthenticated')['detail']).toContain(sentence);
    expect(response.headers['www-authenticate']).toBe('Bearer realm="rivera"');
  });

  it('tolerates a clock that is a little behind', async () => {
    expect((await list(`Bearer ${token({ ttlSeconds: -2 })}`)).status).toBe(200);
  });

  it('keeps its own keys when a second app starts in the same process', async () => {
    const otherKey = secretKey('y'.repeat(32));
    const other = await startApp(otherKey);
    try {
      expect((await list(`Bearer ${token()}`)).status).toBe(200);
      expectProblem(await list(`Bearer ${token({ key: otherKey })}`), 401, 'unauthenticated');
    } finally {
      await other.close();
    }
  });
});

describe('authorisation', () => {
  it('refuses a token without the scope', async () => {
    const response = await list(`Bearer ${token({ scopes: ['tasks:read'] })}`);
    expect(expectProblem(response, 403, 'forbidden')['detail']).toContain('lacks the scope "lrps:read"');
  });

  it('closes a route that declares no scopes', async () => {
    const response = await http().get('/v1/forgotten').set('authorization', `Bearer ${token()}`);
    expect(expectProblem(response, 403, 'forbidden')['detail']).toContain('declares no scopes');
  });

  it.each([
    [{ cellId: 'cell-1', scopes: ['cell'] }, 200, undefined],
    [{ cellId: 'cell-2', scopes: ['cell'] }, 403, 'is for cell "cell-2" and cannot speak for cell "cell-1"'],
    [{ scopes: ['cell'] }, 403, 'names no cell'],
    [{ cellId: 'cell-1', scopes: ['cells:operate'] }, 403, 'lacks the scope "cell"'],
  ] as const)('lets a cell speak only for itself: %o', async (change, status, sentence) => {
    const response = await http()
      .put('/v1/cells/cell-1')
      .set('authorization', `Bearer ${token(change)}`)
      .send();
    expect(response.status).toBe(status);
    if (sentence !== undefined)
      expect(expectProblem(response, 403, 'forbidden')['detail']).toContain(sentence);
  });
});

describe('validation', () => {
  it('hands on what is fine as it was sent', async () => {
    const sent = { processGuid: 'web', parts: [{ name: 'a', memoryMb: 1 }] };
    const response = await desire(sent);
    expect(response.status).toBe(201);
    expect(response.body).toEqual(sent);
  });

  it('lists every broken rule with its path', async () => {
    const response = await desire({
      parts: [
        { name: 'a', memoryMb: 1 },
        { name: 5, memoryMb: 0, colour: 'red' },
      ],
      inner: { processGuid: 'x', inner: { processGuid: 7 } },
      extra: true,
    });
    const problem = expectProblem(response, 400, 'invalid-request');
    const fields = problem['fields'] as { field: string; rule: string; message: string }[];
    expect(fields.map(({ field, rule }) => `${field} ${rule}`).toSorted()).toEqual([
      'extra isKnownField',
      'inner.inner.processGuid isString',
      'parts[1].colour isKnownField',
      'parts[1].memoryMb min',
      'parts[1].name isString',
      'processGuid isString',
    ]);
    expect(problem['detail']).toMatch(/^The request is invalid: .+ \(and 5 more\)$/);
  });

  it.each(['[]', '"text"', '5', 'null', 'true', '[{"processGuid":"a"}]'])(
    'refuses %s where an object belongs',
    async (body) => {
      expect(expectProblem(await desire(body), 400, 'invalid-request')['detail']).toContain(
        'must be a JSON object',
      );
    },
  );

  it('refuses an empty body where one is needed', async () => {
    expect(expectProblem(await desire(''), 400, 'invalid-request')['detail']).toContain('has no body');
  });

  it('accepts an empty body where none is needed', async () => {
    const response = await http().delete('/v1/things/1').set('content-type', 'application/json').send('');
    expect(response.status).toBe(200);
  });

  it.each(['{', '{"a":}', '{"processGuid":"hunter2', 'nope'])(
    'refuses %s, which is not JSON',
    async (body) => {
      const { detail } = expectProblem(await desire(body), 400, 'invalid-request');
      expect(detail).toContain('not valid JSON');
      expect(detail).not.toContain('hunter2');
    },
  );

  it.each([
    ['objects', `${'{"inner":'.repeat(5_000)}1${'}'.repeat(5_000)}`],
    ['lists', `${'['.repeat(200_000)}${']'.repeat(200_000)}`],
  ])('refuses deeply nested %s on every route', async (_, closed) => {
    expect(expectProblem(await desire(closed), 400, 'invalid-request')['detail']).toContain('levels deep');
    const open = await http().post('/v1/anything').set('content-type', 'application/json').send(closed);
    expectProblem(open, 400, 'invalid-request');
  });

  it.each(['__proto__', 'constructor', 'toString'])('refuses the key %s on every route', async (key) => {
    const body = `{"processGuid":"a","inner":{"${key}":{"polluted":true}}}`;
    expect(expectProblem(await desire(body), 400, 'invalid-request')['fields']).toMatchObject([
      { field: `inner.${key}`, rule: 'isFieldName' },
    ]);
    const open = await http().post('/v1/anything').set('content-type', 'application/json').send(body);
    expectProblem(open, 400, 'invalid-request');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('converts and checks query parameters', async () => {
    const good = await http().get('/v1/lrps?limit=7').set('authorization', `Bearer ${token()}`);
    expect(good.body).toMatchObject({ page: { limit: 7 } });
    const bad = await http().get('/v1/lrps?limit=7000&colour=red').set('authorization', `Bearer ${token()}`);
    expect(expectProblem(bad, 400, 'invalid-request')['fields']).toHaveLength(2);
  });
});

describe('problems', () => {
  it.each(ERROR_CODES)('answers %s with the status of the table', async (code) => {
    const response = await http().get(`/v1/fail/${code}?token=hunter2`);
    const problem = expectProblem(response, PROBLEM_TABLE[code].status, code);
    expect(problem['instance']).toBe(`/v1/fail/${code}`);
    if (code === 'internal') {
      expect(problem).not.toHaveProperty('fields');
      expect(problem['detail']).not.toContain('It is internal.');
    } else {
      expect(problem).toMatchObject({
        detail: `It is ${code}.`,
        fields: [{ field: 'a', rule: 'b', message: 'c' }],
      });
    }
  });

  it('logs what was not foreseen, with its trace id, and does not tell the client', async () => {
    lines.length = 0;
    const response = await http().get('/v1/fail/unknown');
    const problem = expectProblem(response, 500, 'internal');
    expect(response.text).not.toContain('hunter2');
    const entry = JSON.parse(lines.find((line) => line.includes('failed-request')) ?? '{}') as Record<
      string,
      unknown
    >;
    expect(entry).toMatchObject({
      level: 'error',
      traceId: problem['traceId'],
      error: { type: 'TypeError' },
    });
    expect(JSON.stringify(entry)).toContain('http-app.spec');
  });

  it('does not take the status of another library for its own', async () => {
    expectProblem(await http().get('/v1/fail/engine'), 500, 'internal');
  });

  it('cuts the connection when half of an answer is already out', async () => {
    await expect(http().get('/v1/stream')).rejects.toThrow(/aborted|socket hang up/);
    expectProblem(await http().get('/nowhere'), 404, 'not-found');
  });

  it('keeps the sentence of a Nest exception and says when to come back', async () => {
    expect(expectProblem(await http().get('/v1/fail/nest'), 400, 'invalid-request')['detail']).toBe(
      'Bad, says Nest.',
    );
    const busy = await http().get('/v1/fail/busy');
    expectProblem(busy, 429, 'too-many-requests');
    expect(busy.headers['retry-after']).toBe('2');
  });

  it.each([
    ['GET', '/nowhere'],
    ['PATCH', '/v1/lrps'],
    ['POST', '/v2/lrps'],
  ])('explains that there is no %s %s', async (method, path) => {
    const call =
      method === 'GET' ? http().get(path) : method === 'PATCH' ? http().patch(path) : http().post(path);
    expect(expectProblem(await call, 404, 'not-found')['detail']).toContain(
      `There is no route ${method} ${path}`,
    );
  });

  it.each(['/v1/things/%', '/%zz'])('refuses the malformed URL %s', async (path) => {
    expectProblem(await http().delete(path), 400, 'invalid-request');
  });

  it('accepts long guids in paths and refuses absurd ones', async () => {
    expect((await http().delete(`/v1/things/${'a'.repeat(500)}`)).body).toEqual({ length: 500 });
    const absurd = await http().delete(`/v1/things/${'a'.repeat(600)}`);
    expectProblem(absurd, 414, 'invalid-request');
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'nonsense'])(
    'refuses a body of type %s',
    async (type) => {
      const response = await http().post('/v1/anything').set('content-type', type).send('a=b');
      expect(expectProblem(response, 415, 'unsupported')['detail']).toContain('must be JSON');
    },
  );

  it('refuses a body of 10 MB with 413', async () => {
    const response = await post('/v1/anything', JSON.stringify('x'.repeat(10_000_000)));
    expect(response.status).toBe(413);
    expect(response.contentType).toMatch(/^application\/problem\+json/);
    expect(JSON.parse(response.text)).toMatchObject({ code: 'payload-too-large', status: 413 });
  });
});

describe('tracing', () => {
  it('uses the trace id of the client and echoes its request id', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const response = await http()
      .get('/nowhere')
      .set('traceparent', `00-${traceId}-00f067aa0ba902b7-01`)
      .set('x-request-id', 'mine-1');
    expect(response.body).toMatchObject({ traceId });
    expect(response.headers['x-request-id']).toBe('mine-1');
  });

  it('makes up an id otherwise', async () => {
    const response = await http().get('/healthz').set('x-request-id', 'not fit');
    expect(response.headers['x-request-id']).toMatch(/^[\da-f]{32}$/);
  });
});

describe('health routes', () => {
  it('need no token', async () => {
    expect((await http().get('/healthz')).body).toEqual({ status: 'alive' });
    expect((await http().get('/readyz')).status).toBe(200);
  });

  it('answer 503 with the reason when a check fails', async () => {
    app.get(Readiness).register('store', () => Promise.reject(new Error('Redis is away.')));
    const response = await http().get('/readyz');
    expect(response.status).toBe(503);
    expect(response.body).toMatchObject({
      ready: false,
      checks: [{ name: 'store', reason: 'Redis is away.' }],
    });
    app.get(Readiness).register('store', () => true);
  });

  it('publish the metrics of requests by route, never by path', async () => {
    await http().delete('/v1/things/secret-name');
    await http().get('/nowhere/secret-name');
    const response = await http().get('/metrics');
    expect(response.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(response.text).toContain('method="DELETE",route="/v1/things/:id",status="200"');
    expect(response.text).not.toContain('secret-name');
  });
});

/** Reads the answer even though the server stops reading the body half way. */
async function post(
  path: string,
  body: string,
): Promise<{ status?: number; contentType?: string; text: string }> {
  if (!app.getHttpServer().listening) await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const outgoing = httpRequest({ port, host: '127.0.0.1', path, method: 'POST', headers }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        const { statusCode: status, headers: answered } = incoming;
        resolve({ status, contentType: answered['content-type'], text: Buffer.concat(chunks).toString() });
      });
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') reject(error);
    });
    outgoing.end(body);
  });
}
