import { NOW, rivera, serveRoutes } from '#test/rivera-command.js';
import { StandInApi } from '#test/stand-in-api.js';

let api: StandInApi;
let env: NodeJS.ProcessEnv;
beforeEach(async () => {
  api = await StandInApi.start();
  env = { RIVERA_API: api.url, RIVERA_TOKEN: 'secret' };
});
afterEach(() => api.stop());

const deployment = {
  processGuid: 'web',
  newProcessGuid: 'web-2',
  state: 'ROLLING',
  oldInstances: 4,
  newInstances: 5,
  healthy: 2,
  crashes: 0,
  createdAt: NOW - 60_000,
};
const definition = { processGuid: 'web-2', domain: 'demo', instances: 5 };
const at = (fields: object) => ({ body: { ...deployment, ...fields } });

describe('rivera update', () => {
  const update = (options: string) =>
    rivera(`update web -f - ${options}`, { env, stdin: JSON.stringify(definition) });

  it('asks for a deployment and says so', async () => {
    serveRoutes(api, { 'POST /v1/deployments': { status: 201, body: deployment } });
    const options =
      '--max-in-flight 2 --max-unavailable 1 --min-healthy 5s --max-crashes 4 --timeout 2m --as web-9';
    expect(await update(options)).toEqual({
      code: 0,
      out: 'web-2 is taking the place of web.\n',
      err: '',
    });
    expect(api.requests[0]?.body).toEqual({
      processGuid: 'web',
      definition: { ...definition, processGuid: 'web-9' },
      maxInFlight: 2,
      maxUnavailable: 1,
      maxCrashes: 4,
      minHealthyMs: 5_000,
      progressTimeoutMs: 120_000,
    });
  });

  it.each([
    [
      'COMPLETED',
      at({ state: 'COMPLETED', healthy: 5 }),
      { code: 0, out: ['ROLLING: 2 of 5 healthy', 'web-2 has taken the place of web: 5 healthy.'], err: '' },
    ],
    [
      'ROLLED_BACK',
      at({ state: 'ROLLED_BACK', reason: 'New instances crashed 3 times.' }),
      {
        code: 1,
        out: ['ROLLING: 2 of 5 healthy'],
        err: 'rivera: The deployment of web is ROLLED_BACK: New instances crashed 3 times.\n',
      },
    ],
  ])('--wait until it is %s', async (_state, end, expected) => {
    serveRoutes(api, {
      'POST /v1/deployments': { status: 201, body: deployment },
      'GET /v1/deployments/web': [at({}), end],
    });
    const { out, ...rest } = await update('--wait');
    expect({ ...rest, out: out.trimEnd().split('\n') }).toEqual(expected);
  });
});

describe('rivera deployments', () => {
  it('lists them', async () => {
    const items = [
      deployment,
      { ...deployment, state: 'ROLLING_BACK', crashes: 3, reason: 'It was cancelled.' },
    ];
    serveRoutes(api, { 'GET /v1/deployments': { body: { items } } });
    expect((await rivera('deployments', { env })).out).toMatchInlineSnapshot(`
      "PROCESS GUID  NEW PROCESS GUID  STATE         PROGRESS                   SINCE  REASON
      web           web-2             ROLLING       2 of 5 healthy             1m     -
      web           web-2             ROLLING_BACK  2 of 4 healthy, 3 crashes  1m     It was cancelled.
      "
    `);
  });

  it.each([
    ['pause', 'PAUSED'],
    ['resume', 'ROLLING'],
    ['cancel', 'ROLLING_BACK'],
  ])('%s', async (verb, state) => {
    serveRoutes(api, { [`POST /v1/deployments/web/${verb}`]: at({ state }) });
    expect(await rivera(`deployments ${verb} web`, { env })).toEqual({
      code: 0,
      out: `The deployment of web is ${state}.\n`,
      err: '',
    });
  });
});
