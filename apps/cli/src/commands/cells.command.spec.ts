import { NOW, rivera, serveRoutes } from '#test/rivera-command.js';
import { type Answer, StandInApi } from '#test/stand-in-api.js';

let api: StandInApi;
let env: NodeJS.ProcessEnv;
beforeEach(async () => {
  api = await StandInApi.start();
  env = { RIVERA_API: api.url, RIVERA_TOKEN: 'secret' };
});
afterEach(() => api.stop());

const NOTHING = { placed: 0, claimed: 0, running: 0, evacuating: 0, suspect: 0, tasks: 0 };
const drain = { since: NOW, deadline: NOW + 60_000 };
const holding = (work: Partial<typeof NOTHING>, fields: object = { drain }): Answer => ({
  body: { cellId: 'cell-1', ...fields, work: { ...NOTHING, ...work } },
});
const GONE: Answer = { status: 404, body: { code: 'not-found', detail: 'There is no cell "cell-1".' } };

describe('rivera cells', () => {
  it('says what is special about a cell', async () => {
    const cell = { cellId: 'c', state: 'PRESENT', since: NOW, capacity: {}, rootfsProviders: [] };
    const missing = { ...cell, state: 'MISSING', replacementHeld: true };
    const items = [{ ...cell, cordoned: true }, { ...cell, cordoned: true, drain }, missing];
    serveRoutes(api, { 'GET /v1/cells': { body: { items } } });
    const states = (await rivera('cells', { env })).out.split('\n').map((line) => line.slice(6, 32).trim());
    expect(states).toEqual([
      expect.stringContaining('STATE'),
      expect.stringContaining('PRESENT, cordoned'),
      expect.stringContaining('PRESENT, draining'),
      'MISSING, replacement held',
      '',
    ]);
  });

  it.each([
    ['cordon cell-1', 'PUT', 'cordon', 'Cordoned cell-1: it takes no new work.'],
    ['uncordon cell-1', 'DELETE', 'cordon', 'Uncordoned cell-1: it takes work again.'],
    ['replace cell-1', 'DELETE', 'replacement-hold', 'What cell-1 ran is being replaced.'],
    ['drain cell-1 --cancel', 'DELETE', 'drain', 'Cancelled the drain of cell-1; it stays cordoned.'],
    ['drain cell-1', 'PUT', 'drain', 'Draining cell-1. See how far it is with `rivera cells`.'],
  ])('%s', async (line, method, what, said) => {
    serveRoutes(api, { [`${method} /v1/cells/cell-1/${what}`]: { body: {} } });
    expect(await rivera(`cells ${line}`, { env })).toEqual({ code: 0, out: `${said}\n`, err: '' });
  });

  it('drain --wait says how far it is until nothing is left', async () => {
    serveRoutes(api, {
      'PUT /v1/cells/cell-1/drain': { body: {} },
      'GET /v1/cells/cell-1': [
        holding({ running: 2, claimed: 1, tasks: 1 }),
        holding({ evacuating: 2, tasks: 1 }),
        holding({ evacuating: 2, tasks: 1 }),
        holding({}),
      ],
    });
    const { code, out } = await rivera('cells drain cell-1 --wait --deadline 15m', { env });
    expect(api.requests[0]?.body).toEqual({ timeoutMs: 900_000 });
    expect({ code, out: out.split('\n') }).toEqual({
      code: 0,
      out: [
        'cell-1: 3 instances to move, 0 waiting for their replacement, 1 tasks',
        'cell-1: 0 instances to move, 2 waiting for their replacement, 1 tasks',
        'Drained cell-1.',
        '',
      ],
    });
  });

  it.each([
    ['the cell has left', GONE, { code: 0, out: 'Drained cell-1.\n', err: '' }],
    [
      'the drain was cancelled',
      holding({ running: 1 }, {}),
      { code: 1, out: '', err: 'rivera: The drain of cell-1 was cancelled.\n' },
    ],
  ])('drain --wait ends when %s', async (_why, answer, expected) => {
    serveRoutes(api, { 'PUT /v1/cells/cell-1/drain': { body: {} }, 'GET /v1/cells/cell-1': answer });
    expect(await rivera('cells drain cell-1 --wait', { env })).toEqual(expected);
  });

  it('refuses a deadline without a unit', async () => {
    const { code, err } = await rivera('cells drain cell-1 --deadline 15', { env });
    expect(code).toBe(2);
    expect(err).toMatch(/number with a unit/);
  });
});
