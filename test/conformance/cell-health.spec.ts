import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Check, HttpCheck } from '#rivera/models';
import { checkProbes, type Probe } from '../../apps/cell/src/health/probe.js';
import { play, played, useCellWorld } from '../support/cell-world.js';

/** Checks that are played, by their port: see `verdicts`. */
const verdicts = new Map<number, string | undefined>();
vi.mock('../../apps/cell/src/health/probe.js', async (original) => {
  const real = await original<typeof import('../../apps/cell/src/health/probe.js')>();
  return {
    ...real,
    checkProbes: (checks: Check[], at: Parameters<typeof real.checkProbes>[1]): Probe[] =>
      checks.some(({ tcpCheck }) => tcpCheck && verdicts.has(tcpCheck.port))
        ? checks.map(({ tcpCheck }) => ({
            attempt: () => Promise.resolve(verdicts.get(tcpCheck!.port)),
          }))
        : real.checkProbes(checks, at),
  };
});

const tcp = (port: number): Check => ({ tcpCheck: { port } });

describe('cell: health of an instance', () => {
  const world = useCellWorld();
  beforeEach(() => verdicts.clear());

  it('8.55 one that is never healthy crashes after the start time-out and says why', async () => {
    verdicts.set(1, 'no answer');
    const guid = world().place({
      action: play('sleep'),
      startTimeoutMs: 100,
      checkDefinition: { checks: [tcp(1)] },
    });
    const { reason } = await world().reported('crash', guid);
    expect(reason).toMatch(
      /^Instance never healthy after [\d.]+m?s: Timed out after 100ms \(\d+ attempts\) waiting for startup check to succeed: no answer$/,
    );
    expect(world().log(guid, 'HEALTH').at(-1)).toMatch(
      /^Failed after [\d.]+m?s: startup health check never passed\.$/,
    );
    expect(world().reportsOf(guid)).toEqual(['claim', 'crash']);
  });

  it('8.56 without a start time-out it is never given up', async () => {
    verdicts.set(1, 'no answer');
    const guid = world().place({ action: play('sleep'), checkDefinition: { checks: [tcp(1)] } });
    await world().inState(guid, 'created');
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(world().rep.actor(guid)?.state).toBe('created');
    verdicts.set(1, undefined);
    await world().reported('start', guid);
  });

  it('8.57 one that was healthy and no longer is crashes', async () => {
    verdicts.set(1, undefined);
    const guid = world().place({ action: play('sleep'), checkDefinition: { checks: [tcp(1)] } });
    await world().reported('start', guid);
    verdicts.set(1, 'gone deaf');
    expect(await world().reported('crash', guid)).toMatchObject({
      reason: 'Instance became unhealthy: Liveness check unsuccessful: gone deaf',
    });
    expect(world().log(guid, 'HEALTH')).toEqual([
      'Starting health monitoring of container',
      'Container became healthy',
      'Liveness check unsuccessful: gone deaf',
      'Container became unhealthy',
    ]);
  });

  it('8.58 two checks that never pass are both named', async () => {
    verdicts.set(1, 'one').set(2, 'two');
    const guid = world().place({
      action: play('sleep'),
      startTimeoutMs: 100,
      checkDefinition: { checks: [tcp(1), tcp(2)] },
    });
    const { reason } = await world().reported('crash', guid);
    expect(reason).toMatch(/succeed: one; Timed out .* succeed: two$/);
  });

  it('8.59 a check definition makes a monitor action superfluous', async () => {
    verdicts.set(1, undefined);
    const guid = world().place({
      action: play('sleep'),
      monitor: play('exit', '1'),
      checkDefinition: { checks: [tcp(1)] },
    });
    await world().reported('start', guid);
  });

  it('8.60 an action that ends with 0 beside a passing check goes on; with 1 it crashes; without a check it ends', async () => {
    verdicts.set(1, undefined);
    const checked = { checkDefinition: { checks: [tcp(1)] }, setup: play('exit') };
    const daemon = world().place({ ...checked, action: play('later', '20', '0') });
    await world().reported('start', daemon);
    await world().logged(daemon, 'Exit status 0');
    expect(world().rep.actor(daemon)?.state).toBe('running');
    const failing = world().place({ ...checked, action: play('later', '20', '1') });
    expect(await world().reported('crash', failing)).toMatchObject({ reason: 'LOG: Exited with status 1' });
    const plain = world().place({ action: play('exit', '0') });
    expect(await world().reported('crash', plain)).toMatchObject({ reason: 'Exited with status 0' });
    expect(world().ends.at(-1)).toEqual({ status: 'succeeded' });
  });

  it('8.61 readiness makes an instance routable and unroutable, and never restarts it', async () => {
    verdicts.set(1, 'warming up');
    const guid = world().place({ action: play('sleep'), checkDefinition: { readinessChecks: [tcp(1)] } });
    expect(await world().reported('start', guid)).toMatchObject({ routable: false });
    verdicts.set(1, undefined);
    await world().reported('start', guid, ({ routable }) => routable);
    verdicts.set(1, 'overloaded');
    await vi.waitFor(() =>
      expect(
        world()
          .reports.filter((report) => report.type === 'start')
          .map((report) => 'routable' in report && report.routable),
      ).toEqual([false, true, false]),
    );
    expect(world().rep.actor(guid)?.state).toBe('running');
    expect(world().log(guid, 'HEALTH')).toEqual([
      'Starting readiness health monitoring of container',
      'Container passed the readiness health check. Container marked ready and added to route pool.',
      'Readiness check unsuccessful: overloaded',
      'Container failed the readiness health check. Container marked not ready and removed from route pool.',
    ]);
  });

  it('8.62 a check that is none is left out', async () => {
    const guid = world().place({ action: play('sleep'), checkDefinition: { checks: [tcp(0)] } });
    await world().reported('start', guid);
  });

  it('a monitor action is quoted when it fails, and leaves no lines of its own', async () => {
    const monitor = { run: played('say', 'port is closed', '1') };
    const guid = world().place({ action: play('sleep'), monitor, startTimeoutMs: 100 });
    const { reason } = await world().reported('crash', guid);
    expect(reason).toMatch(/^Instance never healthy after [\d.]+m?s: port is closed$/);
    expect(world().log(guid, 'LOG')).toEqual(['Exit status 143']);
  });

  it('a monitor action that hangs does not outlast the start time-out', async () => {
    const guid = world().place({ action: play('sleep'), monitor: play('sleep'), startTimeoutMs: 100 });
    const { reason } = await world().reported('crash', guid);
    expect(reason).toMatch(/: the check did not end$/);
  });

  it('an instance that was routable stays so when its agent is restarted', async () => {
    verdicts.set(1, undefined);
    const guid = world().place({ action: play('sleep'), checkDefinition: { readinessChecks: [tcp(1)] } });
    await world().reported('start', guid, ({ routable }) => routable);
    world().reports.length = 0;
    world().work = { epoch: 2, actualLRPs: [world().actual(guid, { routable: true })], tasks: [] };
    await world().startAgent().synchronize();
    expect(await world().reported('start', guid)).toMatchObject({ routable: true });
  });
});

describe('cell: checks', () => {
  let server: Server;
  let port: number;
  const attempt = (check: Partial<HttpCheck>, at = { host: '127.0.0.1', port }) =>
    checkProbes([{ httpCheck: { port, ...check } }], () => Promise.resolve(at))[0]!.attempt(
      new AbortController().signal,
    );

  beforeEach(() => verdicts.clear());
  beforeAll(async () => {
    server = createServer(({ url, headers }, response) => {
      if (url === '/agent') response.end(String(headers['user-agent']));
      else if (url === '/moved') response.writeHead(301, { location: '/200' }).end();
      else if (url !== '/hang') response.writeHead(Number(url?.slice(1)) || 200).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('8.54 HTTP: 200 passes, also behind a redirect; anything else is named', async () => {
    expect(await attempt({})).toBeUndefined();
    expect(await attempt({ path: '/200' })).toBeUndefined();
    expect(await attempt({ path: '/moved' })).toBeUndefined();
    for (const status of [204, 404, 500]) {
      expect(await attempt({ path: `/${status}` })).toMatch(
        new RegExp(
          `^failed to make HTTP request to '/${status}' on port ${port}: received status code ${status} in \\d+ms$`,
        ),
      );
    }
  });

  it('8.54 HTTP: an answer that does not come and a port nobody listens on', async () => {
    expect(await attempt({ path: '/hang', requestTimeoutMs: 50 })).toBe(
      `failed to make HTTP request to '/hang' on port ${port}: timed out after 0.05 seconds`,
    );
    expect(await attempt({}, { host: '127.0.0.1', port: 1 })).toBe(
      `failed to make HTTP request to '/' on port ${port}: connection refused`,
    );
  });

  it('8.53 TCP: a connection passes; one that is refused is named', async () => {
    const check = (at: number) =>
      checkProbes([{ tcpCheck: { port: at } }], (asked) =>
        Promise.resolve({ host: '127.0.0.1', port: asked }),
      )[0]!.attempt(new AbortController().signal);
    expect(await check(port)).toBeUndefined();
    expect(await check(1)).toBe('failed to make TCP connection to 127.0.0.1:1: connection refused');
  });
});
