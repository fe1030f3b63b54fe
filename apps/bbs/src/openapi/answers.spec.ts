import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { Readable } from 'node:stream';
import request from 'supertest';
import type { ContainerStats, LogItem } from '#rivera/models';
import type { Session } from '#rivera/session';
import { startAuctioneerApp } from '#test/auctioneer-app.js';
import { aDesiredLRP, aRealisticDesiredLRP, aTaskDefinition } from '#test/builders.js';
import { type BbsHarness, startBbs } from '#test/bbs.js';
import { FakeCell, REGISTRATION } from '#test/fake-cell.js';
import { startLinkedCell } from '#test/linked-cell.js';
import type { OpenApiDocument, PathOperation } from './openapi-document.js';

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
interface Call {
  token?: string;
  body?: object;
  headers?: Record<string, string>;
  expect?: number;
}

let bbs: BbsHarness;
let document: OpenApiDocument;
let ajv: Ajv2020;
const seen = new Set<PathOperation>();
beforeAll(async () => {
  bbs = await startBbs({ env: { AUCTIONEER_ASK_TIMEOUT_MS: '20000' } });
  document = closed((await request(bbs.url).get('/openapi.json')).body) as OpenApiDocument;
  ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema({ ...document, $id: 'api' });
});
afterAll(() => bbs.stop());

/** The same document, but records have no fields that it does not describe. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const parts = Object.fromEntries(Object.entries(schema).map(([key, part]) => [key, closed(part)]));
  const isOpenRecord =
    parts['type'] === 'object' && 'properties' in parts && !('additionalProperties' in parts);
  return isOpenRecord ? { ...parts, additionalProperties: false } : parts;
}

function operationOf(method: Method, url: string): [pointer: string, operation: PathOperation] {
  const path = url.split('?', 1)[0] ?? '';
  const fits = (template: string): boolean =>
    new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path);
  // A path without parts goes before one with parts, as OpenAPI wants it.
  const template = document.paths[path] === undefined ? Object.keys(document.paths).find(fits) : path;
  const operation = document.paths[template ?? '']?.[method];
  if (template === undefined || operation === undefined)
    throw new Error(`${method} ${url} is not described.`);
  const pointer = template.replaceAll('/', '~1').replaceAll('{', '%7B').replaceAll('}', '%7D');
  return [`api#/paths/${pointer}/${method}`, operation];
}

/** Does it, and holds the answer against the document. */
async function call(method: Method, url: string, options: Call = {}): Promise<Record<string, unknown>> {
  const { token = bbs.token(), body, headers = {} } = options;
  const [pointer, operation] = operationOf(method, url);
  const sent = request(bbs.url)[method](url).set(headers).auth(token, { type: 'bearer' });
  const { status, type, body: answer } = await (body === undefined ? sent : sent.send(body));
  const success = Object.keys(operation.responses).find((key) => key !== 'default') ?? '';
  expect([status, answer]).toEqual([options.expect ?? Number(success), answer]);
  if (status < 400) seen.add(operation);
  const key = status === Number(success) ? success : 'default';
  const [contentType] = Object.keys(operation.responses[key]?.content ?? {});
  if (contentType === undefined) {
    expect(answer).toEqual({});
    return {};
  }
  expect(type).toBe(contentType);
  if (/[/+]json$/.test(type)) {
    const escaped = contentType.replace('/', '~1');
    const validate = ajv.compile({ $ref: `${pointer}/responses/${key}/content/${escaped}/schema` });
    expectValid(validate, answer);
  }
  return answer as Record<string, unknown>;
}

function expectValid(validate: ValidateFunction, value: unknown): void {
  expect([validate(value), validate.errors ?? []]).toEqual([true, []]);
}

/** Reads events until one of this type has come; each is held against the document. */
async function eventsUntil(last: string, path: string): Promise<string[]> {
  const abort = new AbortController();
  const headers = { authorization: `Bearer ${bbs.token()}` };
  const answer = await fetch(`${bbs.url}${path}`, { headers, signal: abort.signal });
  seen.add(operationOf('get', path)[1]);
  const types: string[] = [];
  let text = '';
  const validate = ajv.compile({ $ref: 'api#/components/schemas/Event' });
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const frames = text.split('\n\n');
    text = frames.pop() ?? '';
    for (const frame of frames) {
      const [, data] = /^data: (.+)$/m.exec(frame) ?? [];
      if (data === undefined) continue;
      const event = JSON.parse(data) as { type: string };
      expectValid(validate, event);
      types.push(event.type);
    }
    if (types.includes(last)) break;
  }
  abort.abort();
  return types;
}

describe('every answer is as the document says', () => {
  it('of a whole session', async () => {
    const events = eventsUntil('cell_removed', '/v1/events');
    const cell = await new FakeCell(bbs, 'cell-1').register();
    const token = bbs.token({ scopes: ['cell'], cellId: 'cell-1' });
    const { epoch } = cell;
    await call('put', '/v1/cells/cell-1/presence', { token, body: { epoch, registration: REGISTRATION } });
    await call('put', '/v1/domains/cf-apps', { body: { ttlSeconds: 60 } });
    await call('put', '/v1/domains/for-ever', { body: { ttlSeconds: 0 } });
    await call('get', '/v1/domains');

    const lrp = aRealisticDesiredLRP({
      imageUsername: 'u',
      imagePassword: 'p',
      volumeMounts: [{ driver: 'nfs', mode: 'r', shared: { volumeId: 'v' } }],
    });
    const { processGuid } = lrp;
    const desired = await call('post', '/v1/desired-lrps', {
      body: lrp,
      headers: { 'idempotency-key': 'k1' },
    });
    expect(desired).not.toHaveProperty('imagePassword');
    await call('get', `/v1/desired-lrps/${processGuid}`);
    await call('patch', `/v1/desired-lrps/${processGuid}`, { body: { instances: 2, annotation: 'x' } });
    for (const view of ['full', 'scheduling', 'routing'])
      await call('get', `/v1/desired-lrps?limit=1&view=${view}`);

    const { key } = await cell.place(processGuid, 0);
    const report = (...reports: object[]): Promise<object> =>
      call('post', '/v1/cells/cell-1/transitions', { token, body: { epoch, reports } });
    const netInfo = { address: '10.0.0.1', ports: [{ containerPort: 8080, hostPort: 61_001 }] };
    await report({ type: 'claim', ...key });
    await report({ type: 'start', ...key, netInfo, routable: true });
    await call('get', '/v1/actual-lrps');
    await call('get', '/v1/cells/cell-1/work', { token });
    await report({ type: 'crash', ...key, reason: 'it fell over' }, { type: 'remove', ...key });
    await call('get', `/v1/actual-lrps?processGuid=${processGuid}`);
    await call('delete', `/v1/actual-lrps/${processGuid}/1`);
    const { key: evacuated } = await cell.run(processGuid, 1);
    await report(
      { type: 'evacuate-running', ...evacuated, netInfo, routable: true },
      { type: 'remove-evacuating', ...evacuated },
    );

    const definition = aTaskDefinition({ imageUsername: 'u', imagePassword: 'p' });
    for (const taskGuid of ['t1', 't2']) {
      const body = { taskGuid, domain: 'd', definition };
      await call('post', '/v1/tasks', { body, headers: { 'idempotency-key': taskGuid } });
    }
    await cell.placeTask('t1');
    await call('get', '/v1/tasks/t1');
    await report({ type: 'start-task', taskGuid: 't1' });
    await call('get', '/v1/cells/cell-1/work', { token });
    await report({ type: 'complete-task', taskGuid: 't1', failed: true, failureReason: 'no', result: '' });
    await call('post', '/v1/tasks/t2/cancel');
    await call('post', '/v1/tasks/t2/resolve');
    await call('get', '/v1/tasks');
    await call('delete', '/v1/tasks/t1');

    const operations = [
      { desire: aDesiredLRP({ processGuid: 'b1' }) },
      { update: { processGuid: 'b1', instances: 0 } },
    ];
    await call('post', '/v1/desired-lrps/bulk', {
      body: { operations: [...operations, { get: 'b1' }, { remove: 'b1' }, { get: 'b1' }, 4] },
    });
    await call('get', '/v1/cells');
    for (const operation of ['cordon', 'drain']) {
      await call('put', `/v1/cells/cell-1/${operation}`, { body: {} });
    }
    await call('put', '/v1/cells/cell-1/presence', { token, body: { epoch, registration: REGISTRATION } });
    await call('get', '/v1/cells/cell-1');
    const auctioneer = await startAuctioneerApp(bbs.redis.url);
    await call('post', '/v1/rebalance', { body: { dryRun: true } });
    await call('post', '/v1/plan', { body: { lrps: [lrp, aDesiredLRP({ memoryMb: 1_000_000 })] } });
    await call('get', `/v1/actual-lrps/${processGuid}/0/placement`);
    await call('get', '/v1/capacity?memoryMb=64&diskMb=64');
    await auctioneer.stop();
    for (const operation of ['drain', 'cordon', 'replacement-hold']) {
      await call('delete', `/v1/cells/cell-1/${operation}`);
    }
    const next = aDesiredLRP({ processGuid: 'next', domain: lrp.domain });
    await call('post', '/v1/deployments', { body: { processGuid, definition: next, maxInFlight: 2 } });
    await call('get', '/v1/deployments');
    await call('get', `/v1/deployments/${processGuid}`);
    for (const verb of ['pause', 'resume', 'cancel']) {
      await call('post', `/v1/deployments/${processGuid}/${verb}`);
    }
    await call('delete', `/v1/desired-lrps/${processGuid}`);
    await call('delete', `/v1/cells/cell-1/presence?epoch=${epoch}`, { token });
    for (const path of ['/healthz', '/readyz', '/metrics', '/openapi.json', '/docs']) await call('get', path);
    expect(await events).toEqual(
      expect.arrayContaining(['desired_lrp_changed', 'actual_lrp_crashed', 'task_changed']),
    );
  });

  it('of refusals', async () => {
    await call('get', '/v1/cells', { token: 'nonsense', expect: 401 });
    await call('get', '/v1/cells', { token: bbs.token({ scopes: [] }), expect: 403 });
    await call('get', '/v1/tasks/nobody', { expect: 404 });
    await call('get', '/v1/tasks?limit=0', { expect: 400 });
    await call('post', '/v1/desired-lrps', { body: { processGuid: 3 }, expect: 400 });
    await call('patch', '/v1/desired-lrps/nobody', { body: {}, expect: 404 });
    const lrp = aDesiredLRP();
    await call('post', '/v1/desired-lrps', { body: lrp });
    await call('post', '/v1/desired-lrps', { body: lrp, expect: 409 });
    const headers = { 'if-match': '"other:0"' };
    await call('patch', `/v1/desired-lrps/${lrp.processGuid}`, {
      body: { instances: 2 },
      headers,
      expect: 412,
    });
  });

  it('of what only cells know', async () => {
    const stats: ContainerStats = {
      guid: 'i',
      processGuid: 'p',
      index: 0,
      time: 1,
      cpuPercent: 12.5,
      rxBytes: 5,
    };
    const line: LogItem = {
      guid: 'i',
      index: 0,
      time: 1,
      number: 1,
      source: 'APP',
      stream: 'out',
      text: 'hi',
    };
    const dropped: LogItem = { guid: 'i', dropped: 3 };
    const opened = (say: (session: Session) => Promise<void>) => async (session: Session) => {
      await session.send({ type: 'opened' });
      await say(session);
      session.end({ type: 'end', status: 0 });
    };
    const json = (value: unknown) => Buffer.from(`${JSON.stringify(value)}\n`);
    const linked = await startLinkedCell(bbs, 'cell-9', {
      stats: opened((session) => session.sendData('stdout', json([stats]))),
      logs: opened((session) => session.sendData('stdout', Buffer.concat([json(line), json(dropped)]))),
      exec: opened(() => Promise.resolve()),
      'stream-out': opened(() => Promise.resolve()),
      'stream-in': opened(async (session) => void (await session.next(5_000))),
    });
    const { processGuid } = await bbs.client().desireLRP(aDesiredLRP());
    await linked.cell.run(processGuid);
    await bbs.client().desireTask({ taskGuid: 'logged', domain: 'd', definition: aTaskDefinition() });
    await linked.cell.placeTask('logged');
    await linked.cell.report({ type: 'start-task', taskGuid: 'logged' });
    await call('get', `/v1/lrps/${processGuid}/stats`);
    await call('get', '/v1/cells/cell-9/stats');
    await call('get', '/v1/tasks/logged/logs');
    await call('get', `/v1/lrps/${processGuid}/logs`);
    for await (const item of bbs.client().logs(processGuid)) {
      const [name, value] = 'line' in item ? ['LogLine', item.line] : ['DroppedLines', item];
      expectValid(ajv.compile({ $ref: `api#/components/schemas/${name}` }), value);
    }
    // Those that speak WebSocket have no body to hold against the document.
    const instance = `/v1/actual-lrps/${processGuid}/0`;
    const process = await bbs.client().exec(processGuid, 0, { path: 'true' });
    expect(await process.follow({ stdout: () => {}, stderr: () => {} })).toBe(0);
    const tar = Readable.from([Buffer.from('x')]);
    await bbs.client().streamIn(processGuid, 0, { path: '/', tar });
    for await (const chunk of await bbs.client().streamOut(processGuid, 0, '/')) void chunk;
    const cellRoute = '/v1/cells/cell-9/sessions/some';
    for (const path of [`${instance}/exec`, `${instance}/stream-in`, `${instance}/stream-out`, cellRoute]) {
      const operation = operationOf('get', path)[1];
      expect(Object.keys(operation.responses)).toEqual(['101', 'default']);
      seen.add(operation);
    }
    const token = bbs.token({ scopes: ['cell'], cellId: 'cell-9' });
    await call('get', cellRoute, { token, expect: 426 });
    await linked.stop();
  });

  it('of administration', async () => {
    await call('get', '/v1/admin/export');
    await call('post', '/v1/admin/imports', { body: { schema: 2, lastEvent: 0, merge: true } });
    const records = [
      { kind: 'domain', record: { domain: 'd', modificationTag: { epoch: 'e', index: 0 } } },
      {},
    ];
    await call('post', '/v1/admin/imports/records', { body: { schema: 2, records } });
  });

  it('and no operation was left out', async () => {
    const all = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    // Its answer is told by the content type of the file.
    const untried = all.filter((operation) => !seen.has(operation)).map(({ operationId }) => operationId);
    expect(untried).toEqual(['Docs.asset']);
  });
});
