import { RiveraError } from '#rivera/models';
import type { CellRegistration } from '#rivera/models';
import { StandInApi } from '../../../test/support/stand-in-api.js';
import { RiveraClient } from './rivera-client.js';

const registration: CellRegistration = {
  zone: 'z1',
  address: '10.0.0.1',
  backend: 'fake',
  capacity: { memoryMb: 1024, diskMb: 1024, containers: 10 },
  rootfsProviders: [{ scheme: 'docker' }],
};
const lrp = {
  processGuid: 'web',
  domain: 'demo',
  instances: 1,
  rootfs: 'preloaded:linux',
  memoryMb: 64,
  diskMb: 64,
  action: { run: { path: '/bin/true', user: 'nobody' } },
};
const task = {
  taskGuid: 't1',
  domain: 'demo',
  definition: { rootfs: 'preloaded:linux', action: lrp.action, memoryMb: 1, diskMb: 1 },
};

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

describe('RiveraClient', () => {
  let api: StandInApi;
  let client: RiveraClient;

  beforeEach(async () => {
    api = await StandInApi.start();
    client = new RiveraClient({ api: `${api.url}/`, token: 'secret', userAgent: 'spec' });
  });
  afterEach(() => api.stop());

  const routes: [string, string, (c: RiveraClient) => Promise<unknown>, unknown?][] = [
    ['desireLRP', 'POST /v1/desired-lrps', (c) => c.desireLRP(lrp), lrp],
    [
      'listDesiredLRPs',
      'GET /v1/desired-lrps?domain=demo&processGuid=a&processGuid=b&limit=2&after=x%2Fy',
      (c) => c.listDesiredLRPs({ domain: 'demo', processGuid: ['a', 'b'], limit: 2, after: 'x/y' }),
    ],
    ['getDesiredLRP', 'GET /v1/desired-lrps/a%2Fb', (c) => c.getDesiredLRP('a/b')],
    [
      'updateDesiredLRP',
      'PATCH /v1/desired-lrps/web',
      (c) => c.updateDesiredLRP('web', { instances: 3 }),
      { instances: 3 },
    ],
    ['removeDesiredLRP', 'DELETE /v1/desired-lrps/web', (c) => c.removeDesiredLRP('web')],
    [
      'listActualLRPs',
      'GET /v1/actual-lrps?processGuid=web&cellId=c1&index=0&state=RUNNING',
      (c) => c.listActualLRPs({ processGuid: 'web', cellId: 'c1', index: 0, state: 'RUNNING' }),
    ],
    ['retireActualLRP', 'DELETE /v1/actual-lrps/web/2', (c) => c.retireActualLRP('web', 2)],
    ['desireTask', 'POST /v1/tasks', (c) => c.desireTask(task), task],
    ['listTasks', 'GET /v1/tasks?state=COMPLETED', (c) => c.listTasks({ state: 'COMPLETED' })],
    ['getTask', 'GET /v1/tasks/t1', (c) => c.getTask('t1')],
    ['cancelTask', 'POST /v1/tasks/t1/cancel', (c) => c.cancelTask('t1')],
    ['deleteTask', 'DELETE /v1/tasks/t1', (c) => c.deleteTask('t1')],
    ['upsertDomain', 'PUT /v1/domains/demo', (c) => c.upsertDomain('demo', 0), { ttlSeconds: 0 }],
    [
      'renewCellPresence',
      'PUT /v1/cells/c1/presence',
      (c) => c.renewCellPresence('c1', { registration }),
      { registration },
    ],
    ['endCellPresence', 'DELETE /v1/cells/c1/presence?epoch=4', (c) => c.endCellPresence('c1', 4)],
    [
      'reportTransitions',
      'POST /v1/cells/c1/transitions',
      (c) => c.reportTransitions('c1', { epoch: 4, reports: [{ type: 'start-task', taskGuid: 't1' }] }),
      { epoch: 4, reports: [{ type: 'start-task', taskGuid: 't1' }] },
    ],
    ['getCellWork', 'GET /v1/cells/c1/work', (c) => c.getCellWork('c1')],
  ];

  it.each(routes)('%s sends %s', async (_name, route, call, body) => {
    api.handler = () => ({ body: { answered: true } });
    await call(client);
    expect(api.routes).toEqual([route]);
    const [seen] = api.requests;
    expect(seen?.body).toEqual(body);
    expect(seen?.headers).toMatchObject({ authorization: 'Bearer secret', 'user-agent': 'spec' });
    expect(seen?.headers['content-type']).toBe(body === undefined ? undefined : 'application/json');
  });

  it('returns what the server answered', async () => {
    api.handler = () => ({ body: { results: [{ ok: true }] } });
    expect(await client.reportTransitions('c1', { epoch: 1, reports: [] })).toEqual([{ ok: true }]);
    api.handler = () => ({ body: { epoch: 7, ttlMs: 5000 } });
    expect(await client.renewCellPresence('c1', { epoch: 7, registration })).toEqual({
      epoch: 7,
      ttlMs: 5000,
    });
  });

  it('takes an answer without a body where none is due', async () => {
    api.handler = (_seen, response) => void response.writeHead(204).end();
    await expect(client.deleteTask('t1')).resolves.toBeUndefined();
  });

  it('asks for health and readiness without a token, whatever the body', async () => {
    api.handler = () => ({ body: 'OK' });
    await client.checkHealth();
    await client.checkReadiness();
    expect(api.routes).toEqual(['GET /healthz', 'GET /readyz']);
    expect(api.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
  });

  it('does not insist on readiness', async () => {
    api.handler = () => ({
      status: 503,
      body: { code: 'unavailable', detail: 'The store does not answer.' },
    });
    await expect(client.checkReadiness()).rejects.toThrow('The store does not answer.');
    expect(api.requests).toHaveLength(1);
  });

  it('reads lists page by page, asking for the next only when it is wanted', async () => {
    api.handler = ({ url }) =>
      url.includes('after=two') ? { body: { items: [3] } } : { body: { items: [1, 2], next: 'two' } };
    expect(await all(client.actualLRPs({ domain: 'demo' }))).toEqual([1, 2, 3]);
    expect(api.routes).toEqual([
      'GET /v1/actual-lrps?domain=demo',
      'GET /v1/actual-lrps?domain=demo&after=two',
    ]);
    for await (const cell of client.cells()) {
      expect(cell).toBe(1);
      break;
    }
    expect(api.routes.slice(2)).toEqual(['GET /v1/cells']);
  });

  it('asks for the token before each attempt', async () => {
    const tokens = ['old', 'new'];
    const rotating = new RiveraClient({
      api: api.url,
      token: () => Promise.resolve(tokens.shift() ?? 'none'),
      baseDelayMs: 1,
    });
    api.handler = () => (api.requests.length === 1 ? { status: 503 } : { body: { items: [] } });
    await rotating.listTasks();
    expect(api.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer new']);
  });

  it.each(['', '.', '..'])('refuses %j as a name', (name) => {
    expect(() => client.removeDesiredLRP(name)).toThrow(RiveraError);
    expect(api.requests).toHaveLength(0);
  });

  it.each(['localhost:8080', 'not an address', 'http://user:pw@host', 'http://host/?a=b'])(
    'refuses the address %j',
    (address) => {
      expect(() => new RiveraClient({ api: address, token: 't' })).toThrow(/is not an API address/);
    },
  );

  describe('problems', () => {
    async function problem(status: number, body: unknown): Promise<RiveraError> {
      api.handler = () => ({ status, body, headers: { 'content-type': 'application/problem+json' } });
      const error: unknown = await client.desireLRP(lrp).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(RiveraError);
      return error as RiveraError;
    }

    it('become errors with the code, sentence and fields of the server', async () => {
      const fields = [{ field: 'ports[2]', rule: 'max', message: 'must not be greater than 65535' }];
      const error = await problem(400, {
        type: 'about:blank',
        title: 'Bad Request',
        status: 400,
        code: 'invalid-request',
        detail: 'The desired LRP is not valid.',
        fields,
        traceId: 'abc',
      });
      expect(error).toMatchObject({ code: 'invalid-request', message: 'The desired LRP is not valid.' });
      expect(error.details).toEqual({ status: 400, fields, traceId: 'abc' });
    });

    it('fall back to the status when the answer is not a problem document', async () => {
      expect((await problem(404, '<html>nothing here</html>')).code).toBe('not-found');
      expect((await problem(502, 'Bad Gateway')).code).toBe('unavailable');
      expect((await problem(418, '')).code).toBe('invalid-request');
      expect((await problem(500, { code: 'made-up' })).code).toBe('internal');
      expect((await problem(500, '')).message).toMatch(/\/v1\/desired-lrps answered with status 500/);
    });

    it('include a success that is not JSON', async () => {
      api.handler = () => ({ body: '<html>' });
      await expect(client.getTask('t')).rejects.toMatchObject({ code: 'unsupported' });
    });
  });
});
