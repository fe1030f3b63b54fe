import { type BbsHarness, startBbs } from '#test/bbs.js';

let bbs: BbsHarness;
beforeAll(async () => {
  bbs = await startBbs();
});
afterAll(() => bbs.stop());

const put = (domain: string, body: object) =>
  bbs
    .as('domains:write')
    .put(`/v1/domains/${encodeURIComponent(domain)}`)
    .send(body);
const fresh = async (): Promise<string[]> => {
  const { body } = await bbs.as('domains:read').get('/v1/domains').expect(200);
  return (body as { items: { domain: string }[] }).items.map(({ domain }) => domain);
};

describe('domains', () => {
  it('are fresh for as long as was said, 0 = for ever', async () => {
    const before = Date.now();
    const { body } = await put('for-a-minute', { ttlSeconds: 60 }).expect(200);
    const { expiresAt } = body as { expiresAt: number };
    expect(expiresAt).toBeGreaterThanOrEqual(before + 60_000);
    expect(expiresAt).toBeLessThanOrEqual(Date.now() + 60_000);
    expect((await put('for-ever', { ttlSeconds: 0 }).expect(200)).body).not.toHaveProperty('expiresAt');
    expect(await fresh()).toEqual(['for-a-minute', 'for-ever']);
  });

  it('are not listed any more when their time is over', async () => {
    await put('short', { ttlSeconds: 1 }).expect(200);
    expect(await fresh()).toContain('short');
    await vi.waitFor(async () => expect(await fresh()).not.toContain('short'), { timeout: 5_000 });
  });

  it('are renewed by the same call', async () => {
    const { body: first } = await put('again', { ttlSeconds: 60 });
    const { body: second } = await put('again', { ttlSeconds: 0 }).expect(200);
    const { modificationTag } = first as { modificationTag: { epoch: string } };
    expect(second).toEqual({ domain: 'again', modificationTag: { ...modificationTag, index: 1 } });
  });

  it('may be called anything', async () => {
    for (const domain of ['with space/and slash', 'ünïcödé', 'x'.repeat(255)]) {
      expect((await put(domain, { ttlSeconds: 60 }).expect(200)).body).toMatchObject({ domain });
      expect(await fresh()).toContain(domain);
    }
  });

  it.each([
    ['d', { ttlSeconds: -1 }, 'ttlSeconds', 'isInteger'],
    ['d', { ttlSeconds: '60' }, 'ttlSeconds', 'isInteger'],
    ['d', { ttlSeconds: 1.5 }, 'ttlSeconds', 'isInteger'],
    ['d', {}, 'ttlSeconds', 'isInteger'],
    ['x'.repeat(256), { ttlSeconds: 1 }, 'domain', 'isDomainName'],
    ['a\0b', { ttlSeconds: 1 }, 'domain', 'isDomainName'],
  ])('refuses %j with %j', async (domain, sent, field, rule) => {
    const { body } = await put(domain, sent).expect(400);
    expect(body).toMatchObject({ code: 'invalid-request', fields: [{ field, rule }] });
  });
});
