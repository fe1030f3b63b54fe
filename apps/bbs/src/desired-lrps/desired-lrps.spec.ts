import type { ActualLRP, DesiredLRP } from '#rivera/models';
import { type BbsHarness, startBbs } from '#test/bbs.js';
import { aDesiredLRP, aRealisticDesiredLRP } from '#test/builders.js';
import { FakeCell } from '#test/fake-cell.js';
import { Following } from '#test/follow.js';

let bbs: BbsHarness;
let cell: FakeCell;
beforeAll(async () => {
  bbs = await startBbs();
  cell = await new FakeCell(bbs, 'cell-1').register();
});
afterAll(() => bbs.stop());

const PATH = '/v1/desired-lrps';
const at = (processGuid: string) => `${PATH}/${processGuid}`;
const instancesOf = async (processGuid: string): Promise<ActualLRP[]> =>
  (await bbs.client().listActualLRPs({ processGuid })).items;
const withCredentials = () => aDesiredLRP({ imageUsername: 'puller', imagePassword: 'hunter2' });

describe('desire', () => {
  it('answers 201 with the record and makes an unclaimed instance for each index', async () => {
    const lrp = aRealisticDesiredLRP({ instances: 3 });
    const { body, headers } = await bbs.as('lrps:write').post(PATH).send(lrp).expect(201);
    const { modificationTag, ...fields } = body as DesiredLRP;
    expect(fields).toEqual({ ...lrp, portCount: lrp.ports?.length });
    expect(modificationTag.index).toBe(0);
    expect(headers['etag']).toBe(`"${modificationTag.epoch}:0"`);
    const instances = await instancesOf(lrp.processGuid);
    expect(instances.map(({ index, state, domain }) => ({ index, state, domain }))).toEqual(
      [0, 1, 2].map((index) => ({ index, state: 'UNCLAIMED', domain: lrp.domain })),
    );
  });

  it('refuses a process guid that is taken and leaves its record alone', async () => {
    const lrp = aDesiredLRP();
    await bbs.as().post(PATH).send(lrp).expect(201);
    const { body } = await bbs
      .as()
      .post(PATH)
      .send({ ...lrp, instances: 5 })
      .expect(409);
    expect(body).toMatchObject({ code: 'already-exists' });
    expect(await instancesOf(lrp.processGuid)).toHaveLength(1);
  });

  it('lets one of many who desire the same guid at once win', async () => {
    const lrp = aDesiredLRP();
    const answers = await Promise.all(Array.from({ length: 20 }, () => bbs.as().post(PATH).send(lrp)));
    const statuses = answers.map(({ status }) => String(status));
    expect(statuses.toSorted()).toEqual(['201', ...Array<string>(19).fill('409')]);
  });

  it('answers the same request again when it has the same idempotency key', async () => {
    const lrp = aDesiredLRP();
    const desire = (key: string) => bbs.as().post(PATH).set('idempotency-key', key).send(lrp);
    const { body } = await desire('once').expect(201);
    expect((await desire('once').expect(201)).body).toEqual(body);
    await desire('twice').expect(409);
    await desire('with space').expect(400);
    expect(JSON.stringify(body)).not.toContain('idempotencyKey');
  });

  it.each([
    [{ instances: -1 }, 'instances', 'isInteger'],
    [{ instances: '3' }, 'instances', 'isInteger'],
    [{ processGuid: 'a/b' }, 'processGuid', 'isGuid'],
    [{ processGuid: undefined }, 'processGuid', 'isGuid'],
    [{ domain: '' }, 'domain', 'isDomainName'],
    [{ rootfs: 'nonsense' }, 'rootfs', 'isRootfs'],
    [{ memoryMb: null }, 'memoryMb', 'isInteger'],
    [{ ports: [0] }, 'ports[0]', 'isPortList'],
    [{ action: { run: { path: 5, user: 'u' } } }, 'action.run.path', 'isText'],
    [{ action: {} }, 'action', 'exactlyOneOf'],
    [{ imageUsername: 'puller' }, 'imagePassword', 'together'],
    [{ routes: 5 }, 'routes', 'isRoutes'],
    [{ action: { run: { path: '/x', user: 'u', shell: true } } }, 'action.run.shell', 'isKnownField'],
  ])('refuses %j, naming the field and the rule', async (fields, field, rule) => {
    const { body } = await bbs
      .as()
      .post(PATH)
      .send({ ...aDesiredLRP(), ...fields })
      .expect(400);
    expect(body).toMatchObject({ code: 'invalid-request', fields: [{ field, rule }] });
  });
});

describe('get', () => {
  it('answers the record with its tag, and 304 while that is still it', async () => {
    const lrp = aDesiredLRP();
    const { body: desired } = await bbs.as().post(PATH).send(lrp);
    const { body, headers } = await bbs.as('lrps:read').get(at(lrp.processGuid)).expect(200);
    expect(body).toEqual(desired);
    const again = () =>
      bbs
        .as()
        .get(at(lrp.processGuid))
        .set('if-none-match', headers['etag'] ?? '');
    await again().expect(304);
    await bbs.as().patch(at(lrp.processGuid)).send({ annotation: 'new' }).expect(200);
    await again().expect(200);
  });

  it.each(['nobody', 'with%20space', '%2F', '..%2f..'])('answers 404 for %s', async (guid) => {
    expect((await bbs.as().get(at(guid)).expect(404)).body).toMatchObject({ code: 'not-found' });
  });
});

describe('list', () => {
  const domain = 'of-the-list';
  const guids = Array.from({ length: 25 }, (_, n) => `listed-${String(n).padStart(2, '0')}`);
  beforeAll(async () => {
    await Promise.all(
      guids.map((processGuid) => bbs.client().desireLRP(aDesiredLRP({ processGuid, domain }))),
    );
  });

  const list = async (query: Record<string, unknown>) =>
    (await bbs.as('lrps:read').get(PATH).query(query).expect(200)).body as {
      items: DesiredLRP[];
      next?: string;
    };

  async function everyPage(query: Record<string, unknown>, between: () => Promise<unknown> = async () => {}) {
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await list({ ...query, after });
      seen.push(...page.items.map(({ processGuid }) => processGuid));
      after = page.next;
      await between();
    } while (after !== undefined);
    return seen;
  }

  it('filters by domain and by process guids', async () => {
    expect((await list({ domain })).items.map(({ processGuid }) => processGuid).toSorted()).toEqual(guids);
    expect((await list({ domain: 'nowhere' })).items).toEqual([]);
    const some = await list({ processGuid: [guids[3], guids[4], guids[3], 'nobody'] });
    expect(some.items.map(({ processGuid }) => processGuid).toSorted()).toEqual([guids[3], guids[4]]);
    expect((await list({ processGuid: guids[3], domain: 'nowhere' })).items).toEqual([]);
  });

  it.each(['full', 'scheduling', 'routing'])(
    'in view %s is compressed, and 304 while nothing has changed',
    async (view) => {
      const domain = `large-${view}`;
      const lrps = Array.from({ length: 60 }, (_, n) =>
        aRealisticDesiredLRP({ processGuid: `${domain}-${n}`, domain, instances: 1 }),
      );
      await Promise.all(lrps.map((lrp) => bbs.client().desireLRP(lrp)));
      const get = (etag = '') =>
        bbs
          .as('lrps:read')
          .get(PATH)
          .query({ view, domain })
          .set('accept-encoding', 'gzip')
          .set('if-none-match', etag);
      const { body, headers } = await get().expect(200);
      expect(headers['content-encoding']).toBe('gzip');
      expect((body as { items: DesiredLRP[] }).items).toHaveLength(60);
      await get(headers['etag']).expect(304);
      await bbs
        .as()
        .patch(at(`${domain}-7`))
        .send({ annotation: 'new' })
        .expect(200);
      const changed = await get(headers['etag']).expect(200);
      expect(changed.headers['etag']).not.toBe(headers['etag']);
    },
  );

  it.each([1, 7, 25])('pages by %i: each record once', async (limit) => {
    expect((await everyPage({ domain, limit })).toSorted()).toEqual(guids);
  });

  it('keeps its place while others are written and removed', async () => {
    const extra: string[] = [];
    const write = async () => {
      const { processGuid } = await bbs.client().desireLRP(aDesiredLRP({ domain }));
      extra.push(processGuid);
      await bbs
        .client()
        .updateDesiredLRP(guids[extra.length % guids.length] ?? '', { annotation: 'changed' });
      if (extra.length % 2 === 0) await bbs.client().removeDesiredLRP(extra[extra.length - 2] ?? '');
    };
    const seen = await everyPage({ domain, limit: 3 }, write);
    expect(seen.filter((guid) => guids.includes(guid)).toSorted()).toEqual(guids);
    expect(new Set(seen).size).toBe(seen.length);
    await Promise.all(extra.map((guid) => bbs.as().delete(at(guid))));
  });

  it('shows as much as the view says', async () => {
    const [full] = (await list({ processGuid: guids[0] })).items;
    const [scheduling] = (await list({ processGuid: guids[0], view: 'scheduling' })).items;
    const [routing] = (await list({ processGuid: guids[0], view: 'routing' })).items;
    expect(full).toHaveProperty('action');
    expect(scheduling).toMatchObject({ memoryMb: 64, rootfs: 'preloaded:cflinuxfs4' });
    expect(scheduling).not.toHaveProperty('action');
    expect(Object.keys(routing ?? {}).toSorted()).toEqual([
      'domain',
      'instances',
      'modificationTag',
      'processGuid',
    ]);
  });

  it.each([
    ['limit=0', 'limit', 'isInteger'],
    ['limit=10001', 'limit', 'isInteger'],
    ['limit=', 'limit', 'isInteger'],
    ['limit=ten', 'limit', 'isInteger'],
    ['limit=1&limit=2', 'limit', 'isInteger'],
    ['after=garbage', 'after', 'cursor'],
    [`after=${'x'.repeat(2_000)}`, 'after', 'isText'],
    ['view=everything', 'view', 'isOneOf'],
    ['domain=a&domain=b', 'domain', 'isText'],
    ['__proto__=x', '__proto__', 'isFieldName'],
  ])('refuses ?%s', async (query, field, rule) => {
    const { body } = await bbs.as().get(`${PATH}?${query}`).expect(400);
    expect(body).toMatchObject({ code: 'invalid-request', fields: [{ field, rule }] });
  });
});

describe('update', () => {
  it('changes what may change and nothing else, with a new tag', async () => {
    const lrp = aDesiredLRP();
    const before = await bbs.client().desireLRP(lrp);
    const wanted = { annotation: 'new', routes: { r: [1] }, metricTags: { a: { static: 'b' } } };
    const { body } = await bbs.as('lrps:write').patch(at(lrp.processGuid)).send(wanted).expect(200);
    const modificationTag = { ...before.modificationTag, index: 1 };
    expect(body).toEqual({ ...before, ...wanted, modificationTag });
    expect(await bbs.client().getDesiredLRP(lrp.processGuid)).toEqual(body);
  });

  it('scales up and down: the highest indices go, running ones when their cell says so', async () => {
    const lrp = aDesiredLRP({ instances: 1 });
    await bbs.client().desireLRP(lrp);
    await bbs.client().updateDesiredLRP(lrp.processGuid, { instances: 3 });
    expect((await instancesOf(lrp.processGuid)).map(({ index }) => index)).toEqual([0, 1, 2]);
    const instance = await cell.run(lrp.processGuid, 1);
    await bbs.client().updateDesiredLRP(lrp.processGuid, { instances: 1 });
    const left = await instancesOf(lrp.processGuid);
    expect(left.map(({ index, stopping }) => [index, stopping])).toEqual([
      [0, undefined],
      [1, true],
    ]);
    expect(await instance.remove()).toEqual({ ok: true });
    expect(await instancesOf(lrp.processGuid)).toHaveLength(1);
  });

  it('asked with If-Match changes only what has not changed meanwhile', async () => {
    const { processGuid } = await bbs.client().desireLRP(aDesiredLRP());
    const { headers } = await bbs.as().get(at(processGuid));
    const patch = (tag: string) =>
      bbs.as().patch(at(processGuid)).set('if-match', tag).send({ instances: 2 });
    await patch('nonsense').expect(400);
    await patch(headers['etag'] ?? '').expect(200);
    expect((await patch(headers['etag'] ?? '').expect(412)).body).toMatchObject({
      code: 'precondition-failed',
    });
    await patch('*').expect(200);
  });

  it('loses no update among many at once', async () => {
    const { processGuid } = await bbs.client().desireLRP(aDesiredLRP());
    const updates = Array.from({ length: 20 }, (_, n) =>
      bbs.client().updateDesiredLRP(processGuid, { annotation: `${n}` }),
    );
    const indices = (await Promise.all(updates)).map(({ modificationTag }) => modificationTag.index);
    expect(indices.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
  });

  it.each([
    [{ processGuid: 'other' }, 'processGuid', 'isKnownField'],
    [{ memoryMb: 5 }, 'memoryMb', 'isKnownField'],
    [{ instances: 100_001 }, 'instances', 'isInteger'],
    [{ imagePassword: 'p' }, 'imageUsername', 'together'],
  ])('refuses %j', async (fields, field, rule) => {
    const { processGuid } = await bbs.client().desireLRP(aDesiredLRP());
    const { body } = await bbs.as().patch(at(processGuid)).send(fields).expect(400);
    expect(body).toMatchObject({ code: 'invalid-request', fields: [{ field, rule }] });
  });

  it('answers 404 for a record that is not there', async () => {
    const { body } = await bbs.as().patch(at('nobody')).send({ instances: 1 }).expect(404);
    expect(body).toMatchObject({ code: 'not-found' });
  });
});

describe('remove', () => {
  it('answers 204; instances without a container go with it, the others are stopped', async () => {
    const { processGuid } = await bbs.client().desireLRP(aDesiredLRP({ instances: 2 }));
    const instance = await cell.run(processGuid, 0);
    await bbs.as('lrps:write').delete(at(processGuid)).expect(204);
    await bbs.as().get(at(processGuid)).expect(404);
    expect(await instancesOf(processGuid)).toMatchObject([{ index: 0, state: 'RUNNING', stopping: true }]);
    await instance.remove();
    expect(await instancesOf(processGuid)).toEqual([]);
    expect((await bbs.as().delete(at(processGuid)).expect(404)).body).toMatchObject({ code: 'not-found' });
  });

  it('asked with If-Match removes only what has not changed meanwhile', async () => {
    const { processGuid } = await bbs.client().desireLRP(aDesiredLRP());
    const { headers } = await bbs.as().get(at(processGuid));
    await bbs.client().updateDesiredLRP(processGuid, { annotation: 'new' });
    await bbs
      .as()
      .delete(at(processGuid))
      .set('if-match', headers['etag'] ?? '')
      .expect(412);
    await bbs.as().get(at(processGuid)).expect(200);
  });
});

describe('the image password', () => {
  it('is never shown: not by desire, get, list, update, bulk or events', async () => {
    const following = await Following.start(bbs.client());
    const lrp = withCredentials();
    const shown = [
      (await bbs.as().post(PATH).send(lrp).expect(201)).text,
      (await bbs.as().get(at(lrp.processGuid)).expect(200)).text,
      (await bbs.as().get(PATH).query({ processGuid: lrp.processGuid }).expect(200)).text,
      (await bbs.as().patch(at(lrp.processGuid)).send({ imageUsername: 'p', imagePassword: 'hunter2' })).text,
      (
        await bbs
          .as()
          .post(`${PATH}/bulk`)
          .send({ operations: [{ get: lrp.processGuid }] })
          .expect(200)
      ).text,
    ];
    await bbs.client().removeDesiredLRP(lrp.processGuid);
    await following.until(({ types }) => types.includes('desired_lrp_removed'));
    shown.push(JSON.stringify(following.events));
    await following.stop();
    for (const text of [...shown, ...bbs.log]) expect(text).not.toContain('hunter2');
    expect(shown[0]).toContain('puller');
  });

  it('reaches the cell that claims', async () => {
    const lrp = withCredentials();
    await bbs.client().desireLRP(lrp);
    const instance = await cell.place(lrp.processGuid);
    expect(await instance.claim()).toMatchObject({ ok: true, desiredLRP: { imagePassword: 'hunter2' } });
  });
});

describe('bulk', () => {
  const bulk = (operations: unknown, agent = bbs.as()) => agent.post(`${PATH}/bulk`).send({ operations });

  it('does each operation by itself and answers in order', async () => {
    const [first, second] = [aDesiredLRP(), aDesiredLRP()];
    const { body } = await bulk([
      { desire: first },
      { desire: second },
      { desire: { ...first, instances: -1, processGuid: 'x' } },
      { get: 'nobody' },
      { remove: 'nobody' },
      { update: { processGuid: 'nobody', instances: 2 } },
      { update: 5 },
      { explode: 1 },
      {},
    ]).expect(200);
    expect(body).toMatchObject({
      results: [
        { ok: true, desiredLRP: { processGuid: first.processGuid } },
        { ok: true, desiredLRP: { processGuid: second.processGuid } },
        {
          ok: false,
          error: { code: 'invalid-request', fields: [{ field: 'instances', rule: 'isInteger' }] },
        },
        { ok: false, error: { code: 'not-found' } },
        { ok: false, error: { code: 'not-found' } },
        { ok: false, error: { code: 'not-found' } },
        { ok: false, error: { code: 'invalid-request' } },
        { ok: false, error: { code: 'invalid-request' } },
        { ok: false, error: { code: 'invalid-request' } },
      ],
    });
    const after = await bulk([
      { update: { processGuid: first.processGuid, instances: 4 } },
      { get: second.processGuid },
      { remove: second.processGuid },
    ]).expect(200);
    expect(after.body).toMatchObject({
      results: [{ ok: true, desiredLRP: { instances: 4 } }, { ok: true }, { ok: true }],
    });
  });

  it('needs lrps:write for all but get', async () => {
    const { processGuid } = await bbs.client().desireLRP(aDesiredLRP());
    const { body } = await bulk([{ get: processGuid }, { remove: processGuid }], bbs.as('lrps:read')).expect(
      200,
    );
    expect(body).toMatchObject({ results: [{ ok: true }, { ok: false, error: { code: 'forbidden' } }] });
  });

  it('takes at most 1,000 operations', async () => {
    await bulk(Array.from({ length: 1_001 }, () => ({ get: 'x' }))).expect(400);
    await bulk('all').expect(400);
  });
});
