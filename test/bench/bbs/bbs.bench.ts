import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { aRealisticDesiredLRP, aTaskDefinition } from '../../support/builders.js';
import { type Cluster, startCluster } from '../../support/cluster.js';
import { type BenchContext, percentile, reportLatency } from '../bench.js';
import { Api } from './api.js';
import { cpuUs } from '../cpu.js';

const CALLERS = 16;
const BULK = 100;
const CELL = 'bench-cell';
/** One in a hundred instances is on the cell that is listed. */
const SHARE_ON_CELL = 0.01;
const LIST_REPEATS = 9;

type Operation = (position: number) => Promise<unknown>;

/**
 * The API of one real `bbs` over a Redis that writes every commit to disk, with nobody else writing: operations a second
 * and processor time per operation (bbs and Redis together), lists, and how soon events are heard.
 */
export async function bench(context: BenchContext): Promise<void> {
  const cluster = await startCluster({
    cells: 0,
    backend: 'fake',
    redis: { appendonly: true },
    // As in production; the text for people costs more.
    bbsEnv: { LOG_FORMAT: 'json' },
  });
  const api = new Api(cluster.api, CALLERS);
  const redis = new Redis(cluster.redis.url);
  try {
    await cluster.kill9('auctioneer');
    await cluster.kill9('converger');
    const redisPid = Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]);
    const run = new BbsBench(context, cluster, api, [cluster.program('bbs').pid, redisPid]);
    await run.register();
    // Compiled code is what runs all day, so every call is warmed up, not only the first.
    await run.operations(context.isSmoke ? 40 : 3_000, { isWarmUp: true });
    await run.operations(context.isSmoke ? 40 : 3_000);
    await run.events(context.isSmoke ? 20 : 500);
    await run.lists(context.isSmoke ? [50, 200] : [5_000, 20_000]);
  } finally {
    api.close();
    redis.disconnect();
    await cluster.stop();
  }
}

class BbsBench {
  private readonly token: string;
  private readonly cellToken: string;
  private epoch = 0;
  private isWarmUp = false;

  constructor(
    private readonly context: BenchContext,
    private readonly cluster: Cluster,
    private readonly api: Api,
    private readonly pids: number[],
  ) {
    const scopes = 'lrps:read lrps:write tasks:read tasks:write cells:read events:read';
    this.token = cluster.token({ sub: 'bench', scope: scopes });
    this.cellToken = cluster.token({ sub: CELL, scope: 'cell', cellId: CELL });
  }

  async operations(count: number, { isWarmUp = false } = {}): Promise<void> {
    const { api, token } = this;
    this.isWarmUp = isWarmUp;
    const prefix = isWarmUp ? 'warm-up-' : '';
    const guid = (i: number) => `${prefix}one-${i}`;
    const lrp = (processGuid: string, instances = 1) =>
      JSON.stringify({ ...aRealisticDesiredLRP(), processGuid, instances });
    if (!isWarmUp) {
      const value = Buffer.byteLength(lrp('size'));
      this.context.report({ case: 'lrp', metric: 'size', value, unit: 'bytes' });
    }

    const desire = (body: string) => api.call(token, 'POST', '/v1/desired-lrps', body);
    const patch = (i: number, body: object) =>
      api.call(token, 'PATCH', `/v1/desired-lrps/${guid(i)}`, JSON.stringify(body));

    await this.measure('floor-http', count, () => api.call(token, 'GET', '/healthz'));
    await this.measure('desire-1', count, (i) => desire(lrp(guid(i))));
    await this.measure('floor-get', count, (i) => api.call(token, 'GET', `/v1/desired-lrps/${guid(i)}`));
    await this.measure('desire-10', count / 4, (i) => desire(lrp(`${prefix}ten-${i}`, 10)));
    await this.measure('bulk-desire', count / BULK, (i) => this.bulk(`${prefix}bulk-${i}`, BULK), BULK);
    const instanceGuids = Array.from({ length: count }, () => randomUUID());
    const about = (i: number) => ({ processGuid: guid(i), index: 0, instanceGuid: instanceGuids[i] });
    const netInfo = { address: '10.0.0.1', ports: [{ containerPort: 8080, hostPort: 61_001 }] };
    await this.measure('claim', count, (i) => this.report({ type: 'claim', ...about(i) }));
    await this.measure('start', count, (i) =>
      this.report({ type: 'start', routable: true, netInfo, ...about(i) }),
    );
    const routes = { 'cf-router': [{ hostnames: ['www.example.com'], port: 8080 }] };
    await this.measure('update-routes', count, (i) => patch(i, { routes }));
    await this.measure('scale-up-1', count, (i) => patch(i, { instances: 2 }));
    await this.measure('remove', count, (i) => api.call(token, 'DELETE', `/v1/desired-lrps/${guid(i)}`));

    const definition = aTaskDefinition();
    const taskGuid = (i: number) => `${prefix}task-${i}`;
    const task = (i: number) => JSON.stringify({ taskGuid: taskGuid(i), domain: 'bench', definition });
    await this.measure('task-desire', count, (i) => api.call(token, 'POST', '/v1/tasks', task(i)));
    await this.measure('task-start', count, (i) =>
      this.report({ type: 'start-task', taskGuid: taskGuid(i) }),
    );
    await this.measure('task-complete', count, (i) =>
      this.report({ type: 'complete-task', taskGuid: taskGuid(i), failed: false, result: 'done' }),
    );
    await this.measure('task-delete', count, (i) => api.call(token, 'DELETE', `/v1/tasks/${taskGuid(i)}`));
  }

  /** From the call to the event that it caused, one after the other. */
  async events(count: number): Promise<void> {
    const { api, token, cluster } = this;
    const processGuid = 'heard';
    await api.call(
      token,
      'POST',
      '/v1/desired-lrps',
      JSON.stringify({ ...aRealisticDesiredLRP(), processGuid }),
    );
    const stop = new AbortController();
    let heard: () => void = () => {};
    const opened = new Promise<void>((resolve) => {
      void (async () => {
        const options = { signal: stop.signal, onConnect: resolve };
        for await (const item of cluster.client.events({ processGuid: [processGuid] }, options)) {
          if ('event' in item && item.event.type === 'desired_lrp_changed') heard();
        }
      })();
    });
    await opened;
    const durations: number[] = [];
    const warmUp = Math.ceil(count / 5);
    for (let i = 0; i < count + warmUp; i += 1) {
      const hearing = new Promise<void>((resolve) => (heard = resolve));
      const began = performance.now();
      await Promise.all([
        hearing.then(() => durations.push(performance.now() - began)),
        api.call(token, 'PATCH', `/v1/desired-lrps/${processGuid}`, JSON.stringify({ annotation: `${i}` })),
      ]);
    }
    stop.abort();
    reportLatency(this.context, 'event-latency', durations.slice(warmUp));
  }

  /** Whole lists, page by page, by one caller. */
  async lists([small = 0, large = 0]: number[]): Promise<void> {
    await this.fill('list-a', small);
    const name = (kind: string, size: number) => `list-${kind}-${size >= 1_000 ? `${size / 1_000}k` : size}`;
    await this.list(name('scheduling', small), '/v1/desired-lrps?view=scheduling');
    await this.fill('list-b', large - small);
    await this.list(name('scheduling', large), '/v1/desired-lrps?view=scheduling');
    await this.list(name('routing', large), '/v1/desired-lrps?view=routing');
    await this.list(name('actual', large), '/v1/actual-lrps?');
    await this.list(name('by-cell', large), `/v1/actual-lrps?cellId=${CELL}`);
  }

  private async list(name: string, path: string): Promise<void> {
    const durations: number[] = [];
    const cpu = await cpuUs(this.pids);
    for (let repeat = 0; repeat < LIST_REPEATS; repeat += 1) {
      const began = performance.now();
      let next: string | undefined;
      do {
        const after = next === undefined ? '' : `&after=${next}`;
        const page = await this.api.call(this.token, 'GET', `${path}&limit=10000${after}`);
        next = /"next":"([^"]+)"/.exec(page.slice(-600))?.[1];
      } while (next !== undefined);
      durations.push(performance.now() - began);
    }
    const used = (await cpuUs(this.pids)) - cpu;
    this.context.report({ case: name, metric: 'cpu_us_per_op', value: used / LIST_REPEATS, unit: 'us' });
    reportLatency(this.context, name, durations);
  }

  private async fill(prefix: string, count: number): Promise<void> {
    this.context.progress(`${count} more LRPs`);
    await this.forAll(count / BULK, (i) => this.bulk(`${prefix}-${i}`, BULK));
    await this.forAll(Math.ceil(count * SHARE_ON_CELL), (i) => {
      const processGuid = `${prefix}-${Math.floor(i / BULK)}-${i % BULK}`;
      return this.report({ type: 'claim', processGuid, index: 0, instanceGuid: randomUUID() });
    });
  }

  private bulk(prefix: string, size: number): Promise<string> {
    const operations = Array.from({ length: size }, (_, i) => ({
      desire: { ...aRealisticDesiredLRP(), processGuid: `${prefix}-${i}`, instances: 1 },
    }));
    return this.api.call(this.token, 'POST', '/v1/desired-lrps/bulk', JSON.stringify({ operations }));
  }

  /** The cell that claims and starts. */
  async register(): Promise<void> {
    const registration = {
      zone: 'z1',
      address: '10.0.0.1',
      backend: 'fake',
      capacity: { memoryMb: 1, diskMb: 1, containers: 1 },
      rootfsProviders: [{ scheme: 'preloaded', stacks: ['bench'] }],
    };
    const path = `/v1/cells/${CELL}/presence`;
    const grant = await this.api.call(this.cellToken, 'PUT', path, JSON.stringify({ registration }));
    ({ epoch: this.epoch } = JSON.parse(grant) as { epoch: number });
  }

  private async report(report: object): Promise<void> {
    const body = JSON.stringify({ epoch: this.epoch, reports: [report] });
    const answer = await this.api.call(this.cellToken, 'POST', `/v1/cells/${CELL}/transitions`, body);
    if (!answer.startsWith('{"results":[{"ok":true')) throw new Error(`The report was refused: ${answer}`);
  }

  /** Many callers at once. `each`: what one call counts for. */
  private async measure(name: string, calls: number, operation: Operation, each = 1): Promise<void> {
    this.context.progress(this.isWarmUp ? `warm-up of ${name}` : name);
    const durations: number[] = [];
    const cpu = await cpuUs(this.pids);
    const began = performance.now();
    await this.forAll(calls, async (position) => {
      const start = performance.now();
      await operation(position);
      durations.push(performance.now() - start);
    });
    const seconds = (performance.now() - began) / 1_000;
    const operations = durations.length * each;
    if (this.isWarmUp) return;
    const { context } = this;
    const used = (await cpuUs(this.pids)) - cpu;
    context.report({ case: name, metric: 'ops_per_second', value: operations / seconds, unit: '1/s' });
    context.report({ case: name, metric: 'cpu_us_per_op', value: used / operations, unit: 'us' });
    context.report({ case: name, metric: 'p50_ms', value: percentile(durations, 0.5), unit: 'ms' });
    context.report({ case: name, metric: 'p99_ms', value: percentile(durations, 0.99), unit: 'ms' });
  }

  private async forAll(calls: number, operation: Operation): Promise<void> {
    let next = 0;
    const caller = async () => {
      for (let position = next++; position < calls; position = next++) await operation(position);
    };
    await Promise.all(Array.from({ length: CALLERS }, caller));
  }
}
