import request from 'supertest';
import { type BbsHarness, startBbs } from '#test/bbs.js';
import { aDesiredLRP } from '#test/builders.js';
import { ROUTES } from '#test/bbs-routes.js';
import { FakeCell } from '#test/fake-cell.js';

/** A client's patience; the server has to say no before. */
const PATIENCE_MS = 10_000;
const STORED = ROUTES.filter(({ withoutStore }) => !withoutStore);

let bbs: BbsHarness;
beforeAll(async () => {
  bbs = await startBbs({ appendonly: true });
});
afterAll(() => bbs.stop());

describe('while the store is away', () => {
  it('every route says so, and afterwards all works as before', async () => {
    const cell = await new FakeCell(bbs, 'cell-1').register();
    const { processGuid } = await bbs.client().desireLRP(aDesiredLRP());
    const instance = await cell.run(processGuid);
    await bbs.redis.kill9();

    const answers = await Promise.all(
      STORED.map(async ({ method, path, scope, body }) => {
        const token = bbs.token({ scopes: [scope], ...(scope === 'cell' ? { cellId: 'cell-1' } : {}) });
        const call = request(bbs.url)[method](path).auth(token, { type: 'bearer' }).timeout(PATIENCE_MS);
        const answer = await call.send(body);
        const { code, detail } = answer.body as { code?: string; detail?: string };
        return {
          route: `${method} ${path}`,
          status: answer.status,
          code,
          isExplained: detail?.includes('again'),
        };
      }),
    );
    expect(answers).toEqual(
      STORED.map(({ method, path }) => ({
        route: `${method} ${path}`,
        status: 503,
        code: 'unavailable',
        isExplained: true,
      })),
    );
    await request(bbs.url).get('/healthz').expect(200);
    const { body } = await request(bbs.url).get('/readyz').timeout(PATIENCE_MS).expect(503);
    expect(body).toMatchObject({ ready: false, checks: [{ name: 'store', ready: false }] });

    await bbs.redis.restart();
    await vi.waitFor(() => request(bbs.url).get('/readyz').expect(200), { timeout: 20_000 });
    expect(await bbs.client().getDesiredLRP(processGuid)).toMatchObject({ processGuid });
    expect(await instance.crash()).toEqual({ ok: true });
    await bbs.client().desireLRP(aDesiredLRP());
    await cell.register();
  });
});
