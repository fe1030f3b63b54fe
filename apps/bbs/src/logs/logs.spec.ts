import request from 'supertest';
import type { LogStreamItem } from '#rivera/client';
import type { RiveraError } from '#rivera/models';
import { CellRepository } from '#rivera/store';
import { type BbsHarness, startBbs } from '#test/bbs.js';
import { aDesiredLRP, aTaskDefinition } from '#test/builders.js';
import { FakeCell } from '#test/fake-cell.js';
import { keepLogs, type LinkedCell, startLinkedCell } from '#test/linked-cell.js';

let bbs: BbsHarness;
let other: BbsHarness;
let cells: { linked: LinkedCell; logs: ReturnType<typeof keepLogs>['logs'] }[];

beforeAll(async () => {
  bbs = await startBbs({ env: { SESSION_TIMEOUT_MS: '1500' } });
  other = await startBbs({ redis: bbs.redis });
  cells = await Promise.all(
    ['cell-1', 'cell-2'].map(async (cellId) => {
      const { logs, handler } = keepLogs();
      return { logs, linked: await startLinkedCell(bbs, cellId, { logs: handler }) };
    }),
  );
});
afterAll(async () => {
  await Promise.all(cells.map(({ linked }) => linked.stop()));
  await other.stop();
  await bbs.stop();
});

const SOME = { source: 'APP', stream: 'out' as const };

interface Run {
  say(...texts: string[]): void;
  end(): void;
}

/** An instance that runs on one of the cells and can speak. */
async function run(processGuid: string, index = 0, on = 0): Promise<Run & { crash(): Promise<unknown> }> {
  const { linked, logs } = cells[on]!;
  const instance = await linked.cell.place(processGuid, index);
  await instance.claim();
  const log = logs.open({ kind: 'lrp', guid: instance.key.instanceGuid, processGuid, index });
  await instance.start();
  return {
    say: (...texts) => texts.forEach((text) => log.append({ ...SOME, text, timestampMs: Date.now() })),
    end: () => log.close(),
    crash: () => instance.crash(),
  };
}

async function desire(instances = 1, domain = 'some-domain'): Promise<string> {
  const { processGuid } = await bbs.client().desireLRP(aDesiredLRP({ instances, domain }));
  return processGuid;
}

async function read(items: AsyncIterable<LogStreamItem>): Promise<LogStreamItem[]> {
  const all: LogStreamItem[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const textsOf = (items: LogStreamItem[]) => items.flatMap((item) => ('line' in item ? [item.line.text] : []));

/** Follows until it is stopped. */
function follow(items: (signal: AbortSignal) => AsyncIterable<LogStreamItem>) {
  const abort = new AbortController();
  const seen: LogStreamItem[] = [];
  const ended = (async () => {
    for await (const item of items(abort.signal)) seen.push(item);
  })();
  return {
    seen,
    ended,
    until: (...texts: string[]) =>
      vi.waitFor(() => expect(textsOf(seen)).toEqual(texts), { timeout: 10_000, interval: 20 }),
    stop: async () => {
      abort.abort();
      await ended;
    },
  };
}

describe('the log of an LRP', () => {
  it('has the lines of its instances, wherever they are and whichever bbs is asked', async () => {
    const guid = await desire(2);
    const [first, second] = [await run(guid, 0, 0), await run(guid, 1, 1)];
    first.say('one', 'two');
    second.say('three');
    for (const each of [bbs, other]) {
      const items = await read(each.client().logs(guid));
      expect(textsOf(items).toSorted()).toEqual(['one', 'three', 'two']);
      expect(items).toContainEqual({
        line: {
          ...SOME,
          guid: expect.any(String),
          index: 0,
          number: 2,
          text: 'two',
          time: expect.any(Number),
        },
      });
    }
    expect(textsOf(await read(bbs.client().logs(guid, { index: 1 })))).toEqual(['three']);
    expect(textsOf(await read(bbs.client().logs(guid, { index: 0, tail: 1 })))).toEqual(['two']);
    expect(textsOf(await read(bbs.client().logs(guid, { since: Date.now() + 60_000 })))).toEqual([]);
  });

  it('is framed as server-sent events', async () => {
    const guid = await desire();
    (await run(guid)).say('one');
    const { text, type, headers } = await bbs.as('lrps:read').get(`/v1/lrps/${guid}/logs`).expect(200);
    expect(type).toBe('text/event-stream');
    expect(headers).toMatchObject({
      'cache-control': expect.stringContaining('no-store'),
      connection: 'close',
    });
    expect(text).toMatch(/^event: log\ndata: \{.*"text":"one"\}\n\n$/);
  });

  it('is followed from run to run', async () => {
    const guid = await desire();
    const first = await run(guid, 0, 0);
    first.say('one');
    const following = follow((signal) => bbs.client().logs(guid, { follow: true, tail: 1 }, { signal }));
    await following.until('one');
    first.say('two');
    await following.until('one', 'two');
    first.say('three');
    await first.crash();
    first.end();
    const second = await run(guid, 0, 1);
    second.say('four');
    await following.until('one', 'two', 'three', 'four');
    await bbs.client().removeDesiredLRP(guid);
    await following.stop();
  });

  it('of an instance that crashed still says why, also beside its next run', async () => {
    const guid = await desire();
    const first = await run(guid, 0, 0);
    first.say('it hurts');
    await first.crash();
    first.end();
    expect(textsOf(await read(bbs.client().logs(guid)))).toEqual(['it hurts']);
    (await run(guid, 0, 1)).say('again');
    expect(textsOf(await read(bbs.client().logs(guid))).toSorted()).toEqual(['again', 'it hurts']);
  });

  it('does without a past run of which nothing is left', async () => {
    const guid = await desire();
    const lost = await new FakeCell(bbs, 'lost').register();
    const instance = await lost.run(guid);
    await instance.crash();
    await bbs.app.get(CellRepository).remove('lost');
    expect(await read(bbs.client().logs(guid))).toEqual([]);
    (await run(guid)).say('here');
    expect(textsOf(await read(bbs.client().logs(guid)))).toEqual(['here']);
  });

  it('is followed before there is an instance, and ends with the LRP', async () => {
    const guid = await desire();
    const following = follow((signal) => bbs.client().logs(guid, { follow: true }, { signal }));
    const only = await run(guid);
    only.say('one');
    await following.until('one');
    only.end();
    await bbs.client().removeDesiredLRP(guid);
    const [instance] = (await cells[0]!.linked.cell.work()).actualLRPs.filter(
      ({ processGuid }) => processGuid === guid,
    );
    await cells[0]!.linked.cell.report({
      type: 'remove',
      processGuid: guid,
      index: 0,
      instanceGuid: instance!.instanceGuid!,
    });
    await following.ended;
  });

  it('is taken up again where it was cut off, with no line twice', async () => {
    const guid = await desire();
    const only = await run(guid);
    only.say('one', 'two');
    const cut: RiveraError[] = [];
    const short = await startBbs({ redis: bbs.redis });
    const port = new URL(short.url).port;
    const following = follow((signal) =>
      short
        .client({ baseDelayMs: 20 })
        .logs(guid, { follow: true }, { signal, onDisconnect: (why) => cut.push(why) }),
    );
    await following.until('one', 'two');
    await short.app.close();
    only.say('three');
    const again = await startBbs({ redis: bbs.redis, port: Number(port) });
    only.say('four');
    await following.until('one', 'two', 'three', 'four');
    expect(cut).not.toEqual([]);
    await following.stop();
    await again.app.close();
  });

  it('tells a reader that was too slow how many lines it missed, and holds up nobody', async () => {
    const guid = await desire();
    const chatty = await run(guid);
    chatty.say('first');
    const abort = new AbortController();
    const slow = bbs.client().logs(guid, { follow: true }, { signal: abort.signal });
    expect(textsOf([(await slow.next()).value as LogStreamItem])).toEqual(['first']);
    const count = 40_000;
    for (let at = 0; at < count; at += 1) {
      chatty.say('x'.repeat(1_000));
      if (at % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    chatty.say('last');
    let [lines, dropped] = [1, 0];
    for await (const item of slow) {
      if ('dropped' in item) dropped += item.dropped;
      if ('line' in item) lines += 1;
      if ('line' in item && item.line.text === 'last') break;
    }
    expect(dropped).toBeGreaterThan(0);
    expect(lines + dropped).toBe(count + 2);
    abort.abort();
    await vi.waitFor(() => expect(cells[0]!.linked.sessions).toBe(0), { timeout: 5_000 });
  });

  it('says which lines cannot be had; when none can, that is the answer', async () => {
    const guid = await desire(2);
    const deaf = await new FakeCell(bbs, 'deaf').register();
    await deaf.run(guid, 0);
    (await run(guid, 1)).say('here');
    const items = await read(bbs.client().logs(guid));
    // Who is there does not wait for who is not.
    expect(items).toEqual([
      { line: expect.objectContaining({ text: 'here' }) },
      {
        failed: {
          cellId: 'deaf',
          guids: [expect.any(String)],
          code: 'cell-unreachable',
          message: expect.any(String),
        },
      },
    ]);
    const { body } = await bbs.as('lrps:read').get(`/v1/lrps/${guid}/logs?index=0`).expect(504);
    expect(body).toMatchObject({
      code: 'cell-unreachable',
      detail: expect.stringContaining('did not connect'),
    });
  });
});

describe('the log of a task', () => {
  it('is followed to its end', async () => {
    const taskGuid = `t-${Date.now()}`;
    await bbs.client().desireTask({ taskGuid, domain: 'd', definition: aTaskDefinition() });
    const following = follow((signal) => bbs.client().taskLogs(taskGuid, { follow: true }, { signal }));
    const { linked, logs } = cells[0]!;
    await linked.cell.placeTask(taskGuid);
    await linked.cell.report({ type: 'start-task', taskGuid });
    const log = logs.open({ kind: 'task', guid: taskGuid });
    log.append({ ...SOME, text: 'working', timestampMs: 1 });
    await following.until('working');
    log.append({ ...SOME, text: 'done', timestampMs: 2 });
    log.close();
    await linked.cell.report({ type: 'complete-task', taskGuid, failed: false });
    await following.ended;
    expect(textsOf(await read(bbs.client().taskLogs(taskGuid, { follow: true })))).toEqual([
      'working',
      'done',
    ]);
    expect(following.seen).toContainEqual({
      line: { ...SOME, guid: taskGuid, number: 2, text: 'done', time: 2 },
    });
  });
});

describe('who may not', () => {
  it.each([
    ['lrps', 'tasks:read'],
    ['tasks', 'lrps:read'],
  ] as const)('without the scope: the log of %s', async (what, scope) => {
    await bbs.as(scope).get(`/v1/${what}/some/logs`).expect(403);
    await request(bbs.url).get(`/v1/${what}/some/logs`).expect(401);
  });

  it('a foreign domain, which is as unknown as what is not there', async () => {
    const guid = await desire(1, 'foreign');
    const token = bbs.token({ domains: ['mine'] });
    const get = (path: string) => request(bbs.url).get(path).auth(token, { type: 'bearer' }).expect(404);
    const [foreign, unknown] = [await get(`/v1/lrps/${guid}/logs`), await get('/v1/lrps/nobody/logs')];
    expect((foreign.body as { detail: string }).detail.replace(guid, 'nobody')).toBe(
      (unknown.body as { detail: string }).detail,
    );
    await bbs.as().get(`/v1/lrps/${guid}/logs?index=3`).expect(404);
    await bbs.as().get('/v1/tasks/nobody/logs').expect(404);
    const { body } = await bbs.as().get(`/v1/lrps/${guid}/logs?follow=perhaps&tail=-1`).expect(400);
    expect(body).toMatchObject({ fields: [{ field: 'follow' }, { field: 'tail' }] });
  });
});
