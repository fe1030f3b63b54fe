import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Task, TaskDefinition } from '#rivera/models';
import { type BbsHarness, startBbs } from '#test/bbs.js';
import { aTaskDefinition } from '#test/builders.js';
import { FakeCell } from '#test/fake-cell.js';
import { Following } from '#test/follow.js';

let bbs: BbsHarness;
let cell: FakeCell;
let other: FakeCell;
beforeAll(async () => {
  bbs = await startBbs();
  cell = await new FakeCell(bbs, 'cell-1').register();
  other = await new FakeCell(bbs, 'cell-2').register();
});
afterAll(() => bbs.stop());

const PATH = '/v1/tasks';
const at = (taskGuid: string) => `${PATH}/${taskGuid}`;
let count = 0;
const aRequest = (definition: Partial<TaskDefinition> = {}, domain = 'd') => ({
  taskGuid: `task-${++count}`,
  domain,
  definition: aTaskDefinition(definition),
});
const desire = async (definition: Partial<TaskDefinition> = {}, domain = 'd'): Promise<string> =>
  (await bbs.client().desireTask(aRequest(definition, domain))).taskGuid;
const get = (taskGuid: string): Promise<Task> => bbs.client().getTask(taskGuid);

/** A task that runs on `cell`. */
async function running(definition: Partial<TaskDefinition> = {}): Promise<string> {
  const taskGuid = await desire(definition);
  await cell.placeTask(taskGuid);
  await cell.report({ type: 'start-task', taskGuid });
  return taskGuid;
}

describe('desire', () => {
  it('answers 201 with a PENDING task', async () => {
    const request = aRequest();
    const { body } = await bbs.as('tasks:write').post(PATH).send(request).expect(201);
    expect(body).toMatchObject({
      ...request,
      state: 'PENDING',
      rejectionCount: 0,
      modificationTag: { index: 0 },
    });
    expect((await bbs.as('tasks:read').get(at(request.taskGuid)).expect(200)).body).toEqual(body);
  });

  it('refuses a guid that is taken, unless it is the same request again', async () => {
    const request = aRequest();
    const post = (key?: string) => {
      const call = bbs.as().post(PATH).send(request);
      return key === undefined ? call : call.set('idempotency-key', key);
    };
    const { body } = await post('mine').expect(201);
    expect((await post('mine').expect(201)).body).toEqual(body);
    expect((await post('yours').expect(409)).body).toMatchObject({ code: 'already-exists' });
    expect((await post().expect(409)).body).toMatchObject({ code: 'already-exists' });
    expect(JSON.stringify(body)).not.toContain('idempotencyKey');
  });

  it.each([
    [{ taskGuid: 'a b' }, 'taskGuid', 'isGuid'],
    [{ domain: 5 }, 'domain', 'isDomainName'],
    [{ definition: null }, 'definition', 'isObject'],
    [{ definition: { ...aTaskDefinition(), memoryMb: -1 } }, 'definition.memoryMb', 'isInteger'],
    [
      { definition: { ...aTaskDefinition(), completionCallbackUrl: 'ftp://x' } },
      'definition.completionCallbackUrl',
      'isUrl',
    ],
    [{ definition: { ...aTaskDefinition(), instances: 2 } }, 'definition.instances', 'isKnownField'],
  ])('refuses %j', async (fields, field, rule) => {
    const { body } = await bbs
      .as()
      .post(PATH)
      .send({ ...aRequest(), ...fields })
      .expect(400);
    expect(body).toMatchObject({ code: 'invalid-request' });
    expect((body as { fields: object[] }).fields).toContainEqual(expect.objectContaining({ field, rule }));
  });

  it('never shows the image password to clients, and gives it to the cell', async () => {
    const following = await Following.start(bbs.client());
    const request = aRequest({ imageUsername: 'puller', imagePassword: 'hunter2' });
    const { taskGuid } = request;
    const shown = [
      (await bbs.as().post(PATH).send(request).expect(201)).text,
      (await bbs.as().get(at(taskGuid)).expect(200)).text,
      (await bbs.as().get(PATH).query({ domain: 'd' }).expect(200)).text,
    ];
    await cell.placeTask(taskGuid);
    const [started] = await cell.report({ type: 'start-task', taskGuid });
    expect(started).toMatchObject({ ok: true, task: { definition: { imagePassword: 'hunter2' } } });
    shown.push(
      (
        await bbs
          .as()
          .post(`${at(taskGuid)}/cancel`)
          .expect(200)
      ).text,
    );
    await bbs.as().delete(at(taskGuid)).expect(204);
    await following.until(({ types }) => types.includes('task_removed'));
    shown.push(JSON.stringify(following.events));
    await following.stop();
    for (const text of [...shown, ...bbs.log]) expect(text).not.toContain('hunter2');
    expect(shown.every((text) => text.includes('puller'))).toBe(true);
  });
});

describe('list', () => {
  it('filters by domain, state and cell, and pages', async () => {
    const domain = 'of-the-list';
    const guids = await Promise.all(Array.from({ length: 5 }, () => desire({}, domain)));
    await cell.placeTask(guids[0] ?? '');
    await cell.report({ type: 'start-task', taskGuid: guids[0] ?? '' });
    const list = async (query: object) => {
      const { body } = await bbs.as('tasks:read').get(PATH).query(query).expect(200);
      return body as { items: Task[]; next?: string };
    };
    const guidsOf = ({ items }: { items: Task[] }) => items.map(({ taskGuid }) => taskGuid).toSorted();
    expect(guidsOf(await list({ domain }))).toEqual(guids.toSorted());
    expect(guidsOf(await list({ domain, state: 'RUNNING' }))).toEqual([guids[0]]);
    expect(guidsOf(await list({ domain, cellId: 'cell-1' }))).toEqual([guids[0]]);
    expect(guidsOf(await list({ domain, cellId: 'cell-2' }))).toEqual([]);
    const first = await list({ domain, limit: 3 });
    expect(first.items).toHaveLength(3);
    const rest = await list({ domain, limit: 3, after: first.next });
    expect([...guidsOf(first), ...guidsOf(rest)].toSorted()).toEqual(guids.toSorted());
    expect(rest).not.toHaveProperty('next');
  });

  it.each([
    ['state=DONE', 'state', 'isOneOf'],
    ['limit=x', 'limit', 'isInteger'],
    ['taskGuid=x', 'taskGuid', 'isKnownField'],
  ])('refuses ?%s', async (query, field, rule) => {
    const { body } = await bbs.as().get(`${PATH}?${query}`).expect(400);
    expect(body).toMatchObject({ fields: [{ field, rule }] });
  });
});

describe('the life of a task', () => {
  it('is placed, started once, completed and deleted', async () => {
    const taskGuid = await desire();
    await cell.placeTask(taskGuid);
    const work = async () => (await cell.work()).tasks.filter((task) => task.taskGuid === taskGuid);
    expect(await work()).toMatchObject([{ state: 'PENDING', placement: { cellId: 'cell-1' } }]);
    expect(await cell.report({ type: 'start-task', taskGuid })).toMatchObject([
      { ok: true, task: { state: 'RUNNING' } },
    ]);
    expect(await cell.report({ type: 'start-task', taskGuid })).toMatchObject([
      { ok: true, alreadyStarted: true },
    ]);
    expect(await get(taskGuid)).toMatchObject({ state: 'RUNNING', cellId: 'cell-1' });

    expect((await bbs.as().delete(at(taskGuid)).expect(409)).body).toMatchObject({
      code: 'invalid-state-transition',
    });
    const completion = { type: 'complete-task', taskGuid, failed: false, result: '42' } as const;
    expect(await cell.report(completion)).toEqual([{ ok: true }]);
    expect(await cell.report(completion)).toMatchObject([
      { ok: false, error: { code: 'invalid-state-transition' } },
    ]);
    const done = await get(taskGuid);
    expect(done).toMatchObject({ state: 'COMPLETED', failed: false, result: '42' });
    expect(done).not.toHaveProperty('cellId');
    expect(await work()).toEqual([]);

    await bbs.as('tasks:write').delete(at(taskGuid)).expect(204);
    expect((await bbs.as().get(at(taskGuid)).expect(404)).body).toMatchObject({ code: 'not-found' });
    await bbs.as().delete(at(taskGuid)).expect(404);
  });

  it('belongs to the cell it was given to', async () => {
    const taskGuid = await desire();
    await cell.placeTask(taskGuid);
    expect(await other.report({ type: 'start-task', taskGuid })).toMatchObject([
      { ok: false, error: { code: 'invalid-state-transition' } },
    ]);
    await cell.report({ type: 'start-task', taskGuid });
    expect(await other.report({ type: 'complete-task', taskGuid, failed: false })).toMatchObject([
      { ok: false, error: { code: 'running-on-different-cell' } },
    ]);
    expect(await get(taskGuid)).toMatchObject({ state: 'RUNNING', cellId: 'cell-1' });
  });

  it('is placed again when refused, and failed when rejected too often', async () => {
    const taskGuid = await desire();
    await cell.placeTask(taskGuid);
    expect(await cell.report({ type: 'refuse-task', taskGuid, reason: 'no room' })).toEqual([{ ok: true }]);
    expect(await get(taskGuid)).toMatchObject({ state: 'PENDING', refusedBy: ['cell-1'], rejectionCount: 0 });
    for (let rejections = 1; rejections <= 3; rejections += 1) {
      await cell.placeTask(taskGuid);
      await cell.report({ type: 'reject-task', taskGuid, reason: 'no such image' });
      expect(await get(taskGuid)).toMatchObject({ state: 'PENDING', rejectionCount: rejections });
    }
    await cell.placeTask(taskGuid);
    await cell.report({ type: 'reject-task', taskGuid, reason: 'no such image' });
    expect(await get(taskGuid)).toMatchObject({
      state: 'COMPLETED',
      failed: true,
      failureReason: 'no such image',
    });
  });

  it('is cancelled wherever it is, but once', async () => {
    for (const taskGuid of [await desire(), await running()]) {
      const { body } = await bbs
        .as('tasks:write')
        .post(`${at(taskGuid)}/cancel`)
        .expect(200);
      expect(body).toMatchObject({ state: 'COMPLETED', failed: true, failureReason: 'task was cancelled' });
      const again = await bbs
        .as()
        .post(`${at(taskGuid)}/cancel`)
        .expect(409);
      expect(again.body).toMatchObject({ code: 'invalid-state-transition' });
    }
    await bbs
      .as()
      .post(`${at('nobody')}/cancel`)
      .expect(404);
  });
});

describe('the result of a task', () => {
  it('is taken care of by one client alone, who deletes it', async () => {
    const taskGuid = await running();
    const resolve = () => bbs.client().resolveTask(taskGuid);
    await expect(resolve()).rejects.toMatchObject({ code: 'invalid-state-transition' });
    await cell.report({ type: 'complete-task', taskGuid, failed: false, result: 'done' });
    expect(await resolve()).toMatchObject({ state: 'RESOLVING', result: 'done' });
    await expect(resolve()).rejects.toMatchObject({ code: 'invalid-state-transition' });
    await bbs.client().deleteTask(taskGuid);
    await expect(resolve()).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('the completion callback', () => {
  let server: Server;
  let status = 200;
  const bodies: unknown[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        bodies.push(JSON.parse(Buffer.concat(chunks).toString()));
        response.writeHead(status).end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => server.close());
  const withCallback = () =>
    running({
      completionCallbackUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/done`,
      annotation: 'mine',
    });

  it('tells how a task ended and deletes it', async () => {
    const taskGuid = await withCallback();
    await cell.report({ type: 'complete-task', taskGuid, failed: true, failureReason: 'exit 1' });
    await vi.waitFor(async () => expect((await bbs.as().get(at(taskGuid))).status).toBe(404), {
      timeout: 10_000,
    });
    expect(bodies).toEqual([
      expect.objectContaining({
        taskGuid,
        failed: true,
        failureReason: 'exit 1',
        result: '',
        annotation: 'mine',
      }),
    ]);
  });

  it('that fails leaves the task for another try', async () => {
    status = 503;
    const taskGuid = await withCallback();
    await cell.report({ type: 'complete-task', taskGuid, failed: false });
    await vi.waitFor(() => expect(bbs.log.join('')).toContain('failed-to-call-back'), { timeout: 10_000 });
    expect(await get(taskGuid)).toMatchObject({ state: 'RESOLVING', failed: false });
  });
});
