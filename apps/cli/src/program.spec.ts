import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StandInApi } from '../../../test/support/stand-in-api.js';
import type { Answer } from '../../../test/support/stand-in-api.js';
import { NOW, rivera, serveRoutes } from '../../../test/support/rivera-command.js';

const MINUTE = 60_000;

const web = {
  processGuid: 'web',
  domain: 'demo',
  instances: 3,
  rootfs: 'preloaded:linux',
  memoryMb: 64,
  diskMb: 128,
};
const running = {
  processGuid: 'web',
  index: 1,
  domain: 'demo',
  state: 'RUNNING',
  presence: 'ORDINARY',
  since: NOW - 5 * MINUTE,
  crashCount: 1,
  crashReason: 'exited with status 1',
  instanceGuid: 'i1',
  cellId: 'cell-1',
  routable: true,
  netInfo: { address: '10.0.0.1', ports: [{ containerPort: 8080, hostPort: 61001 }] },
};
const unplaced = {
  processGuid: 'web',
  index: 0,
  domain: 'demo',
  state: 'UNCLAIMED',
  presence: 'ORDINARY',
  since: NOW - 1500,
  crashCount: 0,
  placementError: 'insufficient resources: memory',
};
const task = {
  taskGuid: 't1',
  domain: 'cli',
  state: 'PENDING',
  createdAt: NOW - 2 * MINUTE,
  updatedAt: NOW,
  rejectionCount: 0,
  definition: { rootfs: 'preloaded:linux', memoryMb: 128, diskMb: 256, action: {} },
};
const done = { ...task, state: 'COMPLETED', cellId: 'cell-1', failed: false, result: 'forty-two' };
const failed = { ...done, failed: true, failureReason: 'exited with status 3', result: '' };

const list = (...items: unknown[]): Answer => ({ body: { items } });

const offer = (state: string, ...stacks: string[]): unknown => ({
  state,
  rootfsProviders: [{ scheme: 'docker' }, { scheme: 'preloaded', stacks }],
});

describe('rivera', () => {
  let api: StandInApi;
  let env: NodeJS.ProcessEnv;

  beforeEach(async () => {
    api = await StandInApi.start();
    env = { RIVERA_API: api.url, RIVERA_TOKEN: 'secret' };
  });
  afterEach(() => api.stop());

  const serve = (routes: Record<string, Answer | Answer[]>): void => serveRoutes(api, routes);

  describe('lists', () => {
    const cell = {
      cellId: 'cell-1',
      state: 'PRESENT',
      since: NOW - 3 * 60 * MINUTE,
      zone: 'z1',
      address: '10.0.0.1',
      backend: 'docker',
      capacity: { memoryMb: 4096, diskMb: 10240, containers: 250 },
      evacuating: true,
      rootfsProviders: [],
      placementTags: ['gpu'],
      optionalPlacementTags: ['ssd'],
    };

    it('cells', async () => {
      serve({ 'GET /v1/cells': list(cell, { ...cell, cellId: 'c2', state: 'MISSING', evacuating: false }) });
      const { code, out } = await rivera('cells', { env });
      expect(code).toBe(0);
      expect(out).toMatchInlineSnapshot(`
        "CELL    STATE                SINCE  ZONE  ADDRESS   BACKEND  MEMORY MB  DISK MB  CONTAINERS  TAGS
        cell-1  PRESENT, evacuating  3h     z1    10.0.0.1  docker        4096    10240         250  gpu, ssd (optional)
        c2      MISSING              3h     z1    10.0.0.1  docker        4096    10240         250  gpu, ssd (optional)
        "
      `);
      expect(api.requests[0]?.headers).toMatchObject({
        authorization: 'Bearer secret',
        'user-agent': 'rivera-cli',
      });
    });

    it('cells in JSON, one a line', async () => {
      serve({ 'GET /v1/cells': list(cell, cell) });
      const { out } = await rivera('cells --json', { env });
      expect(out).toBe(`${JSON.stringify(cell)}\n`.repeat(2));
    });

    it('domains', async () => {
      serve({ 'GET /v1/domains': list({ domain: 'demo' }, { domain: 'cf-apps', expiresAt: NOW }) });
      expect((await rivera('domains', { env })).out).toMatchInlineSnapshot(`
        "DOMAIN   FRESH UNTIL
        demo     for ever
        cf-apps  2023-11-14T22:13:20.000Z
        "
      `);
    });

    it('tasks', async () => {
      serve({ 'GET /v1/tasks': list(task, { ...failed, taskGuid: 'longer-guid' }) });
      const { out } = await rivera('tasks --domain cli --cell c1 --state COMPLETED', { env });
      expect(out).toMatchInlineSnapshot(`
        "TASK GUID    DOMAIN  STATE              CELL    AGE  REASON
        t1           cli     PENDING            -       2m   -
        longer-guid  cli     COMPLETED, failed  cell-1  2m   exited with status 3
        "
      `);
      expect(api.routes).toEqual(['GET /v1/tasks?domain=cli&cellId=c1&state=COMPLETED']);
    });

    it('nothing but headings when there is nothing', async () => {
      serve({ 'GET /v1/tasks': list() });
      expect((await rivera('tasks', { env })).out).toBe('TASK GUID  DOMAIN  STATE  CELL  AGE  REASON\n');
    });
  });

  describe('lrps', () => {
    const orphan = { ...running, processGuid: 'gone', index: 0, presence: 'EVACUATING', stopping: true };
    const idle = { ...web, processGuid: 'idle', instances: 0 };

    it('shows every instance, in order', async () => {
      serve({
        'GET /v1/desired-lrps': list(web, idle),
        'GET /v1/actual-lrps': list(running, orphan, unplaced),
      });
      const { code, out } = await rivera('lrps --domain demo', { env });
      expect(code).toBe(0);
      expect(out).toMatchInlineSnapshot(`
        "PROCESS GUID  INDEX  STATE                          CELL    ADDRESS         SINCE  CRASHES  REASON
        gone              0  RUNNING, evacuating, stopping  cell-1  10.0.0.1:61001  5m           1  exited with status 1
        idle              -  -                              -       -               -            -  -
        web               0  UNCLAIMED                      -       -               1s           0  insufficient resources: memory
        web               1  RUNNING                        cell-1  10.0.0.1:61001  5m           1  exited with status 1
        "
      `);
      expect(api.routes).toEqual(['GET /v1/desired-lrps?domain=demo', 'GET /v1/actual-lrps?domain=demo']);
    });

    it('shows one process guid with what it needs', async () => {
      serve({ 'GET /v1/desired-lrps': list(web), 'GET /v1/actual-lrps': list(unplaced, running) });
      expect((await rivera('lrps web', { env })).out).toMatchInlineSnapshot(`
        "web: 1 of 3 running; domain demo, 64 MB memory, 128 MB disk, preloaded:linux

        PROCESS GUID  INDEX  STATE      CELL    ADDRESS         SINCE  CRASHES  REASON
        web               0  UNCLAIMED  -       -               1s           0  insufficient resources: memory
        web               1  RUNNING    cell-1  10.0.0.1:61001  5m           1  exited with status 1
        "
      `);
      expect(api.routes[0]).toBe('GET /v1/desired-lrps?processGuid=web');
    });

    it('gives JSON with the instances of each LRP', async () => {
      serve({ 'GET /v1/desired-lrps': list(web), 'GET /v1/actual-lrps': list(running, unplaced, orphan) });
      const { out } = await rivera('lrps --json', { env });
      expect(
        out
          .trimEnd()
          .split('\n')
          .map((line): unknown => JSON.parse(line)),
      ).toEqual([
        { processGuid: 'gone', actualLRPs: [orphan] },
        { ...web, actualLRPs: [unplaced, running] },
      ]);
    });

    it('fails when there is no such process guid', async () => {
      serve({
        'GET /v1/desired-lrps': list(),
        'GET /v1/actual-lrps': list(),
        'GET /v1/desired-lrps/none': { status: 404, body: { code: 'not-found', detail: 'There is none.' } },
      });
      expect(await rivera('lrps none', { env })).toEqual({
        code: 1,
        out: '',
        err: 'rivera: There is none.\n',
      });
    });
  });

  describe('changes', () => {
    it('desire reads standard input', async () => {
      serve({ 'POST /v1/desired-lrps': { status: 201, body: web } });
      const { code, out } = await rivera('desire -f -', { env, stdin: JSON.stringify(web) });
      expect({ code, out }).toEqual({ code: 0, out: 'Desired web: 3 instances in domain demo.\n' });
      expect(api.requests[0]?.body).toEqual(web);
    });

    it('desire explains a refusal field by field', async () => {
      const fields = [
        { field: 'action.run.path', rule: 'isNotEmpty', message: 'should not be empty' },
        { field: 'ports[0]', rule: 'max', message: 'must not be greater than 65535' },
      ];
      const body = { code: 'invalid-request', detail: 'The desired LRP is not valid.', fields };
      serve({ 'POST /v1/desired-lrps': { status: 400, body } });
      const { code, out, err } = await rivera('desire -f -', { env, stdin: '{}' });
      expect({ code, out }).toEqual({ code: 1, out: '' });
      expect(err).toMatchInlineSnapshot(`
        "rivera: The desired LRP is not valid.
          action.run.path: should not be empty
          ports[0]: must not be greater than 65535
        "
      `);
    });

    it('desire refuses what cannot be read before asking anybody', async () => {
      const missing = await rivera('desire -f nowhere.json', { env });
      expect(missing).toMatchObject({
        code: 2,
        err: expect.stringMatching(/nowhere.json cannot be read: ENOENT/) as string,
      });
      const broken = await rivera('desire -f -', { env, stdin: '{' });
      expect(broken).toMatchObject({
        code: 2,
        err: expect.stringMatching(/Standard input is not JSON/) as string,
      });
      expect(api.requests).toHaveLength(0);
    });

    it('scale, delete, restart and cancel', async () => {
      serve({
        'PATCH /v1/desired-lrps/web': { body: web },
        'DELETE /v1/desired-lrps/web': {},
        'DELETE /v1/actual-lrps/web/2': { status: 202 },
        'POST /v1/tasks/t1/cancel': { body: failed },
      });
      expect((await rivera('scale web 1', { env })).out).toBe('Scaled web to 1 instance.\n');
      expect(api.requests[0]?.body).toEqual({ instances: 1 });
      expect((await rivera('delete web', { env })).out).toMatch(/^Deleted web/);
      expect((await rivera('restart web 2', { env })).out).toMatch(/^Instance 2 of web is being stopped/);
      expect((await rivera('cancel t1', { env })).out).toBe('Cancelled t1.\n');
      expect(api.routes.slice(1)).toEqual([
        'DELETE /v1/desired-lrps/web',
        'DELETE /v1/actual-lrps/web/2',
        'POST /v1/tasks/t1/cancel',
      ]);
    });
  });

  describe('tasks', () => {
    it('task shows one', async () => {
      serve({ 'GET /v1/tasks/t1': { body: { ...done, rejectionCount: 2 } } });
      expect((await rivera('task t1', { env })).out).toMatchInlineSnapshot(`
        "task guid  t1
        domain     cli
        state      COMPLETED
        cell       cell-1
        created    2m ago
        updated    0s ago
        rootfs     preloaded:linux
        memory     128 MB
        disk       256 MB
        rejected   2 times
        result     forty-two
        "
      `);
      expect((await rivera('task t1 --json', { env })).out).toBe(
        `${JSON.stringify({ ...done, rejectionCount: 2 })}\n`,
      );
    });

    it('run desires a task and prints its guid', async () => {
      serve({ 'POST /v1/tasks': { status: 201, body: { ...task, taskGuid: 'mine' } } });
      const line =
        'run --rootfs docker:///busybox --memory 1G --disk 64M --env A=1 --env B=x=y --name mine -- /bin/sh -c exit';
      expect(await rivera(line, { env })).toEqual({ code: 0, out: 'mine\n', err: '' });
      expect(api.requests[0]?.body).toEqual({
        taskGuid: 'mine',
        domain: 'cli',
        definition: {
          rootfs: 'docker:///busybox',
          memoryMb: 1024,
          diskMb: 64,
          environmentVariables: [
            { name: 'A', value: '1' },
            { name: 'B', value: 'x=y' },
          ],
          action: { run: { path: '/bin/sh', args: ['-c', 'exit'], user: '2000:2000' } },
        },
      });
    });

    it('run takes a root filesystem that a present cell offers', async () => {
      serve({
        'GET /v1/cells': list(
          offer('PRESENT', 'linux'),
          offer('PRESENT', 'busybox'),
          offer('MISSING', 'arch'),
        ),
        'POST /v1/tasks': { status: 201, body: task },
      });
      await rivera('run -- true', { env });
      expect(api.requests[1]?.body).toMatchObject({
        taskGuid: 'new-guid',
        definition: { rootfs: 'preloaded:busybox' },
      });
      serve({ 'GET /v1/cells': list() });
      expect(await rivera('run -- true', { env })).toMatchObject({
        code: 2,
        err: 'rivera: No cell offers a preloaded root filesystem. Name one with --rootfs.\n',
      });
    });

    it('run --wait prints the result when the task has completed', async () => {
      serve({
        'POST /v1/tasks': { status: 201, body: task },
        'GET /v1/tasks/t1': [{ body: task }, { body: { ...task, state: 'RUNNING' } }, { body: done }],
      });
      expect(await rivera('run --rootfs x --wait -- true', { env })).toEqual({
        code: 0,
        out: 'forty-two\n',
        err: '',
      });
      expect(api.requests).toHaveLength(4);
    });

    it('run --wait fails as the task did', async () => {
      serve({ 'POST /v1/tasks': { status: 201, body: task }, 'GET /v1/tasks/t1': { body: failed } });
      const { code, out, err } = await rivera('run --rootfs x --wait -- false', { env });
      expect({ code, out, err }).toEqual({
        code: 1,
        out: '',
        err: 'rivera: Task t1 failed: exited with status 3\n',
      });
    });

    it('run --wait can be interrupted', async () => {
      const controller = new AbortController();
      serve({ 'POST /v1/tasks': { status: 201, body: task } });
      const { handler } = api;
      api.handler = (seen, response) => {
        if (seen.method === 'POST') return handler(seen, response);
        controller.abort(new Error('Interrupted.'));
        return undefined;
      };
      const { code, err } = await rivera('run --rootfs x --wait -- true', { env, signal: controller.signal });
      expect({ code, err }).toEqual({ code: 130, err: 'rivera: Interrupted.\n' });
    });
  });

  it('events prints one JSON object a line, resumes, and ends well when interrupted', async () => {
    const controller = new AbortController();
    const event = { type: 'task_removed', before: task };
    const frame = (id: number): string =>
      `id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
    api.handler = (_seen, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (api.requests.length === 1) response.end(frame(1));
      else if (api.requests.length === 2) response.end('event: reset\ndata: {"reason":"Trimmed."}\n\n');
      else {
        response.end(frame(9));
        response.on('close', () => controller.abort());
      }
      return undefined;
    };
    const { code, out, err } = await rivera(
      'events -f --type task_removed --type task_created --process-guid p --task-guid t --domain d --cell c --after 0',
      { env, signal: controller.signal },
    );
    expect(code).toBe(0);
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line): unknown => JSON.parse(line))
        .slice(0, 2),
    ).toEqual([
      { cursor: '1', ...event },
      { type: 'reset', reason: 'Trimmed.' },
    ]);
    expect(err).toMatch(/The server ended the event stream/);
    expect(err).toMatch(/Trimmed. List again/);
    expect(api.routes[0]).toBe(
      'GET /v1/events?type=task_removed&type=task_created&processGuid=p&taskGuid=t&domain=d&cellId=c',
    );
    expect(api.requests.slice(0, 2).map(({ headers }) => headers['last-event-id'])).toEqual(['0', '1']);
  });

  describe('connection', () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'rivera-cli-'));
      await mkdir(join(folder, '.rivera'));
      await mkdir(join(folder, 'deep', 'er'), { recursive: true });
      await writeFile(join(folder, '.rivera', 'env'), `RIVERA_API=${api.url}\nRIVERA_TOKEN="from file"\n`);
      serve({ 'GET /v1/cells': list() });
    });
    afterEach(() => rm(folder, { recursive: true }));

    const authorization = (): unknown => api.requests.at(-1)?.headers.authorization;

    it('is found upwards of the working directory', async () => {
      expect((await rivera('cells', { cwd: join(folder, 'deep', 'er') })).code).toBe(0);
      expect(authorization()).toBe('Bearer from file');
    });

    it('is taken from options before the environment before the file', async () => {
      await rivera('cells', { cwd: folder, env: { RIVERA_TOKEN: 'from env' } });
      expect(authorization()).toBe('Bearer from env');
      await rivera('cells --token from-option', { cwd: folder, env: { RIVERA_TOKEN: 'from env' } });
      expect(authorization()).toBe('Bearer from-option');
      await rivera(`--api ${api.url} cells`, { cwd: folder, env: { RIVERA_API: 'http://127.0.0.1:1' } });
      expect(authorization()).toBe('Bearer from file');
    });

    it('never gives the token of the file to another API', async () => {
      const { code, err } = await rivera('cells --api http://127.0.0.1:1', { cwd: folder });
      expect({ code, err }).toEqual({
        code: 2,
        err: 'rivera: There is no token for http://127.0.0.1:1. Set RIVERA_TOKEN, or give --token.\n',
      });
    });

    it('says what to do when there is none', async () => {
      const { code, err } = await rivera('cells');
      expect(code).toBe(2);
      expect(err).toMatch(/^rivera: No Rivera API is known here. Start one with `rivera up`/);
    });
  });

  describe('exit codes', () => {
    it('0 for help and version', async () => {
      expect(await rivera('--version')).toEqual({ code: 0, out: '1.2.3\n', err: '' });
      const help = await rivera('--help');
      expect(help.code).toBe(0);
      expect(help.out).toMatch(/lrps \[options\] \[processGuid\] +list the LRPs/);
    });

    it.each([
      ['nonsense', /unknown command 'nonsense'/],
      ['scale web -1', /must be a whole number/],
      ['scale web few', /must be a whole number/],
      ['cells --colour', /unknown option '--colour'/],
      ['run', /missing required argument 'command'/],
      ['run --memory lots -- true', /must be a size/],
      ['run --env A -- true', /must look like NAME=value/],
      ['desire', /required option '-f, --file <file>' not specified/],
    ])('2 for the mistake %j', async (line, complaint) => {
      const { code, out, err } = await rivera(line, { env });
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(err).toMatch(complaint);
      expect(api.requests).toHaveLength(0);
    });

    it('1 for a refusal', async () => {
      serve({
        'GET /v1/cells': {
          status: 403,
          body: { code: 'forbidden', detail: 'Your token may not list cells.' },
        },
      });
      expect(await rivera('cells', { env })).toEqual({
        code: 1,
        out: '',
        err: 'rivera: Your token may not list cells.\n',
      });
    });

    it('3 for an API that is not there', async () => {
      await api.stop();
      const { code, err } = await rivera('cells', { env });
      expect(code).toBe(3);
      expect(err).toMatch(/^rivera: Rivera's API did not answer GET .*ECONNREFUSED.*\n$/);
    });
  });
});
