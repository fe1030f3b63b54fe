import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import type { RiveraEvent } from '#rivera/models';
import { shardOf } from '#rivera/store';
import { type BbsHarness, startBbs } from '#test/bbs.js';
import { aDesiredLRP, aTaskDefinition } from '#test/builders.js';
import { FakeCell, NET_INFO } from '#test/fake-cell.js';
import { Following } from '#test/follow.js';

let bbs: BbsHarness;
beforeAll(async () => {
  bbs = await startBbs({ env: { EVENTS_KEPT: '100' } });
});
afterAll(() => bbs.stop());

const open = new Set<Following>();
async function follow(
  ...args: Parameters<typeof Following.start> extends [unknown, ...infer Rest] ? Rest : never
) {
  const following = await Following.start(bbs.client({ baseDelayMs: 5 }), ...args);
  open.add(following);
  return following;
}
afterEach(async () => {
  await Promise.all([...open].map((following) => following.stop()));
  open.clear();
});

let count = 0;
const desireTask = async (domain = 'd'): Promise<string> => {
  const request = { taskGuid: `task-${++count}`, domain, definition: aTaskDefinition() };
  return (await bbs.client().desireTask(request)).taskGuid;
};
const taskGuids = (events: RiveraEvent[], type: string): string[] =>
  events.flatMap((event) =>
    event.type === type && 'after' in event && 'taskGuid' in event.after ? [event.after.taskGuid] : [],
  );
const desireLRP = async (fields: object = {}): Promise<string> =>
  (await bbs.client().desireLRP(aDesiredLRP(fields))).processGuid;

/** More tasks in the shard of this one than its log keeps. */
async function fillShardOf(taskGuid: string): Promise<void> {
  const others = Array.from({ length: 30_000 }, (_, n) => `filling-${n}`)
    .filter((guid) => shardOf(guid) === shardOf(taskGuid))
    .slice(0, 300);
  const desire = (guid: string) =>
    bbs.client().desireTask({ taskGuid: guid, domain: 'filling', definition: aTaskDefinition() });
  await Promise.all(others.map(desire));
}

/** The bare response, nothing read. */
async function openRaw(headers: Record<string, string> = {}, query = ''): Promise<IncomingMessage> {
  const authorization = `Bearer ${bbs.token()}`;
  const request = get(`${bbs.url}/v1/events${query}`, {
    headers: { authorization, ...headers },
    agent: false,
  });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

describe('what is told', () => {
  it('is everything that happens to an LRP, its instances and its cell, in order', async () => {
    const following = await follow();
    const cell = await new FakeCell(bbs, 'cell-1').register();
    const processGuid = await desireLRP({ instances: 2, restartPolicy: { immediateRestarts: 1 } });
    const instance = await cell.run(processGuid);
    await instance.start();
    await bbs.client().updateDesiredLRP(processGuid, { instances: 1 });
    await instance.crash('exit 7');
    await bbs.client().removeDesiredLRP(processGuid);
    await new FakeCell(bbs, 'cell-1').register();
    await bbs.cellClient('cell-1').endCellPresence('cell-1', cell.epoch + 1);
    await following.until(
      ({ types }) => types.includes('cell_removed') && types.includes('desired_lrp_removed'),
    );

    const ofProcess = following.events.filter(({ type }) => type.includes('lrp'));
    expect(ofProcess.map(({ type }) => type)).toEqual([
      'desired_lrp_created',
      'actual_lrp_created',
      'actual_lrp_created',
      // Placed, claimed, started; the heart-beat changed nothing.
      'actual_lrp_changed',
      'actual_lrp_changed',
      'actual_lrp_changed',
      'actual_lrp_removed',
      'desired_lrp_changed',
      'actual_lrp_crashed',
      'actual_lrp_changed',
      'desired_lrp_removed',
      'actual_lrp_removed',
    ]);
    expect(ofProcess[5]).toMatchObject({
      before: { state: 'CLAIMED' },
      after: { state: 'RUNNING', cellId: 'cell-1' },
    });
    expect(ofProcess[8]).toMatchObject({
      before: { state: 'RUNNING' },
      crashCount: 1,
      crashReason: 'exit 7',
    });
    const ofCell = following.events.filter(({ type }) => type.startsWith('cell'));
    expect(ofCell).toMatchObject([
      { type: 'cell_created', after: { cellId: 'cell-1', epoch: 1 } },
      { type: 'cell_changed', before: { epoch: 1 }, after: { epoch: 2 } },
      { type: 'cell_removed', before: { epoch: 2 } },
    ]);
  });

  it('is everything that happens to a task', async () => {
    const following = await follow();
    const taskGuid = await desireTask();
    await bbs.client().cancelTask(taskGuid);
    await bbs.client().deleteTask(taskGuid);
    await following.until(({ types }) => types.includes('task_removed'));
    expect(following.events).toMatchObject([
      { type: 'task_created', after: { taskGuid, state: 'PENDING' } },
      { type: 'task_changed', before: { state: 'PENDING' }, after: { state: 'COMPLETED', failed: true } },
      { type: 'task_removed', before: { taskGuid, state: 'COMPLETED' } },
    ]);
  });

  it('says which request caused it, by the trace id that its answer had', async () => {
    const following = await follow();
    const taskGuid = await desireTask();
    const traceId = 'af'.repeat(16);
    const { headers } = await bbs
      .as('tasks:write')
      .post(`/v1/tasks/${taskGuid}/cancel`)
      .set('traceparent', `00-${traceId}-${'12'.repeat(8)}-01`)
      .expect(200);
    expect(headers['traceresponse']).toContain(traceId);
    const { headers: deleted } = await bbs.as('tasks:write').delete(`/v1/tasks/${taskGuid}`).expect(204);
    await following.until(({ items }) => items.length === 3);
    expect(following.events.map((event) => event.traceId)).toEqual([
      expect.stringMatching(/^[\da-f]{32}$/),
      traceId,
      (deleted['traceresponse'] as string).split('-')[1],
    ]);
  });

  it('says so of everything that clients, operators and agents can ask for', async () => {
    const following = await follow();
    const client = bbs.client();
    const cell = await new FakeCell(bbs, 'cell-t').register();
    await client.cordonCell('cell-t');
    await client.uncordonCell('cell-t');
    await client.drainCell('cell-t');
    await client.cancelDrain('cell-t');

    const processGuid = await desireLRP({ instances: 3 });
    await (await cell.place(processGuid, 0)).refuse();
    await (await cell.run(processGuid, 1)).crash();
    await (await cell.run(processGuid, 2)).remove();
    await cell.run(processGuid, 0);
    await client.retireActualLRP(processGuid, 0);
    const leaving = await cell.run(processGuid, 2);
    await cell.report({ type: 'evacuate-running', ...leaving.key, netInfo: NET_INFO, routable: true });
    await client.updateDesiredLRP(processGuid, { annotation: 'new' });
    const definition = aDesiredLRP();
    await client.startDeployment({ processGuid, definition });
    await client.pauseDeployment(processGuid);
    await client.resumeDeployment(processGuid);
    await client.cancelDeployment(processGuid);
    const lines: object[] = [];
    for await (const line of client.exportStore()) lines.push(JSON.parse(line) as object);
    await client.removeDesiredLRP(processGuid);
    await bbs
      .as('lrps:read', 'lrps:write')
      .post('/v1/desired-lrps/bulk')
      .send({ operations: [{ remove: definition.processGuid }] })
      .expect(200);

    const taskGuid = await desireTask();
    await cell.placeTask(taskGuid);
    await cell.report({ type: 'start-task', taskGuid });
    await cell.report({ type: 'complete-task', taskGuid, failed: false, result: '' });
    await client.resolveTask(taskGuid);
    await client.deleteTask(taskGuid);
    await bbs.cellClient('cell-t').endCellPresence('cell-t', cell.epoch);
    const [header, ...records] = lines.slice(0, -1);
    const { schema } = header as { schema: number };
    const { created } = await client.importRecords({ schema, records });
    expect(created).toBeGreaterThan(4);
    await following.until(({ types }) => types.filter((type) => type === 'cell_created').length === 2);

    // Which here is no request but what the auctioneer would do.
    const isPlacement = (event: RiveraEvent) => 'after' in event && 'placement' in event.after;
    const ofNobody = following.events.filter(({ traceId }) => traceId === undefined);
    expect(ofNobody.filter((event) => !isPlacement(event))).toEqual([]);
    expect(new Set(following.types).size).toBe(15);
  });

  it('is the same for every client', async () => {
    const clients = await Promise.all(Array.from({ length: 20 }, () => follow()));
    const guids = await Promise.all(Array.from({ length: 50 }, () => desireTask()));
    for (const client of clients) {
      await client.until(({ items }) => items.length === 50);
      expect(taskGuids(client.events, 'task_created').toSorted()).toEqual(guids.toSorted());
    }
  });

  it('begins with the request: nothing older', async () => {
    await desireTask();
    const following = await follow();
    const taskGuid = await desireTask();
    await following.until(({ items }) => items.length > 0);
    expect(taskGuids(following.events, 'task_created')).toEqual([taskGuid]);
  });

  it('is what the filter lets through', async () => {
    const byType = await follow({ type: ['task_changed', 'task_removed'] });
    const byTask = await follow({ taskGuid: `task-${count + 1}` });
    const byDomain = await follow({ domain: 'mine', type: 'task_created' });
    const byProcess = await follow({ processGuid: 'a-process' });
    const byCell = await follow({ cellId: 'cell-f', type: ['cell_created', 'actual_lrp_changed'] });
    const [mine, yours] = [await desireTask('mine'), await desireTask('yours')];
    await bbs.client().cancelTask(yours);
    await bbs.client().cancelTask(mine);
    const cell = await new FakeCell(bbs, 'cell-f').register();
    await new FakeCell(bbs, 'cell-g').register();
    await desireLRP({ processGuid: 'a-process' });
    await desireLRP();
    await cell.run('a-process');
    await byCell.until(({ items }) => items.length === 3);
    await byProcess.until(({ items }) => items.length === 5);
    await byType.until(({ items }) => items.length === 2);
    expect(byCell.types).toEqual(['cell_created', 'actual_lrp_changed', 'actual_lrp_changed']);
    expect(taskGuids(byType.events, 'task_changed')).toEqual([yours, mine]);
    expect(byTask.types).toEqual(['task_created', 'task_changed']);
    expect(taskGuids(byDomain.events, 'task_created')).toEqual([mine]);
  });

  it.each([
    ['type=nonsense', 'type[0]', 'isTextList'],
    ['domain=a&domain=b', 'domain', 'isText'],
    ['surprise=1', 'surprise', 'isKnownField'],
  ])('refuses ?%s', async (query, field, rule) => {
    const { body } = await bbs.as().get(`/v1/events?${query}`).expect(400);
    expect(body).toMatchObject({ code: 'invalid-request', fields: [{ field, rule }] });
  });
});

describe('resuming', () => {
  it('leaves nothing out and tells nothing twice while others write', async () => {
    let part = await follow({ domain: 'resumed' });
    const written: string[] = [];
    const writers = Array.from({ length: 4 }, async () => {
      for (let n = 0; n < 25; n += 1) {
        const taskGuid = await desireTask('resumed');
        await bbs.client().cancelTask(taskGuid);
        written.push(taskGuid);
      }
    });
    const seen: string[] = [];
    let cursor: string | undefined;
    while (seen.length < 200) {
      // Cut in the middle of things, as soon as something has come.
      await part.until(({ items }) => items.length > 0);
      await part.stop();
      cursor = part.cursor ?? cursor;
      expect(part.resets).toEqual([]);
      for (const event of part.events) {
        if ('after' in event && 'taskGuid' in event.after) seen.push(`${event.after.taskGuid} ${event.type}`);
      }
      part = await follow({ domain: 'resumed' }, { lastEventId: cursor });
    }
    await Promise.all(writers);
    const expected = written.flatMap((guid) => [`${guid} task_created`, `${guid} task_changed`]);
    expect(seen.toSorted()).toEqual(expected.toSorted());
    for (const guid of written) {
      expect(seen.indexOf(`${guid} task_created`)).toBeLessThan(seen.indexOf(`${guid} task_changed`));
    }
  });

  it('works before the first event: the head names a place, too', async () => {
    const response = await openRaw();
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(response.headers['x-request-id']).toMatch(/./);
    const [chunk] = (await once(response, 'data')) as [Buffer];
    response.destroy();
    const lastEventId = /^id: (\S+)$/m.exec(chunk.toString())?.[1];
    const taskGuid = await desireTask();
    const following = await follow({}, { lastEventId });
    await following.until(({ items }) => items.length > 0);
    expect(taskGuids(following.events, 'task_created')).toEqual([taskGuid]);
  });

  it('says so when the log no longer reaches back, and goes on from there', async () => {
    const following = await follow();
    const taskBefore = await desireTask();
    await following.until(({ items }) => items.length > 0);
    const { cursor } = await following.stop();
    await fillShardOf(taskBefore);

    const resumed = await follow({ domain: 'd' }, { lastEventId: cursor });
    await resumed.until(({ resets }) => resets.length > 0);
    const taskGuid = await desireTask();
    await resumed.until(({ events }) => events.length > 0);
    expect(resumed.resets).toEqual([expect.stringContaining('no longer reaches back') as string]);
    expect('reset' in (resumed.items[0] ?? {})).toBe(true);
    expect(taskGuids(resumed.events, 'task_created')).toEqual([taskGuid]);
  });

  it('says so when the log ends before the place', async () => {
    const ahead = Buffer.from(Array.from({ length: 65 }, () => [0xff, 0xff, 0x7f]).flat()).toString(
      'base64url',
    );
    const following = await follow({}, { lastEventId: ahead });
    await following.until(({ resets }) => resets.length > 0);
    const taskGuid = await desireTask();
    await following.until(({ events }) => events.length > 0);
    expect(taskGuids(following.events, 'task_created')).toEqual([taskGuid]);
  });

  it.each(['garbage', '0', 'AAAA', '_'.repeat(5_000), '{}'])('refuses the Last-Event-ID %s', async (id) => {
    const { body } = await bbs.as().get('/v1/events').set('last-event-id', id).expect(400);
    expect(body).toMatchObject({ code: 'invalid-request' });
  });
});

describe('a heartbeat', () => {
  it('comes every 15 s and moves the place of a client whose filter lets nothing through', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const response = await openRaw({}, '?domain=nowhere');
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      await vi.waitFor(() => expect(text).toContain(': following\nid: '));
      const control = await follow();
      await desireTask();
      await control.until(({ items }) => items.length > 0);
      vi.advanceTimersByTime(15_000);
      await vi.waitFor(() => expect(text).toContain(': heartbeat'));
      const [first, second] = [...text.matchAll(/^id: (\S+)$/gm)].map(([, id]) => id);
      expect(second).not.toBe(first);
      expect(second).toBe(control.cursor);
      expect(text).not.toContain('data:');
      response.destroy();
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('a client that does not read', () => {
  /** 100 kB of routes, so that few events are many bytes. */
  const bulky = (n: number) => ({ routes: { r: `${n} ${'x'.repeat(100_000)}` } });

  it('does not hold up others, and reads all of it when it does', async () => {
    const slow = await openRaw();
    slow.pause();
    const lively = await follow({ type: 'desired_lrp_changed' });
    const processGuid = await desireLRP();
    // More than the kernel and the server keep for it together.
    const updates = 60;
    for (let n = 1; n <= updates; n += 1) await bbs.client().updateDesiredLRP(processGuid, bulky(n));
    await lively.until(({ items }) => items.length === updates);
    expect(lively.disconnects).toBe(0);

    let text = '';
    slow.on('data', (chunk: Buffer) => (text += chunk.toString())).resume();
    await vi.waitFor(() => expect(text.match(/^event: desired_lrp_changed$/gm)).toHaveLength(updates), {
      timeout: 20_000,
    });
    expect(text).not.toContain('event: reset');
    slow.destroy();

    const [first] = lively.items;
    const late = await follow(
      { type: 'desired_lrp_changed' },
      { lastEventId: first && 'cursor' in first ? first.cursor : '' },
    );
    await late.until(({ items }) => items.length === updates - 1);
    expect(late.events).toEqual(lively.events.slice(1));
    expect(late.disconnects).toBe(0);
    await bbs.client().removeDesiredLRP(processGuid);
  });
});

describe('closing the server', () => {
  it('ends open streams, also those that nobody reads', async () => {
    const second = await startBbs({ redis: bbs.redis });
    const following = await Following.start(second.client({ maxAttempts: 1, baseDelayMs: 60_000 }));
    const authorization = `Bearer ${second.token()}`;
    const [unread] = (await once(
      get(`${second.url}/v1/events`, { headers: { authorization } }),
      'response',
    )) as [IncomingMessage];
    unread.on('error', () => undefined);
    await second.stop();
    await following.until(({ disconnects }) => disconnects === 1);
    await following.stop();
  });
});
