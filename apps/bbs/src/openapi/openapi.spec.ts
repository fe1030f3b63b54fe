import { Validator } from '@seriousme/openapi-schema-validator';
import { Controller, Get, Module } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, NestFactory } from '@nestjs/core';
import request from 'supertest';
import { LIMITS } from '#rivera/models';
import { type BbsHarness, startBbs } from '#test/bbs.js';
import { buildOpenApiDocument, type OpenApiDocument } from './openapi-document.js';
import { routesOf } from './routes.js';

let bbs: BbsHarness;
let document: OpenApiDocument;
beforeAll(async () => {
  bbs = await startBbs();
  const { body } = await request(bbs.url)
    .get('/openapi.json')
    .expect(200)
    .expect('content-type', /^application\/json/);
  document = body as OpenApiDocument;
});
afterAll(() => bbs.stop());

/** What the HTTP server itself says it answers: lines such as `│   └── /:processGuid (GET, HEAD, PATCH)`. */
function servedRoutes(): string[] {
  const parents: string[] = [];
  const lines = bbs.app
    .getHttpAdapter()
    .getInstance()
    .printRoutes({ commonPrefix: false })
    .trimEnd()
    .split('\n');
  return lines.flatMap((line) => {
    const [, indent = '', path = '', methods = ''] = /^(.*?)[├└]── (\S+) \((.+)\)$/.exec(line) ?? [];
    const depth = indent.length / 4;
    parents[depth] = path;
    const whole = parents
      .slice(0, depth + 1)
      .join('')
      .replaceAll(/:(\w+)/g, '{$1}');
    return methods
      .split(', ')
      .filter((method) => method !== 'HEAD')
      .map((method) => `${method} ${whole}`);
  });
}

const describedRoutes = (): string[] =>
  Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );

describe('GET /openapi.json', () => {
  it('is an OpenAPI 3.1 document', async () => {
    const result = await new Validator().validate({ ...structuredClone(document) });
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
    expect(document.openapi).toMatch(/^3\.1\./);
  });

  it('has every route of the running server, and no other', () => {
    const served = servedRoutes();
    expect(served.length).toBeGreaterThan(20);
    expect(describedRoutes().toSorted()).toEqual(served.toSorted());
  });

  it('says of each operation what it needs', () => {
    const { post, get } = document.paths['/v1/desired-lrps'] ?? {};
    expect(post?.security).toEqual([{ token: ['lrps:write'] }]);
    expect(Object.keys(post?.responses ?? {})).toEqual(['201', 'default']);
    expect(get?.parameters.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['domain', 'after', 'limit']),
    );
    expect(document.paths['/healthz']?.['get']?.security).toEqual([]);
    const presence = document.paths['/v1/cells/{cellId}/presence']?.['put'];
    expect(presence?.security).toEqual([{ token: ['cell'] }]);
  });

  it('has no two operations of the same id, and a parameter for each part of a path', () => {
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.values(methods).map((operation) => ({ path, operation })),
    );
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, operation } of operations) {
      const parts = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const described = operation.parameters.filter((each) => each.in === 'path').map(({ name }) => name);
      expect(new Set(described)).toEqual(new Set(parts));
    }
  });

  it('holds no limit twice: they are those of the request classes', () => {
    const { DesiredLRPRequest: lrp } = document.components.schemas;
    expect(lrp?.properties?.['processGuid']).toMatchObject({ maxLength: 255, pattern: '^[a-zA-Z0-9_-]+$' });
    expect(lrp?.properties?.['instances']).toEqual({
      type: 'integer',
      minimum: 0,
      maximum: LIMITS.instances,
    });
    expect(lrp?.properties?.['ports']).toMatchObject({ maxItems: 32, uniqueItems: true });
    expect(lrp?.required).toEqual(expect.arrayContaining(['processGuid', 'domain', 'instances', 'action']));
  });
});

describe('a route without a description', () => {
  @Controller('v1/surprises')
  class SurpriseController {
    @Get(':name')
    surprise(): string {
      return 'surprise';
    }
  }

  @Module({ imports: [DiscoveryModule], controllers: [SurpriseController] })
  class SurpriseModule {}

  it('keeps the document from being built', async () => {
    const app = await NestFactory.createApplicationContext(SurpriseModule, { logger: false });
    const routes = routesOf(app.get(DiscoveryService));
    await app.close();
    expect(() => buildOpenApiDocument(routes)).toThrow(/get \/v1\/surprises\/\{name\} .* is not described/);
  });

  it('and so does a description without a route', () => {
    expect(() => buildOpenApiDocument([])).toThrow(/which is no route/);
  });
});

describe('GET /docs', () => {
  it('needs nothing but this server', async () => {
    const { text, headers } = await request(bbs.url)
      .get('/docs')
      .expect(200)
      .expect('content-type', /^text\/html/);
    const addresses = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address = '']) => address);
    expect(addresses.length).toBeGreaterThan(2);
    for (const address of addresses) {
      expect(address).toMatch(/^docs\//);
      const asset = await request(bbs.url).get(`/${address}`).expect(200);
      expect(asset.headers['x-content-type-options']).toBe('nosniff');
    }
    const policy = headers['content-security-policy'];
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(text).not.toMatch(/<script>|https?:/);
  });

  it.each(['package.json', '..%2fpackage.json', 'constructor', 'swagger-ui.js.map'])(
    'has no file %s',
    async (file) => {
      const { body } = await request(bbs.url).get(`/docs/${file}`).expect(404);
      expect(body).toMatchObject({ code: 'not-found' });
    },
  );
});
