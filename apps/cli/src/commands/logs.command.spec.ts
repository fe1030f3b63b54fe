import { NOW, rivera } from '../../../../test/support/rivera-command.js';
import { StandInApi } from '../../../../test/support/stand-in-api.js';

let api: StandInApi;
let env: NodeJS.ProcessEnv;
beforeEach(async () => {
  api = await StandInApi.start();
  env = { RIVERA_API: api.url, RIVERA_TOKEN: 'secret' };
});
afterEach(() => api.stop());

const frame = (event: string, data: object): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
const line = { guid: 'i', index: 0, time: NOW, number: 1, source: 'APP', stream: 'out', text: 'hello' };

function answer(...frames: string[]): void {
  api.handler = () => ({ headers: { 'content-type': 'text/event-stream' }, body: frames.join('') });
}

describe('rivera logs', () => {
  it('prints lines, and on standard error what is missing', async () => {
    answer(
      frame('log', line),
      frame('dropped', { guid: 'i', index: 0, dropped: 250 }),
      ': heartbeat\n\n',
      frame('failed', {
        guids: ['j'],
        cellId: 'c2',
        code: 'cell-unreachable',
        message: 'Cell "c2" is away.',
      }),
      frame('log', { ...line, number: 252, source: 'HEALTH', stream: 'err', text: 'oops' }),
    );
    const { code, out, err } = await rivera('logs web/0 --tail 5 --since 15m', { env });
    expect(code).toBe(0);
    expect(out).toMatchInlineSnapshot(`
      "2023-11-14T22:13:20.000Z [APP/0] OUT hello
      2023-11-14T22:13:20.000Z [HEALTH/0] ERR oops
      "
    `);
    expect(err).toMatchInlineSnapshot(`
      "rivera: 250 lines of instance 0 are missing here: they came too fast.
      rivera: Cell "c2" is away.
      "
    `);
    expect(api.routes).toEqual([`GET /v1/lrps/web/logs?tail=5&since=${NOW - 900_000}&index=0`]);
  });

  it('of a task has no index', async () => {
    answer(frame('log', { ...line, guid: 't1', index: undefined }));
    const { out } = await rivera('logs --task t1 --json', { env });
    expect(JSON.parse(out)).toMatchObject({ guid: 't1', text: 'hello' });
    expect(api.routes).toEqual(['GET /v1/tasks/t1/logs']);
  });

  it('fails with the refusal of the server, and with a stream that it ends early', async () => {
    api.handler = () => ({ status: 404, body: { code: 'not-found', detail: 'There is no LRP "web".' } });
    expect(await rivera('logs web', { env })).toEqual({
      code: 1,
      out: '',
      err: 'rivera: There is no LRP "web".\n',
    });
    answer(frame('log', line), ': the token has expired\n\n');
    const { code, err } = await rivera('logs web', { env });
    expect([code, err]).toEqual([3, 'rivera: The server ended the log: the token has expired.\n']);
  });

  it('refuses what makes no sense before it asks', async () => {
    expect(await rivera('logs web --since yesterday', { env })).toMatchObject({ code: 2 });
    expect(await rivera('logs web --tail many', { env })).toMatchObject({ code: 2 });
    expect(api.routes).toEqual([]);
  });
});

describe('rivera stats', () => {
  it('prints a row for each container, and which cells are away', async () => {
    const stats = {
      guid: 'i',
      processGuid: 'web',
      index: 0,
      time: NOW,
      cpuPercent: 12.54,
      memoryBytes: 10_485_760,
      memoryLimitBytes: 67_108_864,
      pids: 3,
      rxBytes: 1_048_576,
      ageMs: 61_000,
    };
    const unreachable = [{ cellId: 'c2', code: 'cell-unreachable', message: 'Cell "c2" is away.' }];
    api.handler = () => ({ body: { items: [stats, { guid: 't1', time: NOW, diskBytes: 5 }], unreachable } });
    const { code, out, err } = await rivera('stats web', { env });
    expect(code).toBe(0);
    expect(out).toMatchInlineSnapshot(`
      "INSTANCE  CPU %  MEMORY MB  DISK MB  PIDS  RECEIVED MB  SENT MB  AGE
      web/0      12.5  10.0 / 64        -     3          1.0        -  61s
      t1            -          -      0.0     -            -        -    -
      "
    `);
    expect(err).toBe('rivera: Cell "c2" is away.\n');
    await rivera('stats web/3', { env });
    await rivera('stats --cell c1', { env });
    expect(api.routes).toEqual([
      'GET /v1/lrps/web/stats',
      'GET /v1/lrps/web/stats?index=3',
      'GET /v1/cells/c1/stats',
    ]);
    expect(await rivera('stats', { env })).toMatchObject({ code: 2 });
  });
});

describe('rivera exec and cp', () => {
  it.each([
    ['exec web/x -- true', /processGuid\/index/],
    ['exec web/0', /missing required argument/],
    ['cp a b', /One of the two must be in an instance/],
    ['cp web/0:/a web/1:/b', /One of the two must be in an instance/],
    ['cp web/0:relative b', /must begin with "\/"/],
  ])('refuse `%s` before they ask', async (line_, message) => {
    const { code, err } = await rivera(line_, { env });
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(api.routes).toEqual([]);
  });

  it('exec exits with 255 when Rivera fails', async () => {
    api.handler = () => ({
      status: 404,
      body: { code: 'not-found', detail: 'There is no actual LRP "web/0".' },
    });
    const { code, err } = await rivera('exec web/0 -- true', { env: { ...env, RIVERA_API: api.url } });
    expect(code).toBe(255);
    expect(err).toMatch(/There is no actual LRP/);
  });
});
