import { Test } from '@nestjs/testing';

import { Clock } from '../clock.js';
import { RiveraLogger } from '../logging/rivera-logger.js';
import { Metrics } from '../metrics/metrics.js';
import { PlatformModule } from '../platform.module.js';
import { HealthServer } from './health-server.js';
import { Readiness } from './readiness.js';

const logger = RiveraLogger.create({ app: 'cell', destination: { write: () => undefined } });

describe('Readiness', () => {
  it('is ready only when every check is, and says why not', async () => {
    const readiness = new Readiness(20);
    readiness.register('good', () => true);
    readiness.register('done', async () => undefined);
    expect(await readiness.report()).toEqual({ ready: true, checks: expect.any(Array) as unknown });
    readiness.register('no', () => false);
    readiness.register('broken', () => Promise.reject(new Error('Redis is away.')));
    readiness.register('thrown', () => {
      throw new Error('Not yet.');
    });
    readiness.register('stuck', () => new Promise(() => undefined));
    const report = await readiness.report();
    expect(report.ready).toBe(false);
    expect(report.checks.filter((check) => !check.ready)).toEqual([
      { name: 'no', ready: false, reason: 'The check says no.' },
      { name: 'broken', ready: false, reason: 'Redis is away.' },
      { name: 'thrown', ready: false, reason: 'Not yet.' },
      { name: 'stuck', ready: false, reason: 'It did not answer within 20 ms.' },
    ]);
  });
});

describe('HealthServer', () => {
  it('serves health, readiness and metrics for the life of an app without HTTP', async () => {
    const metrics = new Metrics({ defaults: false });
    metrics.gauge({ name: 'containers', help: 'Containers.' }).set(3);
    const clock = { now: () => 5 };
    const healthListen = { host: '127.0.0.1', port: 0 };
    const module = await Test.createTestingModule({
      imports: [PlatformModule.forRoot({ logger, metrics, clock, healthListen })],
    }).compile();
    await module.init();
    expect(module.get(Clock).now()).toBe(5);
    const { port } = module.get(HealthServer).address ?? { port: 0 };
    const get = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${port}${path}`, { method });

    expect((await get('/healthz')).status).toBe(200);
    expect((await get('/readyz')).status).toBe(200);
    expect(await (await get('/metrics')).text()).toContain('rivera_containers 3');
    expect((await get('/other')).status).toBe(404);
    expect((await get('/healthz', 'POST')).status).toBe(404);

    module.get(Readiness).onModuleDestroy();
    const draining = await get('/readyz?verbose');
    expect(draining.status).toBe(503);
    expect(await draining.json()).toMatchObject({ ready: false, checks: [{ name: 'process' }] });

    await module.close();
    await expect(get('/healthz')).rejects.toThrow('fetch failed');
  });

  it('listens nowhere when it is not asked to', async () => {
    const server = new HealthServer({
      readiness: new Readiness(),
      metrics: new Metrics({ defaults: false }),
      logger,
    });
    await server.start();
    expect(server.address).toBeUndefined();
    await server.stop();
  });
});
