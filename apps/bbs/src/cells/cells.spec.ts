import type { ActualLRP, CellReport } from '#rivera/models';
import { type BbsHarness, startBbs } from '#test/bbs.js';
import { aDesiredLRP } from '#test/builders.js';
import { FakeCell, NET_INFO, REGISTRATION } from '#test/fake-cell.js';

let bbs: BbsHarness;
let cell: FakeCell;
let other: FakeCell;
beforeAll(async () => {
  bbs = await startBbs({ env: { PRESENCE_TTL_MS: '7000' } });
  cell = await new FakeCell(bbs, 'cell-1').register();
  other = await new FakeCell(bbs, 'cell-2').register();
});
afterAll(() => bbs.stop());

const desire = async (fields: object = {}): Promise<string> =>
  (await bbs.client().desireLRP(aDesiredLRP(fields))).processGuid;
const only = async (processGuid: string): Promise<ActualLRP | undefined> =>
  (await bbs.client().listActualLRPs({ processGuid })).items[0];
const refused = (code: string) => ({ ok: false, error: { code } });

describe('presence', () => {
  const put = (cellId: string, body: object) =>
    bbs
      .asCell(cellId)
      .put(`/v1/cells/${encodeURIComponent(cellId)}/presence`)
      .send(body);

  it('gives each start of an agent the next epoch and keeps it when renewed', async () => {
    const registration = { ...REGISTRATION, placementTags: ['gpu'] };
    expect((await put('cell-a', { registration }).expect(200)).body).toEqual({ epoch: 1, ttlMs: 7_000 });
    expect((await put('cell-a', { registration, epoch: 1 }).expect(200)).body).toEqual({
      epoch: 1,
      ttlMs: 7_000,
    });
    expect((await put('cell-a', { registration }).expect(200)).body).toEqual({ epoch: 2, ttlMs: 7_000 });
    expect((await put('cell-a', { registration, epoch: 1 }).expect(409)).body).toMatchObject({
      code: 'stale-epoch',
    });
    const { body } = await bbs.as('cells:read').get('/v1/cells').expect(200);
    expect((body as { items: object[] }).items).toContainEqual(
      expect.objectContaining({ ...registration, cellId: 'cell-a', state: 'PRESENT', epoch: 2 }),
    );
  });

  it('ends when the agent leaves', async () => {
    const gone = await new FakeCell(bbs, 'cell-b').register();
    const leave = (epoch: number | string) =>
      bbs.asCell('cell-b').delete('/v1/cells/cell-b/presence').query({ epoch });
    expect((await leave(gone.epoch + 1).expect(409)).body).toMatchObject({ code: 'stale-epoch' });
    expect((await leave('now').expect(400)).body).toMatchObject({
      fields: [{ field: 'epoch', rule: 'isInteger' }],
    });
    await leave(gone.epoch).expect(204);
    const { items } = (await bbs.as().get('/v1/cells')).body as { items: { cellId: string }[] };
    expect(items.map(({ cellId }) => cellId)).not.toContain('cell-b');
    await expect(gone.report()).rejects.toMatchObject({ code: 'stale-epoch' });
  });

  it.each([
    ['cell-c', { registration: { ...REGISTRATION, zone: '' } }, 'registration.zone', 'isText'],
    [
      'cell-c',
      { registration: { ...REGISTRATION, capacity: { memoryMb: 1 } } },
      'registration.capacity.diskMb',
      'isInteger',
    ],
    ['cell-c', { registration: { ...REGISTRATION, cellId: 'x' } }, 'registration.cellId', 'isKnownField'],
    ['cell-c', { registration: REGISTRATION, epoch: '1' }, 'epoch', 'isInteger'],
    ['cell-c', {}, 'registration', 'isObject'],
    ['a:b', { registration: REGISTRATION }, 'cellId', 'isCellId'],
    ['a/b', { registration: REGISTRATION }, 'cellId', 'isCellId'],
  ])('of %s refuses %j', async (cellId, sent, field, rule) => {
    const { body } = await put(cellId, sent).expect(400);
    expect((body as { fields: object[] }).fields).toContainEqual(expect.objectContaining({ field, rule }));
  });
});

describe('operators', () => {
  const operate = (method: 'put' | 'delete', what: string) =>
    bbs.as('cells:operate')[method](`/v1/cells/cell-op/${what}`).send({});
  const drainOf = async (): Promise<unknown> =>
    ((await put({ epoch: agent.epoch })).body as { drain?: unknown }).drain;
  const put = (body: object) =>
    bbs
      .asCell('cell-op')
      .put('/v1/cells/cell-op/presence')
      .send({ registration: REGISTRATION, ...body });
  let agent: FakeCell;
  beforeAll(async () => {
    agent = await new FakeCell(bbs, 'cell-op').register();
  });

  it('drain a cell: its agent hears of it, and it is cordoned', async () => {
    const before = Date.now();
    const { body } = await bbs.as('cells:operate').put('/v1/cells/cell-op/drain').send({ timeoutMs: 5_000 });
    const { drain, cordoned } = body as { drain: { since: number; deadline: number }; cordoned: boolean };
    expect(cordoned).toBe(true);
    expect(drain.since).toBeGreaterThanOrEqual(before);
    expect(drain.deadline - drain.since).toBe(5_000);
    expect(await drainOf()).toEqual(drain);
    await operate('delete', 'drain').expect(200);
    expect(await drainOf()).toBeUndefined();
    expect((await operate('delete', 'cordon').expect(200)).body).not.toHaveProperty('cordoned');
    expect((await operate('put', 'cordon').expect(200)).body).toMatchObject({ cordoned: true });
    await operate('delete', 'cordon').expect(200);
  });

  it('see what a cell holds', async () => {
    const guid = await desire({ instances: 2 });
    await agent.run(guid, 0);
    const { key } = await agent.place(guid, 1);
    expect((await bbs.as('cells:read').get('/v1/cells/cell-op').expect(200)).body).toMatchObject({
      cellId: 'cell-op',
      work: { placed: 1, claimed: 0, running: 1, evacuating: 0, suspect: 0, tasks: 0 },
    });
    await agent.report({ type: 'refuse', ...key, reason: 'no' });
    await bbs.client().removeDesiredLRP(guid);
  });

  it('are told of cells nobody knows, and of time-outs that are none', async () => {
    await bbs.as('cells:operate').put('/v1/cells/nobody/drain').send({}).expect(404);
    const { body } = await bbs.as('cells:operate').put('/v1/cells/cell-op/drain').send({ timeoutMs: -1 });
    expect(body).toMatchObject({ code: 'invalid-request', fields: [{ field: 'timeoutMs' }] });
  });
});

describe('the life of an LRP', () => {
  it('claim, start, heart-beat, crash, restart, remove', async () => {
    const processGuid = await desire({ restartPolicy: { immediateRestarts: 2 }, annotation: 'mine' });
    const first = await cell.place(processGuid);
    expect((await cell.work()).actualLRPs).toMatchObject([{ processGuid, placement: { cellId: 'cell-1' } }]);

    const claimed = await first.claim();
    expect(claimed).toMatchObject({
      ok: true,
      desiredLRP: { processGuid, annotation: 'mine', action: { run: { path: '/bin/sleep' } } },
    });
    expect(await first.claim()).toEqual(claimed);
    expect(await only(processGuid)).toMatchObject({ state: 'CLAIMED', cellId: 'cell-1', ...first.key });

    await first.start();
    const started = await only(processGuid);
    expect(started).toMatchObject({
      state: 'RUNNING',
      netInfo: NET_INFO,
      routable: true,
      availabilityZone: 'z1',
    });
    await first.start();
    expect(await only(processGuid)).toEqual(started);
    await first.start({ routable: false });
    expect(await only(processGuid)).toMatchObject({ state: 'RUNNING', routable: false });

    expect(await first.crash('exit 7')).toEqual({ ok: true });
    const restarted = await only(processGuid);
    expect(restarted).toMatchObject({ state: 'UNCLAIMED', crashCount: 1, crashReason: 'exit 7' });
    for (const field of ['instanceGuid', 'cellId', 'netInfo', 'routable'])
      expect(restarted).not.toHaveProperty(field);
    expect(await first.crash()).toMatchObject(refused('cannot-be-crashed'));

    const second = await other.run(processGuid);
    expect(await only(processGuid)).toMatchObject({ state: 'RUNNING', cellId: 'cell-2', crashCount: 1 });
    await second.crash('exit 8');
    expect(await only(processGuid)).toMatchObject({
      state: 'CRASHED',
      crashCount: 2,
      restartAt: expect.any(Number) as number,
    });

    await bbs.as().delete(`/v1/desired-lrps/${processGuid}`).expect(204);
    expect(await only(processGuid)).toBeUndefined();
    expect(await first.claim()).toMatchObject(refused('not-found'));
    expect(await first.start()).toMatchObject(refused('cannot-be-started'));
    expect(await first.remove()).toMatchObject(refused('not-found'));
  });

  it('an instance that is removed while its claim is under way leaves nothing behind', async () => {
    const processGuid = await desire();
    const instance = await cell.place(processGuid);
    await instance.claim();
    await bbs.as().delete(`/v1/desired-lrps/${processGuid}`).expect(204);
    expect(await only(processGuid)).toMatchObject({ state: 'CLAIMED', stopping: true });
    // The answer was lost, so the cell asks again.
    expect(await instance.claim()).toMatchObject(refused('not-found'));
    expect(await only(processGuid)).toBeUndefined();
  });

  it('a cell that does not want it refuses, and it waits for another', async () => {
    const processGuid = await desire();
    const instance = await cell.place(processGuid);
    await instance.refuse();
    const waiting = await only(processGuid);
    expect(waiting).toMatchObject({ state: 'UNCLAIMED', refusedBy: ['cell-1'] });
    expect(waiting).not.toHaveProperty('placement');
    await other.run(processGuid);
    expect(await only(processGuid)).not.toHaveProperty('refusedBy');
  });

  it('nobody takes the place of another', async () => {
    const processGuid = await desire();
    const mine = await cell.place(processGuid);
    const key = { ...mine.key, instanceGuid: 'somebody-else' };
    expect(await other.report({ type: 'claim', ...mine.key })).toMatchObject([refused('cannot-be-claimed')]);
    expect(await cell.report({ type: 'claim', ...key })).toMatchObject([refused('cannot-be-claimed')]);
    await mine.claim();
    await mine.start();
    const running = await only(processGuid);
    const reports: CellReport[] = [
      { type: 'claim', ...key },
      { type: 'start', ...key, netInfo: NET_INFO, routable: true },
      { type: 'crash', ...key, reason: 'x' },
      { type: 'remove', ...key },
    ];
    const results = await cell.report(...reports);
    expect(results).toMatchObject(
      ['cannot-be-claimed', 'cannot-be-started', 'cannot-be-crashed', 'not-found'].map(refused),
    );
    expect(await only(processGuid)).toEqual(running);
  });

  it('keeps long and odd crash reasons within bounds', async () => {
    const processGuid = await desire();
    const instance = await cell.run(processGuid);
    await instance.crash(`\0 ${'x'.repeat(50_000)}`);
    const reason = (await only(processGuid))?.crashReason ?? '';
    expect(reason).toHaveLength(1_024);
    expect(reason.endsWith('(truncated)')).toBe(true);
  });
});

describe('epochs', () => {
  it('once another agent of the cell has started, the first one is not heard any more', async () => {
    const first = await new FakeCell(bbs, 'cell-e').register();
    const processGuid = await desire();
    const instance = await first.run(processGuid);
    const second = await new FakeCell(bbs, 'cell-e').register();
    await expect(instance.crash()).rejects.toMatchObject({ code: 'stale-epoch' });
    await expect(bbs.cellClient('cell-e').endCellPresence('cell-e', first.epoch)).rejects.toMatchObject({
      code: 'stale-epoch',
    });
    expect(await only(processGuid)).toMatchObject({ state: 'RUNNING' });
    expect(await second.work()).toMatchObject({ epoch: second.epoch, actualLRPs: [{ processGuid }] });
    expect(await second.report({ type: 'claim', ...instance.key })).toMatchObject([{ ok: true }]);
    expect(await second.report({ type: 'crash', ...instance.key, reason: 'x' })).toEqual([{ ok: true }]);
  });

  it('a cell that never registered is not heard', async () => {
    const stranger = new FakeCell(bbs, 'cell-s');
    stranger.epoch = 1;
    await expect(stranger.report({ type: 'start-task', taskGuid: 't' })).rejects.toMatchObject({
      code: 'stale-epoch',
    });
    expect(await stranger.work()).toEqual({ epoch: 0, actualLRPs: [], tasks: [] });
  });
});

describe('a batch of reports', () => {
  it('is answered in order, and a refused one does not stop the others', async () => {
    const [a, b] = [await desire({ instances: 2 }), await desire()];
    const instances = [await cell.place(a, 0), await cell.place(a, 1), await cell.place(b)];
    const [one, two, three] = instances.map(({ key }) => key);
    if (one === undefined || two === undefined || three === undefined) throw new Error('Three were placed.');
    const started = { netInfo: NET_INFO, routable: true };
    const results = await cell.report(
      { type: 'claim', ...one },
      { type: 'claim', ...three },
      { type: 'claim', ...two, instanceGuid: 'wrong' },
      { type: 'start', ...one, ...started },
      { type: 'start-task', taskGuid: 'nobody' },
      { type: 'claim', processGuid: 'nobody', index: 0, instanceGuid: 'x' },
      { type: 'start', ...three, ...started },
      { type: 'claim', ...two },
      { type: 'crash', ...one, reason: 'x' },
    );
    expect(results).toMatchObject([
      { ok: true, desiredLRP: { processGuid: a } },
      { ok: true, desiredLRP: { processGuid: b } },
      refused('cannot-be-claimed'),
      { ok: true },
      refused('not-found'),
      refused('not-found'),
      { ok: true },
      { ok: true, desiredLRP: { processGuid: a } },
      { ok: true },
    ]);
    const { items } = await bbs.client().listActualLRPs({ processGuid: [a, b] });
    const states = items.map(
      ({ processGuid, index, state }) => `${processGuid === a ? 'a' : 'b'}/${index} ${state}`,
    );
    expect(states.toSorted()).toEqual(['a/0 UNCLAIMED', 'a/1 CLAIMED', 'b/0 RUNNING']);
  });

  it('of 500 is taken, of 501 is not', async () => {
    const reports = (count: number): CellReport[] =>
      Array.from({ length: count }, (_, n) => ({ type: 'start-task', taskGuid: `none-${n}` }));
    const results = await cell.report(...reports(500));
    expect(results).toHaveLength(500);
    expect(results.at(-1)).toMatchObject({
      error: { message: expect.stringContaining('none-499') as string },
    });
    await expect(cell.report(...reports(501))).rejects.toMatchObject({ code: 'invalid-request' });
    expect(await cell.report()).toEqual([]);
  });

  it.each([
    [{ type: 'dance' }, 'reports[0].type', 'isOneOf'],
    [{ type: 'claim', processGuid: 'p', index: 0 }, 'reports[0].instanceGuid', 'isGuid'],
    [{ type: 'start-task', taskGuid: 't', index: 1 }, 'reports[0].index', 'fieldsFitType'],
    [
      { type: 'crash', processGuid: 'p', index: -1, instanceGuid: 'i', reason: 'r' },
      'reports[0].index',
      'isInteger',
    ],
    [{ type: 'start-task', taskGuid: 't', surprise: 1 }, 'reports[0].surprise', 'isKnownField'],
  ])('with %j is refused as a whole', async (report, field, rule) => {
    const { body } = await bbs
      .asCell('cell-1')
      .post('/v1/cells/cell-1/transitions')
      .send({ epoch: cell.epoch, reports: [report] })
      .expect(400);
    expect((body as { fields: object[] }).fields).toContainEqual(expect.objectContaining({ field, rule }));
  });
});
