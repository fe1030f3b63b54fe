import { request as httpRequest } from 'node:http';
import request from 'supertest';
import { secretKey } from '#rivera/platform';
import { type BbsHarness, startBbs } from '#test/bbs.js';
import { type Route, ROUTES } from '#test/bbs-routes.js';

let bbs: BbsHarness;
beforeAll(async () => {
  bbs = await startBbs();
});
afterAll(() => bbs.stop());

const send = ({ method, path }: Route, bearer?: string): request.Test => {
  const call = request(bbs.url)[method](path);
  return bearer === undefined ? call : call.auth(bearer, { type: 'bearer' });
};
const right = ({ scope }: Route): string =>
  bbs.token({ scopes: [scope], ...(scope === 'cell' ? { cellId: 'cell-1' } : {}) });
const those = (filter: (route: Route) => unknown = () => true) =>
  ROUTES.filter(filter).map((route) => [`${route.method.toUpperCase()} ${route.path}`, route] as const);

describe('who may', () => {
  it.each(those())('%s: nobody without a good token', async (_name, route) => {
    const bearers = [
      undefined,
      'nonsense',
      bbs.token({ scopes: [route.scope], ttlSeconds: -60 }),
      bbs.token({ key: secretKey('another-secret-that-is-long-enough') }),
    ];
    for (const bearer of bearers) {
      const { body } = await send(route, bearer).send(route.body).expect(401);
      expect(body).toMatchObject({ code: 'unauthenticated', status: 401 });
    }
  });

  it.each(those())('%s: nobody with every other scope', async (_name, route) => {
    const scopes = ROUTES.map(({ scope }) => scope).filter((scope) => scope !== route.scope);
    const { body } = await send(route, bbs.token({ scopes, cellId: 'cell-1' }))
      .send(route.body)
      .expect(403);
    expect(body).toMatchObject({ code: 'forbidden' });
  });

  it.each(those(({ scope }) => scope === 'cell'))('%s: no other cell', async (_name, route) => {
    for (const cellId of ['cell-2', undefined]) {
      const { body } = await send(route, bbs.token({ scopes: ['cell'], cellId }))
        .send(route.body)
        .expect(403);
      expect(body).toMatchObject({ code: 'forbidden' });
    }
  });
});

describe('what is refused', () => {
  it.each(those(({ method }) => method !== 'get'))(
    '%s: hostile, huge and broken bodies',
    async (_name, route) => {
      const post = (body: string, type = 'application/json') =>
        send(route, right(route)).set('content-type', type).send(body);
      const deep = `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`;
      for (const body of ['{"__proto__":{}}', '{"a":[{"constructor":1}]}', deep, '{"a":', '{"a":1}x']) {
        expect((await post(body).expect(400)).body).toMatchObject({ code: 'invalid-request' });
      }
      expect((await post('a=b', 'text/plain').expect(415)).body).toMatchObject({ code: 'unsupported' });
      expect(await sendTooMuch(route, right(route))).toMatchObject({
        code: 'payload-too-large',
        status: 413,
      });
    },
  );

  it.each(those(({ body }) => body))('%s: no body, a wrong one and unknown fields', async (_name, route) => {
    const post = (body: string | object | undefined) =>
      send(route, right(route)).set('content-type', 'application/json').send(body);
    for (const body of [undefined, '[]', 'null', '"x"', '5']) {
      expect((await post(body).expect(400)).body).toMatchObject({ code: 'invalid-request' });
    }
    const { body } = await post({ ...route.body, surprise: 1 }).expect(400);
    expect((body as { fields: object[] }).fields).toMatchObject([
      { field: 'surprise', rule: 'isKnownField' },
    ]);
  });

  it.each(those(({ hasQuery }) => hasQuery))('%s: unknown query parameters', async (_name, route) => {
    const path = `${route.path}${route.path.includes('?') ? '&' : '?'}surprise=1`;
    const { body } = await send({ ...route, path }, right(route)).expect(400);
    expect(body).toMatchObject({ fields: [{ field: 'surprise', rule: 'isKnownField' }] });
  });
});

describe('the table of routes', () => {
  it('names every route there is', () => {
    const known = ROUTES.map(({ method, path }) => `${method} ${path.split('?')[0]}`);
    const text = bbs.app.getHttpAdapter().getInstance().printRoutes({ commonPrefix: false });
    const served = routesIn(text).filter((route) => route.includes('/v1/'));
    const pattern = (route: string) => new RegExp(`^${route.replace(/:\w+/g, '[^/]+')}$`);
    expect(served.length).toBe(ROUTES.length);
    for (const route of served) {
      expect(
        known.filter((each) => pattern(route).test(each)),
        route,
      ).not.toEqual([]);
    }
  });
});

describe('any other path', () => {
  it.each([
    ['get', '/v1/nothing'],
    ['get', '/'],
    ['put', '/v1/desired-lrps'],
    ['post', '/v1/cells'],
    ['get', '/v1/desired-lrps/a/b'],
  ] as const)('%s %s is not found', async (method, path) => {
    const { body } = await bbs.as()[method](path).expect(404);
    expect(body).toMatchObject({
      code: 'not-found',
      detail: expect.stringContaining('There is no route') as string,
    });
  });
});

describe('health', () => {
  it('needs no token', async () => {
    for (const path of ['/healthz', '/readyz', '/metrics']) await request(bbs.url).get(path).expect(200);
  });
});

/** Lines such as `├── /v1/tasks (GET, HEAD)` with the tree drawn in front. */
function routesIn(tree: string): string[] {
  const stack: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, indent, path, methods = ''] = /^((?:│ {3}| {4})*)[├└]── (\S*)(?: \(([^)]*)\))?/.exec(line) ?? [];
    if (indent === undefined || path === undefined) return [];
    const depth = indent.length / 4;
    stack.length = depth;
    stack.push(path);
    return methods
      .split(', ')
      .filter((method) => method !== '' && method !== 'HEAD')
      .map((method) => `${method.toLowerCase()} ${stack.join('')}`);
  });
}

/** 10 MB; the server answers and stops reading before all of it is sent. */
function sendTooMuch({ method, path }: Route, bearer: string): Promise<unknown> {
  const body = Buffer.alloc(10_000_000, 'x');
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${bearer}`,
      'content-type': 'application/json',
      'content-length': body.length,
    };
    const outgoing = httpRequest(`${bbs.url}${path}`, {
      method: method.toUpperCase(),
      headers,
      agent: false,
    });
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString())));
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') reject(error);
    });
    outgoing.end(body);
  });
}
