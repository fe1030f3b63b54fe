import { RiveraClient } from '#rivera/client';
import { type BbsHarness, startBbs } from '#test/bbs.js';
import { aDesiredLRP, aTaskDefinition } from '#test/builders.js';

let bbs: BbsHarness;
let mine: RiveraClient;
let all: RiveraClient;
beforeAll(async () => {
  bbs = await startBbs();
  mine = bbs.client({ token: bbs.token({ domains: ['mine'] }) });
  all = bbs.client();
  await all.desireLRP(aDesiredLRP({ processGuid: 'my-app', domain: 'mine', instances: 1 }));
  await all.desireLRP(aDesiredLRP({ processGuid: 'their-app', domain: 'theirs', instances: 1 }));
  await all.desireTask({ taskGuid: 'my-task', domain: 'mine', definition: aTaskDefinition() });
  await all.desireTask({ taskGuid: 'their-task', domain: 'theirs', definition: aTaskDefinition() });
  await all.upsertDomain('theirs', 0);
});
afterAll(() => bbs.stop());

const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'ok',
    (error: { code: string }) => error.code,
  );

describe('a token for one domain', () => {
  it('does not create in another', async () => {
    expect(await codeOf(mine.desireLRP(aDesiredLRP({ domain: 'theirs' })))).toBe('forbidden');
    const task = { taskGuid: 'new-task', domain: 'theirs', definition: aTaskDefinition() };
    expect(await codeOf(mine.desireTask(task))).toBe('forbidden');
    expect(await codeOf(mine.upsertDomain('theirs', 60))).toBe('forbidden');
    expect(await codeOf(mine.upsertDomain('mine', 60))).toBe('ok');
  });

  it('does not learn that the records of another exist', async () => {
    expect(await codeOf(mine.getDesiredLRP('their-app'))).toBe('not-found');
    expect(await codeOf(mine.updateDesiredLRP('their-app', { instances: 9 }))).toBe('not-found');
    // A removal that finds nothing is success to the client; what counts is that the record stays.
    await codeOf(mine.removeDesiredLRP('their-app'));
    expect(await codeOf(mine.retireActualLRP('their-app', 0))).toBe('not-found');
    expect(await codeOf(mine.getTask('their-task'))).toBe('not-found');
    expect(await codeOf(mine.cancelTask('their-task'))).toBe('not-found');
    expect((await all.getDesiredLRP('their-app')).instances).toBe(1);
    expect((await all.getTask('their-task')).state).toBe('PENDING');
  });

  it('lists its own only', async () => {
    const guids = (page: { items: { processGuid?: string; taskGuid?: string; domain: string }[] }) =>
      page.items.map(({ processGuid, taskGuid }) => processGuid ?? taskGuid);
    expect(guids(await mine.listDesiredLRPs())).toEqual(['my-app']);
    expect(guids(await mine.listActualLRPs())).toEqual(['my-app']);
    expect(guids(await mine.listActualLRPs({ processGuid: 'their-app' }))).toEqual([]);
    expect(guids(await mine.listTasks())).toEqual(['my-task']);
    const domains: string[] = [];
    for await (const { domain } of mine.domains()) domains.push(domain);
    expect(domains).toEqual(['mine']);
  });

  it('may not touch another in bulk either', async () => {
    const operations = [{ get: 'my-app' }, { get: 'their-app' }, { remove: 'their-app' }];
    const { body } = await bbs
      .as()
      .post('/v1/desired-lrps/bulk')
      .set('authorization', `Bearer ${bbs.token({ domains: ['mine'] })}`)
      .send({ operations })
      .expect(200);
    const { results } = body as { results: { ok: boolean; error?: { code: string } }[] };
    expect(results.map(({ ok, error }) => error?.code ?? ok)).toEqual([true, 'not-found', 'not-found']);
  });

  it('hears of its own only', async () => {
    const stop = new AbortController();
    const heard: string[] = [];
    const following = (async () => {
      const options = { signal: stop.signal, onConnect: () => opened() };
      for await (const item of mine.events({}, options)) {
        if ('event' in item && item.event.type === 'desired_lrp_changed')
          heard.push(item.event.after.processGuid);
      }
    })();
    let opened = () => {};
    await new Promise<void>((resolve) => (opened = resolve));
    await all.updateDesiredLRP('their-app', { annotation: 'x' });
    await all.updateDesiredLRP('my-app', { annotation: 'x' });
    await vi.waitFor(() => expect(heard).toContain('my-app'), { timeout: 5_000 });
    // One more round trip through the log, after which the other domain's event would have come.
    await all.updateDesiredLRP('my-app', { annotation: 'y' });
    await vi.waitFor(() => expect(heard).toHaveLength(2), { timeout: 5_000 });
    expect(heard).toEqual(['my-app', 'my-app']);
    stop.abort();
    await following;
  });
});
